"""Copies to and from a GPU are on streams of their own, in the right order. The GPU is simulated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from vidrestore.restoration import pinned_copies
from vidrestore.restoration.pinned_copies import from_device, to_device

GPU = torch.device("cuda")


class Simulated(torch.Tensor):
    """A tensor of the CPU that notes what a GPU would be asked to do with it."""

    log: ClassVar[list[tuple[str, ...]]]
    current: ClassVar[list[str]] = ["computing"]

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return GPU

    def to(self, *_: Any, non_blocking: bool = False, **__: Any) -> Simulated:
        assert non_blocking, "the CPU would wait for the copy"
        self.log.append(("copy in", self.current[-1]))
        return self.clone().as_subclass(Simulated)

    def copy_(self, source: torch.Tensor, non_blocking: bool = False) -> Simulated:
        assert non_blocking, "the CPU would wait for the copy on the computing stream"
        self.log.append(("copy out", self.current[-1]))
        self.numpy()[...] = source.as_subclass(torch.Tensor).numpy()
        return self

    def record_stream(self, stream: Stream) -> None:  # type: ignore[override]
        self.log.append(("memory used by", stream.name))


class Stream:
    def __init__(self, name: str) -> None:
        self.name = name

    def wait_stream(self, other: Stream) -> None:
        Simulated.log.append((self.name, "waits for", other.name))


class Event:
    def __init__(self, *, blocking: bool) -> None:
        assert blocking, "the waiting thread would use a core"

    def record(self, stream: Stream) -> None:
        Simulated.log.append(("event on", stream.name))

    def synchronize(self) -> None:
        Simulated.log.append(("the CPU waits for the event",))


@pytest.fixture(autouse=True)
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def inside(stream: Stream) -> Iterator[None]:
        Simulated.current.append(stream.name)
        yield
        Simulated.current.pop()

    Simulated.log = []
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: Stream("computing"))
    monkeypatch.setattr(torch.cuda, "stream", inside)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(pinned_copies, "_copy_streams", lambda _: (Stream("inward"), Stream("outward")))
    monkeypatch.setattr(
        pinned_copies,
        "_pinned_memory",
        lambda shape, number: torch.empty(shape, dtype=number).as_subclass(Simulated),
    )


@pytest.mark.parametrize("number", [np.uint8, np.int16, np.float32])
def test_pictures_are_uploaded_in_their_own_stream_and_the_computation_waits(
    number: type[np.generic],
) -> None:
    pictures = [np.arange(12).reshape(2, 6).astype(number) + n for n in range(3)]
    there = to_device(pictures, GPU)
    assert np.array_equal(there.as_subclass(torch.Tensor).numpy(), np.stack(pictures))
    assert Simulated.log == [
        ("copy in", "inward"),
        ("computing", "waits for", "inward"),
        ("memory used by", "computing"),
    ]


@pytest.mark.parametrize("number", [torch.uint8, torch.int16, torch.float32])
def test_downloads_wait_for_their_computation_and_the_cpu_waits_only_for_them(number: torch.dtype) -> None:
    there = torch.arange(24).view(2, 3, 4).to(number).transpose(1, 2)
    back = from_device(there.as_subclass(Simulated))
    assert np.array_equal(np.stack(back), there.numpy())
    assert Simulated.log == [
        ("outward", "waits for", "computing"),
        ("copy out", "outward"),
        ("memory used by", "outward"),
        ("event on", "outward"),
        ("the CPU waits for the event",),
    ]
