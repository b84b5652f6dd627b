"""A whole restoration launches all work on its device in one thread, however many threads restore.

Tensors of the CPU stand for those of a GPU; each operation on them is recorded with its thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from tests.support.evidence import tiny_network
from tests.support.framed_faces import frame_of, landmarks_of
from tests.support.networks import SMALL
from vidrestore.colour.hdr import PQ
from vidrestore.daefr import Daefr
from vidrestore.errors import WeightsError
from vidrestore.evidence import TwoSizeEvidence
from vidrestore.restoration import (
    DaefrGenerator,
    NetworkRestorer,
    OomRetryRestorer,
    PaddedBatchRestorer,
    TemporalBlend,
    pinned_copies,
)
from vidrestore.restoration.estimator import Estimator
from vidrestore.restoration.stage import restored_states
from vidrestore.restoration.tensor_pictures import alignment, motion_average, planes
from vidrestore.restoration.tensor_pictures.choice import align_for
from vidrestore.restoration.tensor_pictures.finished_faces import composite_on_device
from vidrestore.restoration.tensor_pictures.restorer import TensorRestorer
from vidrestore.runtime.launching_thread import NAME, launching_thread
from vidrestore.runtime.pipeline_threads import Prefetch, map_ahead
from vidrestore.runtime.worker_threads import WorkerPool
from vidrestore.types import ColourTags, Frame, FrameFaces, Orientation, PixelFormat, TrackedFace

CPU = torch.device("cpu")
SIDE = 128
FRAMES = 3
VIEWS = {
    "__get__", "__getitem__", "__len__", "dim", "expand", "is_floating_point", "numpy", "permute", "size",
    "stride", "unbind", "unflatten", "view",
}  # fmt: skip
"""Operations for which a device does nothing."""


class Recorded(torch.Tensor):
    """A tensor on the device."""

    by_thread: ClassVar[dict[str, set[str]]] = {}

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.__name__ not in VIEWS:
            cls.by_thread.setdefault(threading.current_thread().name, set()).add(func.__name__)
        return super().__torch_function__(func, types, args, kwargs or {})


@pytest.fixture(autouse=True)
def recorded_uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    def upload(packed: torch.Tensor, device: torch.device) -> torch.Tensor:
        there = packed.to(device, copy=True).as_subclass(Recorded)
        there.clone()  # for the copy
        return there

    Recorded.by_thread = {}
    for module in (alignment, motion_average, planes, pinned_copies):
        monkeypatch.setattr(module, "upload", upload)


@pytest.fixture(scope="module")
def network() -> NetworkRestorer:
    torch.manual_seed(0)
    widths = (32, 32, 32, 64)
    config = replace(SMALL, image_size=SIDE, encoder_widths=widths, decoder_widths=widths)
    generator = DaefrGenerator(Daefr(config).eval().requires_grad_(False), device=CPU)
    estimator = Estimator(TwoSizeEvidence(tiny_network()), device=CPU, precision=torch.float32)
    return NetworkRestorer(CPU, estimator, generator)


def tracked_frames(transfer: int = 2) -> Iterator[FrameFaces[TrackedFace]]:
    """Frames with two faces that overlap."""
    form = PixelFormat(name="any", family="yuv", bit_depth=8, chroma_shift=(1, 1))
    for index in range(FRAMES):
        frame = replace(frame_of(form, ColourTags(transfer=transfer), Orientation(), 1), index=index)
        faces = [
            TrackedFace(
                track_id=track,
                box=np.zeros(4, np.float32),
                landmarks=landmarks_of((60 + index / 2 + 25 * track, 60), 0.1, 90),
                score=1.0,
                observed=True,
            )
            for track in range(2)
        ]
        yield FrameFaces(frame=frame, faces=tuple(faces))


def restored_frames(network: NetworkRestorer, transfer: int = 2) -> list[Frame]:
    """The frames of the pipeline behind tracking, with the threads that it has beside a GPU."""
    restorer = PaddedBatchRestorer(OomRetryRestorer(TensorRestorer(network)), 4)
    composite = partial(composite_on_device, strength=1.0, grain="auto")
    with WorkerPool(2, lambda: None) as network_workers, WorkerPool(4, lambda: None) as cpu_workers:
        cut_out = partial(align_for(TensorRestorer(network), needs_arrays=False), size=SIDE)
        aligned = map_ahead(tracked_frames(transfer), cut_out, cpu_workers)
        with Prefetch(aligned, items=4) as ahead:
            states = restored_states(
                ahead,
                restorer,
                TemporalBlend(strength=1.0),
                batch=2,
                network_workers=network_workers,
                cpu_workers=cpu_workers,
            )
            done = [each for each in map_ahead(states, composite, cpu_workers) if each is not None]
    return [frame for frame, _ in done]


def planes_of(frames: Sequence[Frame]) -> list[np.ndarray]:
    return [plane for frame in frames for plane in frame.planes]


def test_all_work_is_launched_in_the_devices_thread(network: NetworkRestorer) -> None:
    with launching_thread(CPU):
        found = restored_frames(network)
    assert len(found) == FRAMES
    (thread,) = Recorded.by_thread
    assert thread.startswith(NAME)
    launched = Recorded.by_thread[thread]
    # From cutting out to compositing.
    assert {"clone", "addmm", "conv2d", "grid_sampler_2d", "log_softmax", "round_"} <= launched, launched


@pytest.mark.parametrize("transfer", [2, PQ])
@pytest.mark.parametrize("is_drawn", [False, True])
def test_work_for_hdr_and_fully_drawn_faces_is_launched_in_the_devices_thread(
    network: NetworkRestorer, transfer: int, is_drawn: bool
) -> None:
    with launching_thread(CPU):
        found = restored_frames(replace(network, estimator=None) if is_drawn else network, transfer)
    assert len(found) == FRAMES
    (thread,) = Recorded.by_thread
    assert thread.startswith(NAME)
    launched = Recorded.by_thread[thread]
    assert ("var" in launched) == is_drawn, launched  # the spread of colours, to match them
    assert ("double" in launched) == (transfer == PQ), launched  # the powers of its curve


def test_frames_are_the_same_if_several_threads_launch_the_work(network: NetworkRestorer) -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with launching_thread(CPU):
            expected = restored_frames(network)
        Recorded.by_thread = {}
        found = restored_frames(network)
    finally:
        torch.set_num_threads(usual)
    assert len(Recorded.by_thread) > 2
    for one, other in zip(planes_of(expected), planes_of(found), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("thread", [launching_thread, nullcontext])
def test_an_error_on_the_device_ends_the_run_and_all_threads(network: NetworkRestorer, thread: Any) -> None:
    class Damaged(DaefrGenerator):
        def decode_tensors(self, codes: Any) -> torch.Tensor:
            return super().decode_tensors(codes) * float("nan")

    generator = Damaged.__new__(Damaged)
    assert network.generator is not None
    generator.__dict__.update(network.generator.__dict__)
    before = threading.active_count()
    with pytest.raises(WeightsError, match="infinite values"), thread(CPU):
        restored_frames(replace(network, generator=generator))
    assert threading.active_count() == before
