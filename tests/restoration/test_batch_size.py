"""How many faces at a time, and how many frames wait for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.clips import make_clip
from tests.support.frames import FORMATS
from vidrestore.restoration import BatchSizes, choose_batch_sizes
from vidrestore.types import VideoInfo
from vidrestore.video import probe


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> VideoInfo:
    return probe(make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4"))


def sized(clip: VideoInfo, width: int, height: int, pixels: str = "yuv420p") -> VideoInfo:
    return replace(clip, width=width, height=height, pixel_format=FORMATS[pixels])


@pytest.mark.parametrize(
    ("width", "height", "pixels", "held"),
    [
        (640, 480, "yuv420p", 32),
        (1920, 1080, "yuv420p", 32),
        (3840, 2160, "yuv420p", 16),
        (3840, 2160, "yuv422p10le", 6),
        (30000, 20000, "yuv444p", 1),
    ],
)
def test_fewer_frames_wait_the_larger_they_are(
    clip: VideoInfo, width: int, height: int, pixels: str, held: int
) -> None:
    batches = choose_batch_sizes(sized(clip, width, height, pixels), device="cpu", size=256, workers=2)
    assert batches == BatchSizes(faces=4, frames=held)


def test_frames_enough_wait_for_every_worker_to_have_a_batch(clip: VideoInfo) -> None:
    small = sized(clip, 640, 480)
    assert choose_batch_sizes(small, device="cuda", size=512, workers=2) == BatchSizes(faces=16, frames=48)
    assert choose_batch_sizes(small, device="cuda", size=256, workers=2) == BatchSizes(faces=32, frames=96)
    assert choose_batch_sizes(small, device="cpu", size=256, workers=4, faces=20) == BatchSizes(
        faces=20, frames=100
    )


def test_on_a_gpu_large_frames_make_batches_smaller_and_no_worker_idle(clip: VideoInfo) -> None:
    assert choose_batch_sizes(sized(clip, 3840, 2160), device="cuda", size=256, workers=2) == BatchSizes(
        faces=12, frames=36
    )
    huge = sized(clip, 30000, 20000, "yuv444p")
    assert choose_batch_sizes(huge, device="cuda", size=256, workers=2) == BatchSizes(faces=4, frames=1)


def test_a_users_own_number_of_faces_stays(clip: VideoInfo) -> None:
    assert (
        choose_batch_sizes(sized(clip, 3840, 2160), device="cuda", size=512, workers=2, faces=48).faces == 48
    )


@pytest.mark.parametrize(
    ("gigabytes", "workers", "bytes_per_number", "expected"),
    [(80, 2, 2, 16), (8, 2, 2, 16), (4, 2, 2, 8), (4, 1, 2, 16), (4, 1, 4, 8), (0.1, 1, 2, 1)],
)
def test_batches_fit_into_the_free_memory_of_a_gpu(
    clip: VideoInfo, gigabytes: float, workers: int, bytes_per_number: int, expected: int
) -> None:
    batches = choose_batch_sizes(
        sized(clip, 640, 480),
        device="cuda",
        size=512,
        workers=workers,
        free_bytes=int(gigabytes * 2**30),
        bytes_per_number=bytes_per_number,
    )
    assert batches.faces == expected


def test_batches_on_a_gpu_stay_below_the_index_limit_of_its_convolutions(
    clip: VideoInfo, caplog: pytest.LogCaptureFixture
) -> None:
    faces = choose_batch_sizes(sized(clip, 640, 480), device="cuda", size=512, workers=2, faces=64).faces
    assert faces == 63
    assert faces * 512**2 * 128 < 2**31
    assert "too many for a GPU; using 63" in caplog.text
