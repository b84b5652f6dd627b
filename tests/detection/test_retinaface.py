"""RetinaFace finds in a batch of frames what it finds in each alone, and what facexlib's own code finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from tests.support.faces import still
from tests.support.fake_device import replace_parameters
from tests.support.memory_errors import DEVICE_ERRORS
from tests.support.motion import frame
from tests.support.shared import SHARED, needs_shared
from vidrestore.detection import detect
from vidrestore.detection.detector import PreparingDetector
from vidrestore.detection.retinaface import RetinaFaceDetector
from vidrestore.runtime.system_errors import to_system_error
from vidrestore.types import Detection, Frame

WEIGHTS = SHARED / "models" / "retinaface_mobile0.25.pth"


@pytest.fixture(scope="module")
def detector() -> RetinaFaceDetector:
    return RetinaFaceDetector("retinaface_mobile0.25", WEIGHTS, "cpu", max_side=256)


def pictures() -> list[np.ndarray]:
    """A face that moves, and a picture without any."""
    portrait = data.astronaut()[:256, 128:384]
    return [np.roll(portrait, 4 * shift, axis=1) for shift in range(3)] + [np.zeros_like(portrait)]


def assert_close(ours: tuple[Detection, ...], theirs: tuple[Detection, ...]) -> None:
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert np.allclose(one.box, other.box, atol=0.01)
        assert np.allclose(one.landmarks, other.landmarks, atol=0.01)
        assert one.score == pytest.approx(other.score, abs=1e-4)


@needs_shared
def test_a_batch_finds_what_each_picture_alone_finds(detector: RetinaFaceDetector) -> None:
    together = detector.find_all(pictures())
    assert [len(found) for found in together] == [1, 1, 1, 0]
    for found, picture in zip(together, pictures(), strict=True):
        assert_close(found, detector.find(picture))


@needs_shared
def test_detections_equal_those_of_facexlib(detector: RetinaFaceDetector) -> None:
    for picture in pictures():
        with torch.no_grad():
            rows = detector._model.detect_faces(picture[..., ::-1].copy(), conf_threshold=0.6)
        theirs = tuple(
            Detection(box=r[:4], landmarks=r[5:15].reshape(5, 2), score=float(r[4]))
            for r in np.asarray(rows).reshape(-1, 15)
        )
        assert_close(detector.find(picture), theirs)


@needs_shared
def test_prepared_frames_have_the_same_faces_and_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def moving() -> Iterator[Frame]:
        for index in range(20):
            yield frame(index, np.roll(data.astronaut()[:256, 128:384, 1], 2 * index, axis=1))

    plain = RetinaFaceDetector("retinaface_mobile0.25", WEIGHTS, "cpu", max_side=256)
    expected = [item.faces for item in detect(moving(), plain)]
    ahead = RetinaFaceDetector("retinaface_mobile0.25", WEIGHTS, "cpu", max_side=256)
    ahead.frames_ahead = 8
    assert isinstance(ahead, PreparingDetector)
    batches: list[int] = []
    find_in = ahead._find_in
    monkeypatch.setattr(ahead, "_find_in", lambda frames: batches.append(len(frames)) or find_in(frames))
    found = [item.faces for item in detect(moving(), ahead)]
    assert batches == [8, 8, 4]
    assert any(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert_close(ours, theirs)


@needs_shared
def test_threads_that_share_a_detector_find_what_each_alone_finds(detector: RetinaFaceDetector) -> None:
    several = [picture[: 256 - 32 * (index % 2)] for index, picture in enumerate(2 * pictures())]
    expected = [detector.find(picture) for picture in several]
    with ThreadPoolExecutor(4) as threads:
        for found, alone in zip(threads.map(detector.find, several), expected, strict=True):
            assert_close(found, alone)


@needs_shared
def test_pictures_of_several_sizes_are_searched_one_by_one(detector: RetinaFaceDetector) -> None:
    portrait = data.astronaut()[:256, 128:384]
    found = detector._find_in([still(portrait), still(portrait[:192])])
    assert [len(faces) for faces in found] == [1, 1]


@pytest.mark.parametrize("error", DEVICE_ERRORS)
def test_a_batch_that_does_not_fit_is_searched_one_frame_at_a_time(
    error: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("vidrestore.detection.retinaface.load_retinaface", lambda *_: nn.Identity())
    detector = RetinaFaceDetector("retinaface_mobile0.25", tmp_path, "cpu")
    batches: list[int] = []

    def rows(pictures: torch.Tensor) -> torch.Tensor:
        batches.append(len(pictures))
        if len(pictures) > 1:
            raise error()
        return torch.zeros(1, 4, 15)  # no score above the threshold

    monkeypatch.setattr(detector, "_rows", rows)
    frames = [still(np.zeros((64, 64, 3), np.uint8)) for _ in range(3)]
    assert detector._find_in(frames) == [(), (), ()]
    assert batches == [3, 1, 1, 1]


def test_a_single_frame_that_does_not_fit_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("vidrestore.detection.retinaface.load_retinaface", lambda *_: nn.Identity())
    detector = RetinaFaceDetector("retinaface_mobile0.25", tmp_path, "cpu")

    def rows(_: torch.Tensor) -> torch.Tensor:
        raise DEVICE_ERRORS[0]()

    monkeypatch.setattr(detector, "_rows", rows)
    with pytest.raises(torch.OutOfMemoryError) as caught:
        detector._find_in([still(np.zeros((64, 64, 3), np.uint8))])
    assert "there is not enough memory" in str(to_system_error(caught.value))


def test_on_a_gpu_the_detector_computes_on_its_own_stream(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On the common stream it would wait for whole batches of the restoration."""
    current, computed = ["common"], []
    waits: list[torch.device] = []

    @contextmanager
    def inside(stream: str) -> Iterator[None]:
        current.append(stream)
        yield
        current.pop()

    def rows(_: torch.Tensor) -> torch.Tensor:
        computed.append(current[-1])
        return torch.zeros(1, 4, 15)

    monkeypatch.setattr("vidrestore.detection.retinaface.load_retinaface", lambda *_: nn.Identity())
    monkeypatch.setattr(torch.cuda, "Stream", lambda _: f"own {len(waits)}")
    monkeypatch.setattr(torch.cuda, "stream", inside)
    monkeypatch.setattr(torch.cuda, "synchronize", waits.append)
    detector = RetinaFaceDetector("retinaface_mobile0.25", tmp_path, "cpu")
    monkeypatch.setattr(detector, "_rows", rows)
    picture = np.zeros((64, 64, 3), np.uint8)
    detector.find(picture)
    monkeypatch.setattr(detector, "_device", torch.device("cuda"))
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, *_: tensor)  # there is no such device
    detector.find(picture)
    detector.find(picture)
    assert computed == ["common", "own 0", "own 0"]
    assert waits == [torch.device("cuda")]  # for the weights, before the first use of the stream


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_on_a_gpu_frames_are_computed_in_half_precision_without_mixing_devices(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from facexlib.detection.retinaface import RetinaFace

    network = RetinaFace("mobile0.25", device=torch.device("cpu")).eval()
    monkeypatch.setattr("vidrestore.detection.retinaface.load_retinaface", lambda *_: network)
    monkeypatch.setattr("vidrestore.detection.retinaface.half_precision", lambda _: torch.float16)
    monkeypatch.setattr(nn.Module, "_apply", replace_parameters)
    computed: list[tuple[str, torch.dtype]] = []
    network.register_forward_hook(
        lambda module, inputs, outputs: computed.append((outputs[0].device.type, outputs[0].dtype))
    )
    with FakeTensorMode(allow_non_fake_inputs=True):
        network.to(torch.device("cuda"))
        detector = RetinaFaceDetector("retinaface_mobile0.25", tmp_path, "cuda")
        monkeypatch.setattr(detector, "_own_stream", nullcontext)
        rows = detector._rows(torch.zeros(8, 96, 160, 3, dtype=torch.uint8, device="cuda"))
    assert computed == [("cuda", torch.float16)]
    assert (rows.device.type, rows.dtype) == ("cuda", torch.float32)
    assert (rows.shape[0], rows.shape[2]) == (8, 15)
    assert detector.frames_ahead == 8
