"""Faces restored without time are what the stage makes of them without neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.restorers import SIZE, MirrorRestorer, envelope
from vidrestore.restoration import TemporalBlend, restore
from vidrestore.restoration.aligned import restore_aligned

VALUES = [0.1, 0.4, 0.7, 0.9, 0.3]


@pytest.mark.parametrize(("estimates", "generates"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("batch", [1, 4])
def test_aligned_faces_equal_those_of_frames_without_temporal_blending(
    estimates: bool, generates: bool, batch: int
) -> None:
    def restorer() -> MirrorRestorer:
        return MirrorRestorer(estimates=estimates, generates=generates)

    items = [envelope(i, {0: value}) for i, value in enumerate(VALUES)]
    staged = [item.faces[0] for item in restore(items, restorer(), TemporalBlend(strength=0))]
    faces = [item.faces[0].image for item in items]
    alone = list(restore_aligned(restorer(), faces, batch=batch))
    assert len(alone) == len(staged)
    for one, other in zip(alone, staged, strict=True):
        assert np.array_equal(one.picture, other.image)
        assert one.drawn == other.drawn


def test_a_face_drawn_as_a_whole_may_keep_the_generators_own_colour() -> None:
    ramp = np.linspace(0.2, 0.8, SIZE, dtype=np.float32)[None, :, None].repeat(SIZE, 0).repeat(3, 2)
    (drawn,) = restore_aligned(MirrorRestorer(estimates=False), [ramp], own_colour=True)
    assert np.array_equal(drawn.picture, ramp[:, ::-1])
