"""Code and documents use the field's terms, not the project's old private vocabulary.

docs/glossary.md has the words to use instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REPLACEMENTS = {
    r"rooms?": "stage, package, margin, space",
    r"hands": "worker pool, threads",
    r"lanes?": "worker",
    r"mended": "repaired",
    r"begun": "started",
    r"anew": "again",
    r"told": "reported, given, distinguished",
    r"hastens?": "optimize",
    r"frayed|frays": "fragmented",
    r"reckoned": "estimated, calculated",
    r"verdict": "quality estimate",
    r"quickened": "optimized",
    r"kept_only": "train_mend_head_only",
    r"(?:laid|lays?|laying) back": "composited",
    r"laid over": "composited, blended",
    r"(?:go|goes|going|gone|went) on with": "resume, continue",
    r"lies? beside": "name the thing",
    r"wish(?:es)?": "settings, request",
    r"sittings?": "runs",
}
"""Banned words, as regular expressions of whole words, and what to write instead."""
BANNED = re.compile(rf"\b({'|'.join(REPLACEMENTS)})\b", flags=re.IGNORECASE)

PLACES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CODE_OF_CONDUCT.md",
    "CHANGELOG.md",
    "docs",
    "configs",
    "benchmarks",
    "samples",
    "tests",
    "vidrestore",
    ".ci",
    ".github",
)
CHECKED = {".py", ".md", ".yaml", ".yml", ".html", ".js", ".jsx", ".sh", ".toml"}
PLAIN_SENSE = {
    # The name of a layer in older weights.
    "vidrestore/daefr/checkpoint.py": {"verdict"},
}
"""Files that use a banned word in a sense that is meant."""


def files() -> Iterator[Path]:
    for place in PLACES:
        path = ROOT / place
        found = [path] if path.is_file() else path.rglob("*")
        for file in sorted(found):
            if (file.suffix in CHECKED or file.name == "run") and file != Path(__file__):
                yield file


def test_there_are_files_to_check() -> None:
    assert len(list(files())) > 150


@pytest.mark.parametrize("file", list(files()), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_word_of_the_old_vocabulary(file: Path) -> None:
    allowed = PLAIN_SENSE.get(file.relative_to(ROOT).as_posix(), set())
    found = [
        f"line {number}: {match.group()}"
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        for match in BANNED.finditer(line)
        if match.group().lower() not in allowed
    ]
    assert not found, f"{file.name}: {', '.join(found)}; see docs/glossary.md"
