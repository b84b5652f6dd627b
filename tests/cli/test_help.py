"""What the help says, word for word: a change of it is a change that users see. How it looks is typer's.

After a wanted change: VIDRESTORE_TEST_WRITE_GOLDENS=1 python -m pytest tests/cli/test_help.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.support.shared import ROOT
from vidrestore.cli import app, main
from vidrestore.settings import Settings
from vidrestore.settings.groups import GROUPS

FOLDER = Path(__file__).parent / "help"
COMMANDS = [
    "restore", "resume", "batch", "edit", "inspect", "preview", "degrade", "web",
    "evaluate", "evaluate paper",
    "models list", "models pull", "models convert",
    "integrations list", "integrations install", "integrations where", "integrations watch",
    "train prepare", "train codebook", "train association", "train restoration", "train detail",
    "train evidence", "train landmarks",
]  # fmt: skip


def commands() -> dict[str, Any]:
    """All commands by their names, such as `evaluate paper` and `models list`."""
    app_command: Any = typer.main.get_command(app)
    found = {}
    for name, command in app_command.commands.items():
        groups = getattr(command, "commands", None)
        found.update({name: command} if groups is None else {f"{name} {n}": c for n, c in groups.items()})
    return found


def test_every_command_has_a_golden_file() -> None:
    assert set(COMMANDS) == set(commands())


def help_of(name: str) -> str:
    """Each argument and option on a line, under its heading."""
    command = commands()[name]
    lines, heading = [command.help], None
    for parameter in sorted(command.params, key=_heading_order(command.params)):
        if (panel := _heading(parameter)) != heading:
            lines += ["", panel]
            heading = panel
        lines.append(f"  {_words(parameter)}: {parameter.help}")
    return "\n".join(lines) + "\n"


def _heading(parameter: Any) -> str:
    kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
    return str(getattr(parameter, "rich_help_panel", None) or kind)


def _heading_order(parameters: list[Any]) -> Any:
    """Headings in the order in which they come first."""
    headings = list(dict.fromkeys(_heading(parameter) for parameter in parameters))
    return lambda parameter: headings.index(_heading(parameter))


def _words(parameter: Any) -> str:
    flags = [] if parameter.param_type_name == "argument" else [*parameter.opts, *parameter.secondary_opts]
    return " ".join([*flags, *([parameter.metavar] if parameter.metavar else [])])


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_is_that_of_the_golden_file(name: str) -> None:
    golden, text = FOLDER / f"{name.replace(' ', '_')}.txt", help_of(name)
    if os.environ.get("VIDRESTORE_TEST_WRITE_GOLDENS"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text("utf-8")


def test_each_setting_stands_under_its_subject(capsys: pytest.CaptureFixture[str]) -> None:
    parts = {part.splitlines()[0]: part for part in help_of("restore").split("\n\n")}
    for title, names in GROUPS.items():
        for name in names:
            assert f"--{name.replace('_', '-')} " in parts[title].replace(":", " ")
    assert main(["restore", "--help"]) == 0
    shown = capsys.readouterr().out
    for title in (*GROUPS, "Messages and reports"):
        assert f" {title} " in shown


def test_every_setting_has_one_subject() -> None:
    names = [name for group in GROUPS.values() for name in group]
    assert len(names) == len(set(names))
    assert set(names) == set(Settings.model_fields)


def test_a_shell_completes_options(tmp_path: Path) -> None:
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "_VIDRESTORE_COMPLETE": "complete_bash",
        "COMP_WORDS": "vidrestore restore --dry", "COMP_CWORD": "2",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "vidrestore"],
        env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["--dry-run"]


def test_switches_show_no_type() -> None:
    def switches(command: Any) -> list[Any]:
        own = [p for p in command.params if getattr(p, "is_flag", False) and "completion" not in p.opts[0]]
        return own + [p for each in getattr(command, "commands", {}).values() for p in switches(each)]

    found = switches(typer.main.get_command(app))
    assert len(found) > 10
    assert [switch.opts for switch in found if switch.metavar != ""] == []
