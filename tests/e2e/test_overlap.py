"""The stages run in threads: the output is the same each time, errors reach the caller, no thread remains."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

import vidrestore
from tests.support.clips import packets_of
from tests.support.shared import ROOT
from vidrestore.faces import compositing
from vidrestore.restoration import FaceCodes, FaceEstimate, FaceFeatures, FusedFace, make_restorer
from vidrestore.types import Detection, FloatArray, Frame, FrameFaces, RestoredFace
from vidrestore.weights import model_path

pytestmark = pytest.mark.slow

SAMPLE = ROOT / "samples" / "old_film.mp4"


def threads_left(before: set[threading.Thread]) -> set[threading.Thread]:
    """Those that were not there `before`, but for a detector's, which waits idly until that is forgotten."""
    return {t for t in set(threading.enumerate()) - before if not t.name.startswith("single")}


def test_two_runs_with_threads_write_the_same_packets(tmp_path: Path) -> None:
    runs = []
    for name in ("one.mkv", "two.mkv"):
        report = vidrestore.restore(SAMPLE, tmp_path / name, end=0.7, codec="ffv1", device="cpu")
        assert report.faces > 0
        runs.append(packets_of(tmp_path / name, "video"))
    assert runs[0] == runs[1]


def test_the_report_states_the_working_time_of_every_stage(tmp_path: Path) -> None:
    report = vidrestore.restore(SAMPLE, tmp_path / "out.mkv", end=0.4, device="cpu")
    assert set(report.seconds_by_stage) == {
        "loading",
        "decoding",
        "detection",
        "tracking",
        "alignment",
        "restoration",
        "compositing",
        "encoding",
    }
    # No thread can have worked longer than the whole took.
    assert all(seconds <= report.seconds for seconds in report.seconds_by_stage.values())


@pytest.fixture(autouse=True)
def gpu_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The GPU that some of these tests pretend to have would be asked."""
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _: (2**36, 2**36))
    monkeypatch.setattr("torch.cuda.memory_reserved", lambda _: 0)
    monkeypatch.setattr("torch.cuda.memory_allocated", lambda _: 0)


class Beside:
    """Computes here and says that it computes on a GPU, so that the pipeline treats it as one."""

    device = torch.device("cuda")
    estimates = generates = True

    def __init__(self, on_decode: Callable[[int], None] = lambda _: None) -> None:
        self._network = make_restorer(model_path("compact"), device="cpu")
        self.size, self.precision = self._network.size, self._network.precision
        self._on_decode, self._decoded = on_decode, 0

    def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
        return self._network.estimate(faces)

    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        return self._network.encode(faces)

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        return self._network.predict(features)

    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        self._decoded += 1
        self._on_decode(self._decoded)
        return self._network.decode(codes)

    def fuse(self, faces: Sequence[tuple[FaceEstimate, FloatArray]]) -> list[FusedFace]:
        return self._network.fuse(faces)


def test_the_next_batch_is_computed_while_the_last_ones_faces_are_composited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    third_started = threading.Event()
    beside = Beside(lambda count: third_started.set() if count == 3 else None)
    real_composite = compositing.composite

    def waiting(item: FrameFaces[RestoredFace], **how: float) -> Frame:
        assert third_started.wait(60), "nothing is computed while faces are composited"
        return real_composite(item, **how)

    monkeypatch.setattr("vidrestore.restoration.make_restorer", lambda *_, **__: beside)
    monkeypatch.setattr("vidrestore.faces.compositing.composite", waiting)
    report = vidrestore.restore(SAMPLE, tmp_path / "out.mkv", end=0.7, batch=4, codec="ffv1")
    assert report.faces > 12


def test_cpu_workers_beside_a_gpu_composite_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = Beside()
    monkeypatch.setattr("vidrestore.restoration.make_restorer", lambda *_, **__: beside)
    runs = []
    for name in ("workers.mkv", "none.mkv"):
        report = vidrestore.restore(SAMPLE, tmp_path / name, end=0.7, batch=4, codec="ffv1")
        assert report.faces > 0
        runs.append(packets_of(tmp_path / name, "video"))
        monkeypatch.setattr("vidrestore.restoration.cpu_workers_for", lambda _: nullcontext(None))
    assert runs[0] == runs[1]


def test_an_error_in_a_compositing_worker_ends_the_run_and_all_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(item: FrameFaces[RestoredFace], **_: float) -> Frame:
        if item.frame.index >= 5:
            raise ZeroDivisionError("while a face was composited")
        return item.frame

    beside = Beside()
    monkeypatch.setattr("vidrestore.restoration.make_restorer", lambda *_, **__: beside)
    monkeypatch.setattr("vidrestore.faces.compositing.composite", failing)
    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError, match="composited"):
        vidrestore.restore(SAMPLE, tmp_path / "out.mp4", end=1.5, batch=4)
    assert threads_left(before) == set()
    assert list(tmp_path.iterdir()) == []


class FailingDetector:
    """Breaks at a frame, in the analysis' thread."""

    def detect(
        self, frame: Frame, *, search: str = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        if frame.index >= 10:
            raise ZeroDivisionError("in the analysis")
        return ()

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        return ()


def test_an_error_in_a_stages_thread_ends_the_run_and_all_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrestore.detection.make_detector", lambda *_, **__: FailingDetector())
    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError, match="in the analysis"):
        vidrestore.restore(SAMPLE, tmp_path / "out.mp4", device="cpu")
    assert set(threading.enumerate()) <= before
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_caller_stops_every_stage(tmp_path: Path) -> None:
    before = set(threading.enumerate())

    def fail(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vidrestore.restore(SAMPLE, tmp_path / "out.mp4", on_progress=fail, device="cpu")
    assert threads_left(before) == set()
    assert list(tmp_path.iterdir()) == []
