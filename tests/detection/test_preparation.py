"""Frames that a detector prepares ahead have the same faces as without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from skimage import data

from tests.support.motion import face, frame
from vidrestore.detection import detect, make_detector
from vidrestore.detection.detector import PreparingDetector, Search
from vidrestore.detection.embedded import EmbeddedDetector
from vidrestore.detection.proposals_ahead import ProposalsAhead
from vidrestore.detection.yunet import YuNet
from vidrestore.types import Detection, Frame


def clip() -> Iterator[Frame]:
    """A face that moves, a cut to a picture without any, and back: searches that nobody can plan."""
    portrait, empty = data.astronaut()[:256, 128:384, 1], data.brick()[:256, :256]
    for index in range(34):
        shown = empty if 13 <= index < 18 else np.roll(portrait, index, axis=1)
        yield frame(index, np.ascontiguousarray(shown))


def test_proposals_computed_ahead_change_no_face() -> None:
    expected = [item.faces for item in detect(clip(), EmbeddedDetector(YuNet()))]
    ahead = ProposalsAhead(YuNet, 2, frames=10)
    found = [item.faces for item in detect(clip(), EmbeddedDetector(YuNet(), ahead=ahead))]
    assert sum(map(bool, expected)) > 20
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert [d.score for d in ours] == [d.score for d in theirs]
        assert all(np.array_equal(a.landmarks, b.landmarks) for a, b in zip(ours, theirs, strict=True))


class Planned:
    """A detector that notes which searches it was asked to prepare, and when."""

    frames_ahead = 4

    def __init__(self) -> None:
        self.planned: dict[int, Search | None] = {}
        self.searched: dict[int, Search] = {}
        self.ahead: list[int] = []

    def prepare(self, frames: Sequence[tuple[Frame, Search | None]]) -> None:
        self.planned |= {frame.index: search for frame, search in frames}

    def detect(
        self, frame: Frame, *, search: Search = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        self.searched[frame.index] = search
        self.ahead.append(len(self.planned) - frame.index)
        return (face((100, 100)),)

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        return tuple(previous)


def test_searches_of_a_still_video_are_those_planned_ahead() -> None:
    detector = Planned()
    assert isinstance(detector, PreparingDetector)
    blank = np.zeros((240, 320), np.uint8)
    found = list(detect((frame(i, blank) for i in range(230)), detector))
    assert [item.frame.index for item in found] == list(range(230))
    assert {i: search for i, search in detector.planned.items() if search} == detector.searched
    assert set(detector.searched.values()) == {"quick", "full", "thorough"}
    assert max(detector.ahead) == 8  # two blocks, so that memory does not grow


def test_large_frames_are_prepared_one_by_one() -> None:
    detector = Planned()
    huge = np.zeros((4096, 8192), np.uint8)
    list(detect((frame(i, huge) for i in range(3)), detector))
    assert max(detector.ahead) == 2


@pytest.mark.parametrize(("device", "ahead"), [("cpu", 0), ("cuda", 10)])
def test_only_beside_a_gpu_are_cores_free_to_search_ahead(
    device: str, ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr("vidrestore.runtime.device.resolve_device", torch.device)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    detector = make_detector("embedded", device)
    assert isinstance(detector, EmbeddedDetector)
    assert detector.frames_ahead == ahead
