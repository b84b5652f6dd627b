"""Pictures in memory are restored by a Restorer that loads its networks once."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import vidrestore
from vidrestore.colour.arrays import array_from_frame, frame_from_array
from vidrestore.in_memory.pictures import kind_of
from vidrestore.video import probe, read_frames

SAMPLE = Path(__file__).parents[1] / "samples" / "old_film.mp4"


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch computes in one thread: with more, the order of additions depends on batch and thread."""
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(usual)


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    with av.open(str(SAMPLE)) as container:
        frames = container.decode(video=0)
        return [next(frames).to_ndarray(format="rgb24") for _ in range(5)]


@pytest.fixture(scope="module")
def restorer() -> Iterator[vidrestore.Restorer]:
    with vidrestore.Restorer(device="cpu") as result:
        yield result


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3), (6, 5, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_picture_survives_the_way_into_a_frame_and_back(shape: tuple[int, ...], dtype: type) -> None:
    rng = np.random.default_rng(0)
    values = rng.random(shape, np.float32)
    picture = values if dtype == np.float32 else (values * np.iinfo(dtype).max).astype(dtype)
    frame = frame_from_array(picture, index=3, frame_rate=Fraction(30000, 1001))
    back = array_from_frame(frame, picture, frame)
    assert back.dtype == dtype
    assert np.array_equal(back, picture)
    assert frame.seconds == pytest.approx(3 * 1001 / 30000)


def test_a_picture_has_its_faces_restored_and_nothing_else_changed(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    result = restorer.image(pictures[0])
    assert result.picture.shape == pictures[0].shape
    assert result.picture.dtype == np.uint8
    (face,) = result.faces
    assert 0 <= face.drawn <= 1
    assert face.crop_before.shape == face.crop_after.shape == (256, 256, 3)
    assert 0.02 < result.mask.mean() < 0.3
    assert np.array_equal(result.picture[~result.mask], pictures[0][~result.mask])
    assert (result.picture != pictures[0])[result.mask].any(axis=-1).all()


def test_floats_keep_their_very_values_away_from_faces(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    picture = (pictures[0] / 255.0 * 0.9 + 0.0123).astype(np.float32)
    result = restorer.image(picture)
    assert result.picture.dtype == np.float32
    assert np.array_equal(result.picture[~result.mask], picture[~result.mask])


def test_the_same_picture_gives_the_same_result_again(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    first, second = (restorer.image(pictures[1]).picture for _ in range(2))
    assert np.array_equal(first, second)


def test_a_stream_gives_one_picture_for_each_in_order_with_steady_track_ids(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    results = list(restorer.frames(iter(pictures), frame_rate=25))
    assert len(results) == len(pictures)
    assert {tuple(face.track_id for face in result.faces) for result in results} == {(0,)}
    for picture, result in zip(pictures, results, strict=True):
        assert np.array_equal(result.picture[~result.mask], picture[~result.mask])


def test_a_stream_may_be_left_early(restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]) -> None:
    stream = restorer.frames(pictures * 20)
    assert next(stream).picture.shape == pictures[0].shape
    stream.close()
    assert restorer.image(pictures[0]).faces


def test_a_stream_may_go_on_in_another_thread(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    stream = restorer.frames([picture[::2, ::2] for picture in pictures * 20])
    results: list[object] = []

    def in_a_thread(work: Callable[[], object]) -> None:
        thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
        thread.start()
        thread.join(120)

    in_a_thread(lambda: next(stream))
    results.append(next(stream))
    in_a_thread(lambda: restorer.image(pictures[0][::2, ::2]))  # beside a stream that is still open
    in_a_thread(stream.close)
    results.append(restorer.image(pictures[0][::2, ::2]))
    assert [isinstance(result, vidrestore.Restored) for result in results] == [True, True, True, False, True]


@pytest.mark.usefixtures("one_thread")
def test_a_stream_may_be_of_what_the_same_restorer_made(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    small = [picture[::2, ::2] for picture in pictures]
    alone = [restorer.image(picture).picture for picture in small]
    made: list[NDArray[np.uint8]] = []

    def make() -> Iterator[NDArray[np.uint8]]:
        for picture in small:
            made.append(restorer.image(picture).picture)
            yield made[-1]

    count: list[int] = []
    thread = threading.Thread(target=lambda: count.append(len(list(restorer.frames(make())))), daemon=True)
    thread.start()
    thread.join(300)
    assert count == [len(small)]
    assert all(np.array_equal(one, other) for one, other in zip(made, alone, strict=True))


def test_an_open_stream_leaves_the_number_of_threads_of_its_caller(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        stream = restorer.frames([picture[::2, ::2] for picture in pictures * 20])
        next(stream)
        assert torch.get_num_threads() == 2
        thread = threading.Thread(target=stream.close, daemon=True)
        thread.start()
        thread.join(120)
        assert not thread.is_alive()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(usual)


def test_aligned_faces_may_come_from_a_stream_of_what_the_same_restorer_made(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    """The restorer is not locked while it reads the caller's iterator, whose threads may use it."""
    small = [picture[::2, ::2] for picture in pictures[:2]]

    def faces() -> Iterator[NDArray[np.float32]]:
        for result in restorer.frames(restorer.image(picture).picture for picture in small):
            yield from (face.crop_before for face in result.faces)

    count: list[int] = []
    thread = threading.Thread(target=lambda: count.append(len(restorer.aligned(faces()))), daemon=True)
    thread.start()
    thread.join(300)
    assert count == [2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_is_refused_in_a_sentence(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    """Threads do not survive a fork: the child waited for them forever."""
    small = pictures[0][::2, ::2]
    restorer.image(small)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(60)
            for use in (restorer.image, lambda picture: restorer.frames([picture]), restorer.aligned):
                try:
                    use(small)
                except vidrestore.UsageError as error:
                    os.write(writer, f"{error}\n".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as lines:
        sentences = lines.read().splitlines()
    os.waitpid(child, 0)
    assert sentences == ["this Restorer belongs to another process; create one in each process"] * 3


def test_a_restorer_is_not_sent_to_another_process(restorer: vidrestore.Restorer) -> None:
    with pytest.raises(vidrestore.UsageError, match="create one in each process"):
        pickle.dumps(restorer)


def test_results_are_compared_by_identity_and_can_be_sent(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    one, other = (restorer.image(pictures[0]) for _ in range(2))
    assert one == one
    assert one != other
    assert one.faces[0] != other.faces[0]
    assert one.before_and_after[0] != other.before_and_after[0]
    assert len({one, other, one.faces[0], one.before_and_after[0]}) == 4
    assert np.array_equal(pickle.loads(pickle.dumps(one)).picture, one.picture)


@pytest.mark.parametrize("rate", [25, 25.0, Fraction(25), "25", np.float32(25), np.int64(25), np.uint8(25)])
def test_a_frame_rate_is_any_number(restorer: vidrestore.Restorer, rate: Any) -> None:
    (frame,) = (
        r.before_and_after[0] for r in restorer.frames([np.zeros((8, 6, 3), np.uint8)], frame_rate=rate)
    )
    assert frame.time_base == Fraction(1, 25)


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


@pytest.mark.parametrize("rate", [0, -5, float("nan"), float("inf"), "fast", None])
def test_a_stream_without_a_frame_rate_is_refused_at_once(restorer: vidrestore.Restorer, rate: Any) -> None:
    with pytest.raises(vidrestore.UsageError, match="frame_rate is a number of pictures per second above 0"):
        restorer.frames([], frame_rate=rate)


@pytest.mark.parametrize("pictures", [None, 5, np.zeros((8, 6, 3), np.uint8), torch.zeros(8, 6, 4)])
def test_what_is_no_stream_is_refused_at_once(restorer: vidrestore.Restorer, pictures: Any) -> None:
    with pytest.raises(vidrestore.UsageError, match="frames takes"):
        restorer.frames(pictures)


def test_a_stream_of_nothing_in_particular_is_refused(restorer: vidrestore.Restorer) -> None:
    with pytest.raises(vidrestore.UsageError, match=r"got builtins\.NoneType"):
        list(restorer.frames([None]))


def test_an_empty_stream_gives_nothing(restorer: vidrestore.Restorer) -> None:
    assert list(restorer.frames([])) == []


def test_pictures_of_a_stream_must_be_alike(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    with pytest.raises(vidrestore.UsageError, match=r"picture 1 is \(100, 640, 3\)"):
        list(restorer.frames([pictures[0], pictures[1][:100]]))


@pytest.mark.usefixtures("one_thread")
def test_aligned_faces_come_back_in_kind(restorer: vidrestore.Restorer) -> None:
    rng = np.random.default_rng(1)
    crops = [
        rng.integers(0, 256, (256, 256, 3)).astype(np.uint8),
        rng.random((512, 512, 3), np.float32),
        rng.integers(0, 65536, (77, 77, 3)).astype(np.uint16),
    ]
    results = restorer.aligned(crops)
    assert [r.shape for r in results] == [c.shape for c in crops]
    assert [r.dtype for r in results] == [c.dtype for c in crops]
    with pytest.raises(vidrestore.UsageError, match="at least 16"):
        restorer.aligned([np.zeros((8, 8, 3), np.uint8)])
    with pytest.raises(vidrestore.UsageError, match=r"\(100, 90, 3\)"):
        restorer.aligned([np.zeros((100, 90, 3), np.uint8)])
    (from_a_generator,) = restorer.aligned(crop for crop in crops[:1])
    assert np.array_equal(from_a_generator, results[0])


@pytest.mark.parametrize(
    ("crops", "sentence"),
    [
        (None, "aligned takes a list of faces, got builtins.NoneType"),
        ([None], "an aligned face is a NumPy array"),
        ("faces", "an aligned face is a NumPy array"),
        (np.zeros((32, 32, 3), np.uint8), "got one array of shape"),
        ([np.full((32, 32, 3), np.nan, np.float32)], "finite numbers only"),
        ([np.full((32, 32, 3), 255, np.float32)], "numbers from 0 to 1, got 255 to 255"),
    ],
)
def test_what_is_no_aligned_face_is_refused(restorer: vidrestore.Restorer, crops: Any, sentence: str) -> None:
    with pytest.raises(vidrestore.UsageError, match=sentence):
        restorer.aligned(crops)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4), np.float64),
        np.full((4, 4), np.nan, np.float32),
        np.full((4, 4), 200, np.float32),
        np.full((4, 4), -1, np.float32),
        Image.new("RGB", (4, 4)),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(restorer: vidrestore.Restorer, picture: Any) -> None:
    with pytest.raises(vidrestore.UsageError, match="a picture"):
        restorer.image(picture)


def test_settings_that_concern_files_are_refused() -> None:
    with pytest.raises(vidrestore.UsageError, match="codec: for files only"):
        vidrestore.Restorer(codec="h264")


def test_a_closed_restorer_says_so(pictures: list[NDArray[np.uint8]]) -> None:
    restorer = vidrestore.Restorer(device="cpu", fidelity=1)
    restorer.close()
    with pytest.raises(vidrestore.UsageError, match="closed"):
        restorer.image(pictures[0])


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


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "nv12", "rgb24"])
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
def test_tensors_that_are_no_pictures_are_refused_in_a_sentence(
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


def test_a_notebook_shows_the_picture_before_and_after(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    result = restorer.image(pictures[0])
    shown = cv2.imdecode(np.frombuffer(result._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert np.array_equal(shown[..., ::-1], np.concatenate([pictures[0], result.picture], axis=1))
