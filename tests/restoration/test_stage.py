"""Faces are restored in batches across frames and tracks, and blended within a track and a scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.restorers import MirrorRestorer, envelope
from vidrestore.restoration import FaceCodes, TemporalBlend, restore
from vidrestore.runtime.worker_threads import WorkerPool
from vidrestore.types import AlignedFace, FloatArray, FrameFaces

NO_BLEND = TemporalBlend(strength=0)


def values(results: Iterator[FrameFaces]) -> list[dict[int, float]]:  # type: ignore[type-arg]
    return [{f.track_id: float(f.image.mean()) for f in item.faces} for item in results]


@settings(max_examples=30, deadline=None)
@given(
    frames=st.lists(st.sets(st.integers(0, 3)), max_size=20),
    batch=st.integers(1, 5),
    strength=st.sampled_from([0.0, 1.0]),
)
def test_frames_come_out_in_order_with_their_own_faces(
    frames: list[set[int]], batch: int, strength: float
) -> None:
    items = [envelope(i, {t: 1 + t + i / 100 for t in tracks}) for i, tracks in enumerate(frames)]
    out = list(restore(items, MirrorRestorer(), TemporalBlend(strength=strength), batch=batch, max_frames=6))
    assert [item.frame.index for item in out] == list(range(len(frames)))
    for item, tracks in zip(out, frames, strict=True):
        assert {face.track_id for face in item.faces} == tracks
        for face in item.faces:
            # Blending may move a value towards a neighbour's of the same track, never to another track's.
            assert abs(face.image.mean() - face.original.mean()) < 0.2


def test_a_batch_holds_faces_of_several_frames_and_never_more_than_asked() -> None:
    restorer = MirrorRestorer()
    items = [envelope(i, {0: 0.1, 1: 0.2, 2: 0.3}) for i in range(8)]
    list(restore(items, restorer, NO_BLEND, batch=4))
    assert restorer.batches == [4] * 6


def test_results_do_not_depend_on_the_batch_size() -> None:
    items = [envelope(i, {0: 0.5 + 0.01 * (i % 2), 1: 0.2}) for i in range(12)]
    blend = TemporalBlend(strength=1.0)
    one, many = (values(restore(items, MirrorRestorer(), blend, batch=b)) for b in (1, 7))
    for a, b in zip(one, many, strict=True):
        assert a == pytest.approx(b, abs=1e-6)


def test_lanes_and_hands_change_no_result() -> None:
    items = [envelope(i, {0: 0.5 + 0.01 * (i % 2), 1: 0.2}) for i in range(12)]
    blend = TemporalBlend(strength=1.0)
    alone = values(restore(items, MirrorRestorer(), blend, batch=3))
    with WorkerPool(2, lambda: None) as network_workers:
        together = values(restore(items, MirrorRestorer(), blend, batch=3, network_workers=network_workers))
        shared_out = values(
            restore(
                items,
                MirrorRestorer(),
                blend,
                batch=3,
                network_workers=network_workers,
                cpu_workers=network_workers,
            )
        )
    assert together == alone
    assert shared_out == alone


def test_blending_steadies_a_flickering_face() -> None:
    items = [envelope(i, {0: 0.5 + 0.02 * (-1) ** i}) for i in range(20)]
    (still, blended) = (
        np.array([v[0] for v in values(restore(items, MirrorRestorer(), TemporalBlend(strength=s), batch=4))])
        for s in (0.0, 1.0)
    )
    assert np.abs(np.diff(blended)).mean() < 0.35 * np.abs(np.diff(still)).mean()


def test_what_is_drawn_differently_in_each_frame_is_steadied_too() -> None:
    class Unsteady(MirrorRestorer):
        def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
            self.drawn = getattr(self, "drawn", 0) + 1
            return [face + np.float32(0.005 * (-1) ** self.drawn) for face in super().decode(codes)]

    items = [envelope(i, {0: 0.5}) for i in range(20)]
    out = [v[0] for v in values(restore(items, Unsteady(), TemporalBlend(strength=1.0), batch=1))]
    assert np.abs(np.diff(out)).mean() < 0.35 * 0.01


def test_nothing_blends_over_a_cut() -> None:
    items = [envelope(i, {0: 0.5}, scene=0) for i in range(4)] + [
        envelope(i, {0: 0.6}, scene=1) for i in range(4, 8)
    ]
    out = [v[0] for v in values(restore(items, MirrorRestorer(), TemporalBlend(strength=1.0), batch=3))]
    assert out == pytest.approx([0.5] * 4 + [0.6] * 4, abs=1e-6)


def test_a_video_is_taken_in_lazily() -> None:
    taken = 0

    def endless() -> Iterator[FrameFaces[AlignedFace]]:
        nonlocal taken
        while True:
            taken += 1
            yield envelope(taken, {})

    stream = restore(endless(), MirrorRestorer(), NO_BLEND, batch=4, max_frames=8)
    for _ in range(20):
        next(stream)
    assert taken <= 20 + 8
