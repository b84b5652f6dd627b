"""The restorer computes what the network does, in batches, with and without fidelity."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidrestore.daefr import Daefr, DaefrConfig, save
from vidrestore.errors import UsageError
from vidrestore.faces.alignment import sharpness
from vidrestore.restoration import DaefrRestorer, make_restorer
from vidrestore.restoration.face_fidelity import COARSE_SIDE, FINE_SIDE, adaptive_fidelity, relative_sharpness
from vidrestore.types import FloatArray

SMALL = DaefrConfig(
    name="small",
    image_size=32,
    encoder_widths=(16, 32),
    decoder_widths=(16, 32),
    encoder_blocks=1,
    decoder_blocks=1,
    groups=4,
    embedding=32,
    codes=24,
    fusion_heads=2,
    width=16,
    layers=1,
    heads=2,
    feedforward=16,
)
FACES = list(np.random.default_rng(0).random((3, 32, 32, 3), np.float32))


@pytest.fixture
def network() -> Daefr:
    torch.manual_seed(0)
    built = Daefr(replace(SMALL, fidelity_sides=(32,))).eval().requires_grad_(False)
    for parameter in built.fidelity.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return built


def restore(restorer: DaefrRestorer, faces: list[FloatArray]) -> FloatArray:
    return np.stack(restorer.decode(restorer.predict(restorer.encode(faces))))


def test_restored_faces_are_the_networks_answer(network: Daefr) -> None:
    x = torch.from_numpy(np.stack(FACES)).permute(0, 3, 1, 2) * 2 - 1
    expected = ((network(x) + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    restored = restore(DaefrRestorer(network, device=torch.device("cpu")), FACES)
    assert np.abs(restored - expected).max() < 1e-4


@pytest.mark.parametrize("fidelity", [0.0, 0.7])
def test_a_face_does_not_depend_on_its_batch(network: Daefr, fidelity: float) -> None:
    restorer = DaefrRestorer(network, device=torch.device("cpu"), fidelity=fidelity)
    together = restore(restorer, FACES)
    alone = np.concatenate([restore(restorer, [face]) for face in FACES])
    assert np.abs(together - alone).max() < 1e-4


def test_fidelity_changes_the_face_and_costs_nothing_when_off(network: Daefr) -> None:
    off, on = (DaefrRestorer(network, device=torch.device("cpu"), fidelity=w) for w in (0.0, 1.0))
    assert off.encode(FACES)[0].levels == ()
    assert [level.shape for level in on.encode(FACES)[0].levels] == [(16, 32, 32)]
    assert np.abs(restore(off, FACES) - restore(on, FACES)).mean() > 1e-3


def test_fidelity_of_a_network_without_it_is_refused(tmp_path: Path) -> None:
    save(Daefr(SMALL), tmp_path / "plain.safetensors")
    with pytest.raises(UsageError, match="small has no --fidelity"):
        make_restorer(tmp_path / "plain.safetensors", device="cpu", fidelity=0.5)
    assert make_restorer(tmp_path / "plain.safetensors", device="cpu", fidelity=0.0).size == 32


def test_a_face_keeps_as_much_of_its_detail_as_it_holds(network: Daefr) -> None:
    sharp = np.random.default_rng(0).random((32, 32, 3), np.float32)
    blocks = cv2.resize(sharp[::4, ::4], (32, 32), interpolation=cv2.INTER_NEAREST)
    between = np.asarray(cv2.GaussianBlur(blocks, (0, 0), 0.5))
    blurred = np.full_like(sharp, 0.5)
    off, on, adaptive = (
        DaefrRestorer(network, device=torch.device("cpu"), fidelity=w) for w in (0.0, 1.0, None)
    )
    faces = [sharp, blurred, between]
    found, plain, faithful = (restore(r, faces) for r in (adaptive, off, on))
    assert np.allclose(found[0], faithful[0], atol=1e-6)
    assert np.allclose(found[1], plain[1], atol=1e-6)
    share = np.abs(found[2] - plain[2]).sum() / np.abs(faithful[2] - plain[2]).sum()
    assert 0.05 < share < 0.95


SHARPNESS = torch.linspace(0, 1, 201)


def test_own_detail_rises_smoothly_with_sharpness() -> None:
    shares = adaptive_fidelity(SHARPNESS).tolist()
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert max(np.diff(shares)) < 0.1


def test_a_face_that_lost_much_keeps_some_of_what_is_left_but_not_of_its_grain() -> None:
    shares = adaptive_fidelity(SHARPNESS, torch.zeros(201)).numpy()
    at = SHARPNESS.numpy()
    assert shares[at < 0.19] == pytest.approx(0)
    assert shares[(at > 0.31) & (at < 0.4)] == pytest.approx(0.5)
    assert shares[at > 0.61] == pytest.approx(0.25)
    assert np.abs(np.diff(shares)).max() < 0.1


def test_a_face_that_lost_little_is_left_as_it_is_once_it_is_sharp() -> None:
    shares = adaptive_fidelity(SHARPNESS, torch.ones(201)).numpy()
    assert shares[SHARPNESS.numpy() < 0.4] == pytest.approx(0.75)
    assert shares[SHARPNESS.numpy() > 0.53] == pytest.approx(1)
    halfway = adaptive_fidelity(SHARPNESS, torch.full((201,), 0.5)).numpy()
    nothing = adaptive_fidelity(SHARPNESS, torch.zeros(201)).numpy()
    assert halfway == pytest.approx((shares + nothing) / 2)


def test_contrast_does_not_make_a_face_sharper() -> None:
    face = cv2.resize(np.random.default_rng(0).random((40, 40, 3), np.float32), (256, 256))
    faint = (0.5 + 0.3 * (face - 0.5)).astype(np.float32)
    blurred = np.asarray(cv2.GaussianBlur(face, (0, 0), 6))
    found = relative_sharpness(torch.from_numpy(np.stack([face, faint, blurred]))).tolist()
    assert found[1] == pytest.approx(found[0], rel=1e-3)
    assert found[2] < 0.5 * found[0]


@pytest.mark.parametrize("side", [256, 512])
def test_sharpness_of_many_faces_is_that_of_each(side: int) -> None:
    rng = np.random.default_rng(1)
    faces = [cv2.resize(rng.random((n, n, 3), np.float32), (side, side)) for n in (20, 60, 200)]
    one_by_one = [sharpness(face, FINE_SIDE) / sharpness(face, COARSE_SIDE) for face in faces]
    assert relative_sharpness(torch.from_numpy(np.stack(faces))).tolist() == pytest.approx(
        one_by_one, rel=1e-4
    )


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_whole_batch_and_its_halves_restore_alike(network: Daefr, precision: torch.dtype) -> None:
    restorer = DaefrRestorer(network.float(), device=torch.device("cpu"), precision=precision, look_up="soft")
    faces = [*FACES, *(face[::-1].copy() for face in FACES), FACES[0][:, ::-1].copy()]
    whole = restore(restorer, faces)
    halves = np.concatenate([restore(restorer, faces[:4]), restore(restorer, faces[4:])])
    # Rounding may depend on a batch's size; a code that it flips counts for little where they are averaged.
    assert np.abs(whole - halves).mean() < (1e-5 if precision == torch.float32 else 1e-2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_restores_what_the_processor_does(network: Daefr) -> None:
    on_gpu = DaefrRestorer(copy.deepcopy(network), device=torch.device("cuda"))
    on_cpu = DaefrRestorer(network, device=torch.device("cpu"))
    assert np.abs(restore(on_gpu, FACES) - restore(on_cpu, FACES)).max() < 1e-2


@pytest.mark.skipif(not torch.backends.mps.is_available(), reason="needs an Apple GPU")
def test_an_apple_gpu_restores_what_the_processor_does(network: Daefr) -> None:
    on_gpu = DaefrRestorer(copy.deepcopy(network), device=torch.device("mps"))
    on_cpu = DaefrRestorer(network, device=torch.device("cpu"))
    assert np.abs(restore(on_gpu, FACES) - restore(on_cpu, FACES)).max() < 1e-2
