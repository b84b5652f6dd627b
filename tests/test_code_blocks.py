"""The code blocks of README.md and of docs/: Python runs, and every command line is one that exists."""

from __future__ import annotations

import re
import shlex
from fractions import Fraction
from pathlib import Path

import click
import numpy as np
import pytest
import typer

from tests.support.clips import Clip, make_clip
from vidrestore.cli import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CLIP = Clip(frames=92, size=(64, 64), rate=Fraction(1))
"""As long as the latest time that a block asks for, at one frame a second."""


def blocks(language: str) -> list[tuple[str, str]]:
    """(document and line, text) of each fenced block."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 1
            found.append((f"{document.relative_to(ROOT).as_posix()}:{line}", match.group(1)))
    return found


def command_lines() -> list[tuple[str, str]]:
    """Each call of vidrestore in a shell block; a pipe is several."""
    found = []
    for place, text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            parts = re.split(r"\s(?:\||&&)\s", line.partition(" #")[0])
            calls = [part.strip() for part in parts if re.match(r"\s*(\S*/)?vidrestore\s", part)]
            found += [(place, call) for call in calls]
    return found


def parse(words: list[str]) -> None:
    """Reads a command line as the program does, and runs nothing. Raises click's errors of usage."""
    command = typer.main.get_command(app)
    context = command.make_context("vidrestore", list(words))
    while isinstance(command, click.Group) or hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        context = command.make_context(name, rest, parent=context)


def test_the_documents_have_python_blocks_and_command_lines() -> None:
    assert len(blocks("python")) >= 2
    assert len(command_lines()) > 20


@pytest.mark.parametrize(("place", "line"), command_lines(), ids=lambda value: value[:60])
def test_every_command_line_of_the_documents_can_be_read(place: str, line: str) -> None:
    words = shlex.split(re.sub(r"\d?>\s*\S+", "", line))[1:]  # without redirections
    try:
        parse(words)
    except Exception as error:  # whichever click typer carries
        pytest.fail(f"{place}: {line}: {error}")


def test_a_command_line_that_does_not_exist_is_noticed() -> None:
    for line in ("restore a.mp4 b.mp4 --no-such-option", "repair a.mp4", "restore a.mp4"):
        with pytest.raises(Exception, match=r"(?i)no such|missing"):
            parse(line.split())


@pytest.mark.parametrize(("place", "text"), blocks("python"), ids=[place for place, _ in blocks("python")])
def test_python_blocks_run(place: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder with a short clip under the name that the documents use, and a `picture`."""
    if "import vapoursynth" in text:
        pytest.importorskip("vapoursynth", reason="an extra: vidrestore[vapoursynth]")
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "old.mp4", CLIP)
    picture = np.random.default_rng(1).integers(0, 255, (96, 96, 3), np.uint8)
    exec(compile(text, place, "exec"), {"picture": picture})
