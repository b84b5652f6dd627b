"""The restorer computes what the network does, in batches, with and without fidelity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidrestore.daefr import Daefr, DaefrConfig, save
from vidrestore.errors import UsageError
from vidrestore.restoration import DaefrRestorer, make_restorer
from vidrestore.restoration.restorer import own_detail, relative_sharpness
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
    pictures = np.random.default_rng(0).random((16, 16, 3), np.float32)
    sharp = cv2.resize(pictures, (32, 32), interpolation=cv2.INTER_NEAREST)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 8))
    between = 0.75 * blurred + 0.25 * sharp
    off, on, adaptive = (
        DaefrRestorer(network, device=torch.device("cpu"), fidelity=w) for w in (0.0, 1.0, None)
    )
    faces = [sharp, blurred, between]
    found, plain, faithful = (restore(r, faces) for r in (adaptive, off, on))
    assert np.allclose(found[0], faithful[0], atol=1e-6)
    assert np.allclose(found[1], plain[1], atol=1e-6)
    share = np.abs(found[2] - plain[2]).sum() / np.abs(faithful[2] - plain[2]).sum()
    assert 0.05 < share < 0.95


def test_own_detail_rises_smoothly_with_sharpness() -> None:
    shares = [own_detail(s) for s in np.linspace(0, 30, 61)]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert max(np.diff(shares)) < 0.1


def test_contrast_does_not_make_a_face_sharper() -> None:
    face = cv2.resize(np.random.default_rng(0).random((40, 40, 3), np.float32), (256, 256))
    faint = (0.5 + 0.3 * (face - 0.5)).astype(np.float32)
    blurred = np.asarray(cv2.GaussianBlur(face, (0, 0), 6))
    assert relative_sharpness(faint) == pytest.approx(relative_sharpness(face), rel=1e-3)
    assert relative_sharpness(blurred) < 0.5 * relative_sharpness(face)
