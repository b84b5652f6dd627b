"""What a preview shows is the frame of a run, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vidrestore
from tests.support.films import film_pictures, make_film
from tests.support.footage import Footage, interlaced, make_footage
from tests.support.jobs import frames_of, names_in
from vidrestore import InputError, UsageError
from vidrestore.jobs.preview import MAX_TIMES, Previewer, Variant
from vidrestore.settings import make_settings
from vidrestore.types import Frame

pytestmark = pytest.mark.slow

FACES = (range(8, 30),)


def assert_same(shown: Frame, run: Frame) -> None:
    for p, q in zip(shown.planes, run.planes, strict=True):
        assert np.array_equal(p, q)


def restored(source: Path, target: Path, **settings: Any) -> list[Frame]:
    vidrestore.restore(source, target, codec="ffv1", device="cpu", **settings)
    return frames_of(target)


@pytest.mark.parametrize("fidelity", ["auto", 0])
def test_a_preview_equals_the_frame_of_a_run(tmp_path: Path, fidelity: str | float) -> None:
    source = make_film(tmp_path / "in.mkv", 36, FACES)
    run, original = restored(source, tmp_path / "out.mkv", fidelity=fidelity), frames_of(source)
    times = [18 / 25, 11.5 / 25]
    previews = vidrestore.preview(source, times, device="cpu", fidelity=fidelity)
    assert [preview.index for preview in previews] == [18, 11]
    for preview in previews:
        (cell,) = preview.cells
        assert preview.faces
        assert_same(preview.before, original[preview.index])
        assert_same(cell.after, run[preview.index])
        assert not np.array_equal(cell.after.planes[0], preview.before.planes[0])
    assert names_in(tmp_path) == ["in.mkv", "out.mkv"]


def test_each_preview_variant_of_an_interlaced_video_equals_the_run(tmp_path: Path) -> None:
    pictures = interlaced(film_pictures(60, (range(20, 50),)))
    source = make_footage(tmp_path / "in.mkv", pictures, Footage(field_order=2))
    variants = [Variant(fidelity="auto", strength=s, grain=g) for s, g in ((1.0, "auto"), (0.4, 0.5))]
    (preview,) = vidrestore.preview(source, 17 / 25, start=0.2, device="cpu", variants=variants)
    for number, (cell, variant) in enumerate(zip(preview.cells, variants, strict=True)):
        run = restored(
            source, tmp_path / f"{number}.mkv", start=0.2, strength=variant.strength, grain=variant.grain
        )
        assert_same(cell.after, run[preview.index])
        assert not np.array_equal(cell.after.planes[0], preview.before.planes[0])


def test_another_strength_of_a_preview_does_not_run_the_networks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_film(tmp_path / "in.mkv", 12, (range(12),))
    previewer = Previewer(source, [0.2], make_settings(device="cpu", fidelity=1))
    (full,) = previewer.show([Variant(fidelity=1, strength=1, grain="auto")])
    monkeypatch.setattr("vidrestore.jobs.preview._restored_items", lambda *_: pytest.fail("restored again"))
    (half,) = previewer.show([Variant(fidelity=1, strength=0.5, grain="auto")])
    changes = [abs(p.cells[0].after.planes[0].astype(int) - p.before.planes[0]).sum() for p in (half, full)]
    assert 0.4 < changes[0] / changes[1] < 0.6


def test_the_last_frame_is_shown_and_a_time_behind_it_refused(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", 12, (range(12),))
    (preview,) = vidrestore.preview(source, 11.9 / 25, device="cpu", fidelity=1)
    assert preview.index == 11
    with pytest.raises(InputError, match="no frame at 3 s"):
        vidrestore.preview(source, 3, device="cpu", fidelity=1)


def test_what_cannot_be_previewed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pipe"):
        vidrestore.preview("-", 1)
    with pytest.raises(UsageError, match="times"):
        vidrestore.preview(tmp_path / "in.mkv", [1.0] * (MAX_TIMES + 1))
