"""The presets, the README and the package agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from vidrestore import cli
from vidrestore.settings import Settings, make_settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PRESETS = sorted((ROOT / "configs" / "restore").glob("*.yaml"))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_presets_are_valid_and_change_something(preset: Path) -> None:
    assert make_settings(preset) != Settings()


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_presets_leave_files_and_times_to_the_user(preset: Path) -> None:
    assert not {"start", "end", "overwrite", "device"} & set(yaml.safe_load(preset.read_text()))


def test_the_readme_names_every_preset_and_no_other() -> None:
    assert set(re.findall(r"\(configs/restore/(\w+\.yaml)\)", README)) == {path.name for path in PRESETS}


def test_the_lines_that_ci_takes_from_the_readme_are_whole() -> None:
    lines = dict(re.findall(r"<!-- ci: (\w+) -->\n```sh\n(.+)\n```\n<!-- /ci -->", README))
    assert set(lines) == {"restore", "test"}
    assert all(line.startswith("python3 -m venv .venv && ") for line in lines.values())
    assert lines["restore"].endswith("vidrestore restore samples/old_film.mp4 restored.mp4")
    assert lines["test"].endswith('.venv/bin/python -m pytest -m "" -n auto'), "CI runs the slow tests, too"


def test_the_readme_commands_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    block = README.split("## Usage")[1].split("```")[1]
    called: list[Path] = []

    def stop_there(source: Path, *_: Any, **__: Any) -> None:
        called.append(source)
        raise KeyboardInterrupt

    monkeypatch.setattr("vidrestore.api.restore", stop_there)
    commands = [line.split()[1:] for line in block.splitlines() if line.startswith("vidrestore restore")]
    assert commands
    for words in commands:
        assert cli.main(words) == 130
    assert len(called) == len(commands)


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / target).exists(), f"{document} links to {target}"
