"""On a real GPU the networks compute what the CPU computes. Skipped where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.gpu_count import steps
from benchmarks.known_clips import portraits
from tests.restoration.test_batched_blend import BLEND, two_tracks
from tests.support.shared import SHARED, needs_shared
from vidrestore.detection.retinaface import RetinaFaceDetector
from vidrestore.restoration import FaceCodes, FaceFeatures, NetworkRestorer, OomRetryRestorer, make_restorer
from vidrestore.restoration.aligned import restore_aligned
from vidrestore.restoration.batched_blend import codes_together
from vidrestore.restoration.temporal_blend import numbers_on
from vidrestore.runtime.device import exact_float32, resolve_precision
from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path

WEIGHTS = embedded_path("compact.safetensors")


def restored(restorer: NetworkRestorer, faces: list[FloatArray]) -> FloatArray:
    return np.stack([face.picture for face in restore_aligned(restorer, faces, batch=len(faces))])


def psnr(one: FloatArray, other: FloatArray) -> float:
    return -10 * float(np.log10(max(np.square(one - other).mean(), 1e-12)))


def test_a_gpu_restores_faces_as_the_cpu_does(device: torch.device) -> None:
    faces = portraits(256)[:4]
    expected = restored(make_restorer(WEIGHTS, device="cpu", precision="float32"), faces)
    exact = restored(make_restorer(WEIGHTS, device=str(device), precision="float32"), faces)
    fast = restored(make_restorer(WEIGHTS, device=str(device)), faces)
    assert psnr(exact, expected) > 60
    assert psnr(fast, expected) > 40


def test_the_precision_of_a_gpu_is_a_known_floating_point_format(device: torch.device) -> None:
    assert resolve_precision(device) in (torch.bfloat16, torch.float16, torch.float32)


def test_blending_together_equals_blending_one_by_one(device: torch.device) -> None:
    def moved(face: FaceCodes) -> FaceCodes:
        features = FaceFeatures(
            fused=face.features.fused.to(device), sharpness=face.features.sharpness.to(device)
        )
        return FaceCodes(features=features, log_probabilities=face.log_probabilities.to(device))

    batch = [(moved(face), [(away, moved(other)) for away, other in others]) for face, others in two_tracks()]
    with exact_float32(device):
        for ours, (face, others) in zip(codes_together(BLEND, batch), batch, strict=True):
            alone = BLEND.codes(face, others).log_probabilities
            assert torch.allclose(ours.log_probabilities, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.gpu
def test_nothing_waits_for_the_gpu_between_steps(cuda: torch.device) -> None:
    generator = make_restorer(WEIGHTS, device=str(cuda)).generator
    assert generator is not None
    faces = portraits(256)[:4]

    def launch() -> list[FaceCodes]:
        codes = generator.predict(generator.encode(faces))
        return codes_together(BLEND, [(code, [(-1, codes[0]), (1, codes[-1])]) for code in codes])

    generator.decode(launch())  # the first call makes plans and copies constants
    torch.cuda.synchronize()
    numbers_on.cache_clear()  # other neighbours have other weights, which are copied again
    torch.cuda.set_sync_debug_mode("error")
    try:
        codes = launch()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len(generator.decode(codes)) == 4


@pytest.mark.gpu
def test_memory_is_what_was_counted(cuda: torch.device) -> None:
    counted = max(step.count.peak_bytes / step.faces for step in steps("compact", batch=16))
    generator = make_restorer(WEIGHTS, device=str(cuda), fidelity=0).generator
    assert generator is not None
    faces = [np.full((256, 256, 3), 0.5, np.float32)] * 16
    generator.decode(generator.predict(generator.encode(faces)))
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    generator.decode(generator.predict(generator.encode(faces)))
    measured = (torch.cuda.max_memory_allocated() - before) / len(faces)
    assert measured < 2 * counted  # the rest are the workspaces of cuDNN


@pytest.mark.gpu
def test_a_batch_that_does_not_fit_is_halved(cuda: torch.device, caplog: pytest.LogCaptureFixture) -> None:
    restorer = make_restorer(WEIGHTS, device=str(cuda), fidelity=0)
    faces = [np.full((256, 256, 3), 0.5, np.float32)] * 256
    torch.cuda.empty_cache()
    _, total = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated() + 6e8) / total)
    try:
        assert len(OomRetryRestorer(restorer).encode(faces)) == 256
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "continuing with 128" in caplog.text


@pytest.mark.gpu
@needs_shared
def test_retinaface_finds_the_same_in_half_precision(cuda: torch.device) -> None:
    from skimage import data

    weights = SHARED / "models" / "retinaface_mobile0.25.pth"
    pictures = [np.roll(data.astronaut(), 4 * shift, axis=1) for shift in range(8)]
    expected = RetinaFaceDetector("retinaface_mobile0.25", weights, "cpu").find_all(pictures)
    found = RetinaFaceDetector("retinaface_mobile0.25", weights, str(cuda)).find_all(pictures)
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours) == len(theirs) == 1
        assert np.abs(ours[0].landmarks - theirs[0].landmarks).max() < 1
