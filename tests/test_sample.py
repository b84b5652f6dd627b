"""The committed sample is what its script makes, and damaged enough to be worth restoring."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from vidrestore.degradation.film import soften
from vidrestore.evaluation.image import edge_energy_ratio, psnr
from vidrestore.types import FloatArray

pytest.importorskip("skimage", reason="the script draws scikit-image's portrait")

from samples import make_old_film

_SAMPLE = Path(__file__).parents[1] / "samples" / "old_film.mp4"
_SOME_FRAMES = (0, 60, 100, 149)


@pytest.fixture(scope="module")
def film() -> make_old_film.OldFilm:
    return make_old_film.OldFilm()


@pytest.fixture(scope="module")
def decoded() -> list[FloatArray]:
    with av.open(str(_SAMPLE)) as container:
        return [
            frame.to_ndarray(format="rgb24").astype(np.float32) / 255 for frame in container.decode(video=0)
        ]


def test_the_sample_is_short_and_small_and_has_sound_all_along() -> None:
    assert _SAMPLE.stat().st_size < 2_000_000
    with av.open(str(_SAMPLE)) as container:
        (video,), (audio,) = container.streams.video, container.streams.audio
        assert video.duration is not None
        assert audio.duration is not None
        seconds = float(video.duration * video.time_base)
        assert seconds >= 5
        assert float(audio.duration * audio.time_base) == pytest.approx(seconds, abs=0.05)
        assert (video.width, video.height) == (make_old_film.WIDTH, make_old_film.HEIGHT)
        assert video.average_rate == make_old_film.FRAME_RATE


def test_the_script_makes_the_committed_frames(
    film: make_old_film.OldFilm, decoded: list[FloatArray]
) -> None:
    assert len(decoded) == make_old_film.FRAMES
    for index in _SOME_FRAMES:
        assert psnr(decoded[index], film.aged(index)) > 29, f"frame {index}"


def test_a_neighbouring_frame_or_another_seed_would_be_noticed(
    film: make_old_film.OldFilm, decoded: list[FloatArray]
) -> None:
    assert psnr(decoded[60], film.aged(61)) < 28
    assert psnr(decoded[60], make_old_film.OldFilm(seed=2).aged(60)) < 28


def test_the_truth_lines_up_with_the_sample_and_is_sharper(
    film: make_old_film.OldFilm, decoded: list[FloatArray]
) -> None:
    for index in (30, 60):
        truth = film.new(index)
        assert 22 < psnr(decoded[index], truth) < 31
        soft = soften(truth, 1.35, 3.0)
        assert edge_energy_ratio(soft, truth) < 0.5
        for shift in (-2, 2):
            assert psnr(decoded[index], np.roll(truth, shift, axis=1)) < psnr(decoded[index], truth)


def test_the_written_truth_loses_nothing_and_has_the_samples_timing(
    film: make_old_film.OldFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_old_film, "FRAMES", 4)
    path = tmp_path / "truth.mkv"
    make_old_film.write_truth(film, path)
    with av.open(str(path)) as container, av.open(str(_SAMPLE)) as sample:
        for index, (frame, aged) in enumerate(
            zip(container.decode(video=0), sample.decode(video=0), strict=False)
        ):
            truth = film.new(index)
            assert psnr(frame.to_ndarray(format="rgb24").astype(np.float32) / 255, truth) > 50
            assert frame.time == pytest.approx(aged.time, abs=0.001)
    assert index == 3


def test_there_is_one_cut_and_motion_before_and_after(film: make_old_film.OldFilm) -> None:
    cut = make_old_film.CUT
    across = np.abs(film.new(cut) - film.new(cut - 1)).mean()
    before = np.abs(film.new(cut - 1) - film.new(cut - 2)).mean()
    after = np.abs(film.new(cut + 1) - film.new(cut)).mean()
    assert across > 3 * max(before, after)
    assert min(before, after) > 0.002
