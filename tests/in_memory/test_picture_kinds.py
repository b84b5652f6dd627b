"""Arrays, tensors, PyAV's pictures and planes come back in kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import vidrestore
from vidrestore.colour.arrays import array_from_frame, frame_from_array
from vidrestore.in_memory.pictures import kind_of
from vidrestore.video import probe, read_frames

SAMPLE = Path(__file__).parents[2] / "samples" / "old_film.mp4"


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3), (6, 5, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_an_array_survives_conversion_into_a_frame_and_back(shape: tuple[int, ...], dtype: type) -> None:
    rng = np.random.default_rng(0)
    values = rng.random(shape, np.float32)
    picture = values if dtype == np.float32 else (values * np.iinfo(dtype).max).astype(dtype)
    frame = frame_from_array(picture, index=3, frame_rate=Fraction(30000, 1001))
    back = array_from_frame(frame, picture, frame)
    assert back.dtype == dtype
    assert np.array_equal(back, picture)
    assert frame.seconds == pytest.approx(3 * 1001 / 30000)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u2", "f4"])
def test_samples_may_have_either_order_of_bytes(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]], kind: str, order: str
) -> None:
    dtype = np.dtype(order + kind)
    picture = (pictures[0] / 255 * (1 if kind == "f4" else 65535)).astype(kind)
    expected = restorer.image(picture).picture
    result = restorer.image(picture.astype(dtype)).picture
    assert result.dtype == dtype
    assert np.array_equal(result, expected)
    crop = picture[100:300, 200:400]
    (aligned,) = restorer.aligned([crop.astype(dtype)])
    assert aligned.dtype == dtype
    assert np.array_equal(aligned, restorer.aligned([crop])[0])


def test_tensors_come_back_as_tensors_with_the_same_values(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    expected = [result.picture for result in restorer.frames(pictures[:3])]
    tensors = [torch.from_numpy(picture) for picture in pictures[:3]]
    results = [result.picture for result in restorer.frames(tensors)]
    assert all(isinstance(result, torch.Tensor) for result in results)
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(expected, results, strict=True))
    single = restorer.image(tensors[0].float().div(255).requires_grad_()).picture
    assert (single.dtype, tuple(single.shape)) == (torch.float32, pictures[0].shape)
    with pytest.raises(vidrestore.UsageError, match=r"torch\.bfloat16"):
        restorer.image(tensors[0].to(torch.bfloat16))


@pytest.mark.parametrize(
    "name",
    [
        "yuv420p",
        "yuv422p10le",
        "nv12",
        "rgb24",
        "gray16be",
        "yuv420p10be",
        "gbrp10be",
        "x2rgb10le",
        "yuvj420p",
    ],
)
def test_pictures_of_pyav_keep_format_time_and_colour_and_every_sample_away_from_faces(
    restorer: vidrestore.Restorer, name: str
) -> None:
    with av.open(str(SAMPLE)) as container:
        found = [frame.reformat(format=name) for frame in islice(container.decode(video=0), 3)]
    results = list(restorer.frames(found, frame_rate=Fraction(24000, 1001)))
    for before, result in zip(found, results, strict=True):
        after = result.picture
        assert isinstance(after, av.VideoFrame)
        assert (after.format.name, after.width, after.height) == (name, 640, 480)
        assert (after.pts, after.time_base) == (before.pts, before.time_base)
        assert (after.colorspace, after.color_range) == (before.colorspace, before.color_range)
        assert 0.02 < result.mask.mean() < 0.3
        old, new = (kind_of(item).to_frame(item, 0, Fraction(25)) for item in (before, after))
        right, down = old.format.chroma_shift
        for plane, (one, other) in enumerate(zip(old.planes, new.planes, strict=True)):
            changed = one != other
            assert changed.any()
            size = (1 << down, 1 << right) if plane and old.format.family == "yuv" else (1, 1)
            spread = np.kron(changed, np.ones(size, bool))[:480, :640]
            assert not (spread & ~result.mask).any()


@pytest.mark.parametrize(
    ("name", "planar"), [("rgb565le", "gbrp"), ("rgb555le", "gbrp"), ("pal8", "gbrp"), ("monow", "gray")]
)
def test_pictures_of_pyav_with_less_than_eight_bits_come_back_planar(name: str, planar: str) -> None:
    picture = av.VideoFrame(64, 48, name)
    for stored in picture.planes:
        stored.update(bytes(stored.buffer_size))
    kind = kind_of(picture)
    before = kind.to_frame(picture, 0, Fraction(25))
    after = replace(before, planes=tuple(255 - plane for plane in before.planes))
    result = kind.from_frame(after, picture, before)
    assert result.format.name == planar
    again = kind.to_frame(result, 0, Fraction(25))
    assert all(np.array_equal(one, other) for one, other in zip(again.planes, after.planes, strict=True))
    assert kind.from_frame(before, picture, before) is picture


@pytest.mark.parametrize("name", ["gbrpf32le", "gbrapf32le", "grayf32le", "gbrpf32be", "grayf16le"])
def test_a_picture_of_pyav_with_floats_is_refused_with_the_kind_that_takes_them(
    restorer: vidrestore.Restorer, name: str
) -> None:
    picture = av.VideoFrame(64, 48, name)
    with pytest.raises(
        vidrestore.UsageError, match=rf"\({name}\) .*; pass a NumPy array of float32 in 0\.\.1$"
    ):
        restorer.image(picture)
    with pytest.raises(vidrestore.UsageError, match="NumPy array of float32"):
        list(restorer.frames([picture]))


def test_planes_of_any_depth_are_frames_and_come_back_with_their_times(
    restorer: vidrestore.Restorer,
) -> None:
    info = probe(SAMPLE)
    frames = list(islice(read_frames(SAMPLE, info), 3))
    results = list(restorer.frames(replace(frame, index=frame.index + 7) for frame in frames))
    for before, result in zip(frames, results, strict=True):
        after = result.picture
        assert isinstance(after, vidrestore.Frame)
        assert (after.index, after.pts, after.time_base) == (before.index + 7, before.pts, before.time_base)
        assert (after.format, after.colour) == (before.format, before.colour)
        assert np.array_equal(after.planes[0][~result.mask], before.planes[0][~result.mask])


def test_kinds_cannot_be_mixed_and_others_are_refused(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    with pytest.raises(vidrestore.UsageError, match="picture 1 is"):
        list(restorer.frames([pictures[0], torch.from_numpy(pictures[0][:100])]))
    for other in ("photo.jpg", b"", None):
        with pytest.raises(vidrestore.UsageError, match=r"a picture is a NumPy array, .* got builtins"):
            restorer.image(other)


class Exported:
    """An array of another library, on a device of DLPack."""

    def __init__(self, device: int) -> None:
        self._device = device

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device, 0

    def __dlpack__(self, **_: object) -> object:
        raise AssertionError("the picture is not fetched before the caller says how")


@pytest.mark.parametrize(
    ("device", "advice"), [(1, r"numpy\.from_dlpack"), (2, r"torch\.from_dlpack"), (8, r"torch\.from_dlpack")]
)
def test_arrays_of_other_libraries_are_refused_with_the_call_that_takes_them(
    restorer: vidrestore.Restorer, device: int, advice: str
) -> None:
    with pytest.raises(vidrestore.UsageError, match=advice):
        restorer.image(Exported(device))


def test_a_tensor_on_the_cpu_is_read_where_it_is() -> None:
    tensor = torch.arange(48, dtype=torch.uint8).reshape(6, 8)
    frame = kind_of(tensor).to_frame(tensor, 0, Fraction(25))
    assert frame.planes[0].ctypes.data == tensor.data_ptr()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: torch.empty(8, 6, 3, device="meta"), "on meta"),
        (lambda: torch.zeros(8, 6, 3).to_sparse(), "sparse"),
        (lambda: torch.zeros(8, 6, 3, dtype=torch.complex64), "complex64"),
        (lambda: torch.zeros(8, 6, 3, dtype=torch.float16), "float16"),
        (lambda: torch.zeros(3, 8, 6), r"\(3, 8, 6\)"),
    ],
    ids=["without data", "sparse", "complex", "half", "channels first"],
)
def test_tensors_that_are_no_pictures_are_refused_with_a_reason(
    restorer: vidrestore.Restorer, make: Callable[[], torch.Tensor], sentence: str
) -> None:
    with pytest.raises(vidrestore.UsageError, match=sentence):
        restorer.image(make())


def test_a_tensor_comes_back_to_its_device(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a GPU: which device the result is sent to."""
    sent: list[torch.device] = []
    to = torch.Tensor.to

    def recorded(tensor: torch.Tensor, *where: Any, **how: Any) -> torch.Tensor:
        if where and isinstance(where[0], torch.device) and tensor.dtype == torch.uint8:
            sent.append(where[0])
        return to(tensor, *where, **how)

    monkeypatch.setattr(torch.Tensor, "to", recorded)
    assert restorer.image(torch.from_numpy(pictures[0])).picture.device == torch.device("cpu")
    assert sent[-1] == torch.device("cpu")
