"""`vidrestore preview` writes a sheet with the commands to paste."""

from __future__ import annotations

import io
import shlex
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidrestore.cli import main
from vidrestore.colour.arrays import frame_from_array
from vidrestore.jobs.preview import Preview, PreviewCell, Variant
from vidrestore.types import TrackedFace


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the command asks for; it gets a grey picture that is lighter by strength."""
    calls: dict[str, Any] = {}

    def preview(
        input: Path, at: Sequence[float], *, variants: Sequence[Variant], **settings: Any
    ) -> tuple[Preview, ...]:
        calls.update(input=input, at=at, variants=variants, settings=settings)
        points = np.array([[30, 30], [50, 30], [40, 40], [32, 50], [48, 50]], np.float32)
        face = TrackedFace(
            track_id=0, box=np.array([20, 20, 60, 60], np.float32), landmarks=points, score=1, observed=True
        )
        cells = tuple(
            PreviewCell(variant=v, after=frame_from_array(_grey(100 + int(100 * v.strength))), drawn=0.25)
            for v in variants
        )
        before = frame_from_array(_grey(80), frame_rate=Fraction(25))
        return tuple(Preview(at=t, index=7, before=before, faces=(face,), cells=cells) for t in at)

    monkeypatch.setattr("vidrestore.api.preview", preview)
    return calls


def _grey(value: int) -> np.ndarray[Any, Any]:
    return np.full((96, 128, 3), value, np.uint8)


def test_the_page_has_a_picture_and_a_command_for_each_variant(asked: dict[str, Any], tmp_path: Path) -> None:
    page = tmp_path / "look.html"
    words = [
        "preview",
        "in a.mp4",
        "--at",
        "1:30",
        "--at",
        "2",
        "--fidelity",
        "auto,1",
        "--strength",
        "1,0.5",
    ]
    assert main([*words, "--faces", "0,2", "-o", str(page)]) == 0
    assert asked["at"] == [90.0, 2.0]
    assert len(asked["variants"]) == 4
    text = page.read_text()
    assert text.count("<figure>") == 2 * 5
    assert "http" not in text
    command = text.split("<code>")[2].split("</code>")[0].replace("&#x27;", "'")
    restoring = shlex.split(command)
    assert restoring[:4] == ["vidrestore", "restore", "in a.mp4", "in a-restored.mp4"]
    assert restoring[4:] == ["--fidelity", "auto", "--strength", "0.5", "--grain", "auto", "--faces", "0,2"]
    before = page.stat().st_mtime_ns
    assert main([*words, "-o", str(page), "-q"]) == 0, "an earlier sheet is replaced"
    assert page.stat().st_mtime_ns > before


def test_the_picture_shows_every_variant(asked: dict[str, Any], tmp_path: Path) -> None:
    sheet = tmp_path / "look.png"
    assert main(["preview", "in.mp4", "--at", "2", "-o", str(sheet)]) == 0
    picture = np.asarray(Image.open(io.BytesIO(sheet.read_bytes())))
    assert len(asked["variants"]) == 8
    shown = {int(value) for value in np.unique(picture[:, :, 0])}
    assert {80, 160, 200} <= {value + d for value in shown for d in (-1, 0, 1)}
    assert main(["preview", "in.mp4", "--at", "2", "-o", str(sheet), "-q"]) == 0


@pytest.mark.parametrize("options", [[], ["--faces", "like:look.png"]])
def test_a_preview_sheet_is_not_replaced_if_it_is_also_an_input(
    asked: dict[str, Any], options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["preview", "in.mp4", "--at", "2", "-o", "look.png", "-q"]) == 0
    asked.clear()
    source = "in.mp4" if options else "look.png"
    assert main(["preview", source, "--at", "0", "-o", "look.png", *options]) == 2
    assert asked == {}


@pytest.mark.parametrize(
    "words",
    [
        ["--at", "2", "-o", "look.txt"],
        ["--at", "x", "-o", "look.png"],
        ["--at=-1", "-o", "look.png"],
        ["--at", "1e400", "-o", "look.png"],
        ["--at", "2", "--strength", "1,2", "-o", "look.png"],
        ["--at", "2", "-o", "photo.png"],
    ],
)
def test_invalid_preview_options_are_refused_before_any_work(
    asked: dict[str, Any],
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    assert main(["preview", "in.mp4", *words]) == 2
    assert "error: " in capsys.readouterr().err
    assert asked == {}
    assert (tmp_path / "photo.png").read_bytes() == b"\x89PNG"


@pytest.mark.parametrize(
    ("time", "sentence"),
    [
        ("-1", "at must be at least 0 seconds, the time of the first frame, got -1.0"),
        ("x", "--at: a time is written as seconds (12.5) or HH:MM:SS.mmm (00:01:30.250), got 'x'"),
    ],
)
def test_an_invalid_time_of_a_preview_is_named_by_its_own_option(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str], time: str, sentence: str
) -> None:
    assert main(["preview", "in.mp4", f"--at={time}", "-o", "look.png"]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert asked == {}
