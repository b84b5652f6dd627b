"""Faces are restored in batches across frames and tracks, and blended within a track and a scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.restorers import SIZE, MirrorRestorer, envelope, estimate_of
from vidrestore.faces.colour_match import match_colour
from vidrestore.restoration import FaceCodes, FaceEstimate, FaceFeatures, FusedFace, TemporalBlend, restore
from vidrestore.runtime.worker_threads import WorkerPool
from vidrestore.types import AlignedFace, FloatArray, FrameFaces

NO_BLEND = TemporalBlend(strength=0)


def of_picture(picture: FloatArray) -> FrameFaces[AlignedFace]:
    """A frame with one face."""
    item = envelope(0, {0: 0.0})
    return replace(item, faces=(replace(item.faces[0], image=picture),))


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


def test_workers_change_no_result() -> None:
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


def test_drawn_detail_that_differs_between_frames_is_blended_over_time() -> None:
    class Unsteady(MirrorRestorer):
        def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
            self.drawn = getattr(self, "drawn", 0) + 1
            return [face + np.float32(0.005 * (-1) ** self.drawn) for face in super().decode(codes)]

    items = [envelope(i, {0: 0.5}) for i in range(20)]
    out = [v[0] for v in values(restore(items, Unsteady(), TemporalBlend(strength=1.0), batch=1))]
    assert np.abs(np.diff(out)).mean() < 0.35 * 0.01


def test_faces_are_not_blended_across_a_cut() -> None:
    items = [envelope(i, {0: 0.5}, scene=0) for i in range(4)] + [
        envelope(i, {0: 0.6}, scene=1) for i in range(4, 8)
    ]
    out = [v[0] for v in values(restore(items, MirrorRestorer(), TemporalBlend(strength=1.0), batch=3))]
    assert out == pytest.approx([0.5] * 4 + [0.6] * 4, abs=1e-6)


def test_without_an_estimator_a_face_is_entirely_drawn() -> None:
    class WithoutEstimator(MirrorRestorer):
        def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
            raise AssertionError("estimated in vain")

    ramp = np.linspace(0.2, 0.8, SIZE, dtype=np.float32)[None, :, None].repeat(SIZE, 0).repeat(3, 2)
    (item,) = restore([of_picture(ramp)], WithoutEstimator(estimates=False), NO_BLEND)
    (face,) = item.faces
    assert face.estimate is None
    assert face.drawn == 1
    # It is the mirrored picture, with the brightness of the one that was given.
    assert face.image == pytest.approx(match_colour(ramp[:, ::-1].copy(), ramp), abs=1e-6)


def test_without_a_generator_the_estimate_is_the_restored_face() -> None:
    class WithoutGenerator(MirrorRestorer):
        def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
            raise AssertionError("drawn in vain")

        def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
            return [estimate_of(face + np.float32(0.1)) for face in faces]

    (item,) = restore([envelope(0, {0: 0.5})], WithoutGenerator(generates=False), NO_BLEND)
    (face,) = item.faces
    assert face.image == pytest.approx(0.6)
    assert face.estimate is face.image
    assert face.drawn == 0


def test_with_an_estimator_and_a_generator_the_estimate_is_drawn_and_fused() -> None:
    class Both(MirrorRestorer):
        def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
            return [estimate_of(face + np.float32(0.1)) for face in faces]

        def fuse(self, faces: Sequence[tuple[FaceEstimate, FloatArray]]) -> list[FusedFace]:
            return [FusedFace(picture=(e.mean + g) / 2, drawn=0.25) for e, g in faces]

    ramp = np.linspace(0.2, 0.8, SIZE, dtype=np.float32)[None, :, None].repeat(SIZE, 0).repeat(3, 2)
    (item,) = restore([of_picture(ramp)], Both(), NO_BLEND)
    (face,) = item.faces
    assert face.estimate == pytest.approx(ramp + 0.1)
    assert face.image == pytest.approx(np.full_like(ramp, 0.6), abs=1e-6)  # with its own mirror image
    assert face.drawn == 0.25


def test_faces_that_are_certain_skip_the_generator() -> None:
    class SureOfBright(MirrorRestorer):
        def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
            return [estimate_of(face, is_certain=bool(face.mean() > 0.5)) for face in faces]

    restorer = SureOfBright()
    items = [envelope(i, {0: 0.9, 1: 0.2}) for i in range(4)]
    out = list(restore(items, restorer, TemporalBlend(strength=1.0), batch=2))
    assert restorer.batches == [2, 2]
    for item in out:
        sure, unsure = item.faces
        assert (sure.track_id, sure.drawn, unsure.track_id, unsure.drawn) == (0, 0, 1, 0.5)
        assert sure.image == pytest.approx(0.9)


def test_where_all_faces_are_certain_nothing_is_drawn() -> None:
    class Sure(MirrorRestorer):
        def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
            return [estimate_of(face, is_certain=True) for face in faces]

    restorer = Sure()
    items = [envelope(i, {0: 0.9}) for i in range(5)]
    out = list(restore(items, restorer, TemporalBlend(strength=1.0), batch=2))
    assert restorer.batches == []
    assert [face.drawn for item in out for face in item.faces] == [0] * 5


def test_neighbours_of_other_crop_sizes_are_left_out() -> None:
    """A face that grows past a crop's size changes to the next one in the middle of its track."""
    sizes = [SIZE, SIZE, 2 * SIZE, 2 * SIZE]
    items = [envelope(i, {0: 0.5 if size == SIZE else 0.52}, size=size) for i, size in enumerate(sizes)]
    out = list(restore(items, MirrorRestorer(generates=False), TemporalBlend(strength=1.0), batch=2))
    assert [item.faces[0].image.shape[0] for item in out] == sizes
    assert [float(item.faces[0].image.mean()) for item in out] == pytest.approx([0.5, 0.5, 0.52, 0.52])


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


class CountingRestorer(MirrorRestorer):
    """Counts the faces of each step."""

    def __init__(self) -> None:
        super().__init__()
        self.faces: dict[str, int] = {"predict": 0, "decode": 0, "fuse": 0}

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        self.faces["predict"] += len(features)
        return super().predict(features)

    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        self.faces["decode"] += len(codes)
        return super().decode(codes)

    def fuse(self, faces: Sequence[tuple[FaceEstimate, FloatArray]]) -> list[FusedFace]:
        self.faces["fuse"] += len(faces)
        return super().fuse(faces)


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_a_single_requested_frame_equals_the_full_run_and_computes_only_neighbours(strength: float) -> None:
    random = np.random.default_rng(0)
    pictures = random.uniform(0.2, 0.8, (60, SIZE, SIZE, 3)).astype(np.float32)
    items = [replace(of_picture(p), frame=envelope(i, {}).frame) for i, p in enumerate(pictures)]
    blend, restorer = TemporalBlend(strength=strength), CountingRestorer()
    every = list(restore(items, MirrorRestorer(), blend, batch=4))
    one = list(restore(items, restorer, blend, batch=4, wanted=30))
    assert [item.frame.index for item in one] == list(range(60))
    assert [len(item.faces) for item in one] == [int(i == 30) for i in range(60)]
    assert np.array_equal(one[30].faces[0].image, every[30].faces[0].image)
    around = int(strength)
    assert restorer.faces == {"predict": 1 + 2 * 14 * around, "decode": 1 + 2 * 2 * around, "fuse": 1}
    assert restorer.batches == [4] * (8 if around else 0) + [1]
