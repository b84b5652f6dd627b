"""The documents agree with the code, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.scripts import load_script
from vidrestore.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
SIZE_LIMITS = {"README.md": 6 * 1024, "CONTRIBUTING.md": 5 * 1024}


def test_the_settings_page_is_what_the_script_generates() -> None:
    module = load_script("docs/generate.py")
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == module.settings_page(), "run python docs/generate.py"


def test_the_settings_page_lists_every_setting_once() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
    assert sorted(listed) == sorted(Settings.model_fields)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_in_the_pages_lead_to_pages(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        linked = page.parent / target
        assert linked.exists(), f"{page.name} links to {target}"
        assert linked.resolve().is_relative_to(ROOT / "docs"), f"{page.name} links out of docs/: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_named_in_the_pages_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(
        r"`((?:vidrestore|benchmarks|configs|tests|samples)/[\w./]+\.(?:py|yaml|md))`", text
    ):
        assert (ROOT / name).exists(), f"{page.name} names {name}"


@pytest.mark.parametrize("document", sorted(SIZE_LIMITS))
def test_the_first_documents_stay_short(document: str) -> None:
    assert (ROOT / document).stat().st_size <= SIZE_LIMITS[document]


def test_the_site_has_every_page() -> None:
    listed = set(re.findall(r"(\w[\w-]*\.md)", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert {page.name for page in PAGES} <= listed


def test_sections_of_the_specification_that_docstrings_cite_exist() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "daefr.md").read_text(encoding="utf-8"), flags=re.M)
    cited: set[str] = set()
    for file in (ROOT / "vidrestore").rglob("*.py"):
        for names in re.findall(r'docs/daefr\.md((?:,\s+"[^"]+")+)', file.read_text(encoding="utf-8")):
            cited |= {" ".join(name.split()) for name in re.findall(r'"([^"]+)"', names)}
    assert len(cited) > 5
    assert cited <= set(headings)


def test_the_readmes_command_runs_the_slow_tests_too() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = readme.partition("<!-- ci: test -->")[2].partition("<!-- /ci -->")[0]
    assert 'python -m pytest -m "" -n auto\n' in command, "without -m, CI would run no slow test"
