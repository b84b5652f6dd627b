"""Faces of a batch that are blended together become what each becomes alone, in far fewer kernels."""

from __future__ import annotations

import pytest
import torch

from benchmarks.kernel_count import count_kernels
from vidrestore.errors import ProcessingError
from vidrestore.restoration import FaceCodes, FaceFeatures, TemporalBlend
from vidrestore.restoration.batched_blend import (
    Neighbours,
    blend_codes,
    blend_features,
    codes_together,
    features_together,
)

BLEND = TemporalBlend(strength=0.8)
REACH = 12


def track(seed: int, frames: int) -> list[FaceCodes]:
    """A face in consecutive frames, with changes of all sizes between them."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    still = random(64, 4, 4)
    faces = []
    for index in range(frames):
        fused = still + (0.05 + 0.05 * index) * random(64, 4, 4)
        features = FaceFeatures(fused=fused, face=random(3, 8, 8), sharpness=torch.tensor(0.5 + index % 3))
        faces.append(FaceCodes(features=features, log_probabilities=random(32, 4, 4).log_softmax(0)))
    return faces


def with_neighbours(faces: list[FaceCodes]) -> list[tuple[FaceCodes, Neighbours[FaceCodes]]]:
    """Those at the start and at the end of the track have neighbours on one side only."""
    return [
        (face, [(i - at, faces[i]) for i in range(len(faces)) if i != at and abs(i - at) <= REACH])
        for at, face in enumerate(faces)
    ]


def two_tracks() -> list[tuple[FaceCodes, Neighbours[FaceCodes]]]:
    """A long track, a short one and a face without any neighbour, in one batch."""
    return [*with_neighbours(track(0, 16)), *with_neighbours(track(1, 3)), *with_neighbours(track(2, 1))]


def test_features_are_blended_together_as_alone() -> None:
    batch = [(face.features, [(a, o.features) for a, o in others]) for face, others in two_tracks()]
    together = features_together(BLEND, batch)
    assert len(together) == len(batch)
    for ours, (face, others) in zip(together, batch, strict=True):
        alone = BLEND.features(face, others)
        assert torch.allclose(ours.fused, alone.fused, rtol=1e-6, atol=1e-6)
        assert torch.allclose(ours.sharpness, alone.sharpness, rtol=1e-6)
        assert ours.face is face.face
    assert not torch.equal(together[8].fused, batch[8][0].fused)  # something was blended
    assert torch.equal(together[-1].fused, batch[-1][0].fused)


def test_codes_are_blended_together_as_alone() -> None:
    batch = two_tracks()
    for ours, (face, others) in zip(codes_together(BLEND, batch), batch, strict=True):
        alone = BLEND.codes(face, others)
        assert torch.allclose(ours.log_probabilities, alone.log_probabilities, rtol=1e-6, atol=1e-6)
        assert ours.features is face.features


def test_without_strength_faces_stay_as_they_are() -> None:
    batch = two_tracks()
    assert codes_together(TemporalBlend(strength=0), batch) == [face for face, _ in batch]
    assert blend_codes(BLEND, []) == blend_features(BLEND, []) == []


def test_codes_blended_on_a_cpu_equal_those_of_each_face_alone() -> None:
    batch = two_tracks()
    for ours, (face, others) in zip(blend_codes(BLEND, batch), batch, strict=True):
        assert torch.equal(ours.log_probabilities, BLEND.codes(face, others).log_probabilities)


def test_a_batch_takes_a_tenth_of_the_kernels() -> None:
    batch = with_neighbours(track(0, 16 + 2 * REACH))[REACH:-REACH]  # sixteen faces with all neighbours
    features = [(face.features, [(a, o.features) for a, o in others]) for face, others in batch]
    alone = count_kernels(lambda: ([BLEND.features(*f) for f in features], [BLEND.codes(*c) for c in batch]))
    together = count_kernels(lambda: (features_together(BLEND, features), codes_together(BLEND, batch)))
    assert alone.total / len(batch) > 100
    assert together.total / len(batch) < 12
    assert together.layout_copies == 0


@pytest.mark.parametrize("is_lack_of_memory", [True, False])
def test_faces_are_blended_one_by_one_if_memory_does_not_suffice_for_all(
    is_lack_of_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> list[FaceCodes]:
        raise RuntimeError("CUDA out of memory" if is_lack_of_memory else "device-side assert triggered")

    monkeypatch.setattr("vidrestore.restoration.batched_blend.codes_together", fail)
    monkeypatch.setattr(TemporalBlend, "codes", lambda self, face, others: face)
    on_meta = FaceCodes(
        features=FaceFeatures(fused=torch.empty(4, 1, 1, device="meta")),
        log_probabilities=torch.empty(4, 1, 1, device="meta"),
    )
    if is_lack_of_memory:
        assert blend_codes(BLEND, [(on_meta, [])]) == [on_meta]
        monkeypatch.setattr(TemporalBlend, "codes", fail)
        with pytest.raises(ProcessingError, match="not enough memory on the GPU"):
            blend_codes(BLEND, [(on_meta, [])])
    else:
        with pytest.raises(RuntimeError, match="assert"):
            blend_codes(BLEND, [(on_meta, [])])
