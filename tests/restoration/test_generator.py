"""The generator computes what the network does, in batches, with and without the given face's detail."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from vidrestore.daefr import Daefr, DaefrConfig
from vidrestore.restoration import DaefrGenerator
from vidrestore.types import FloatArray

CPU = torch.device("cpu")
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
    config = replace(SMALL, decoder_widths=(16, 32), decoder_stem=2, encoder_stem=2, detail_width=8)
    return Daefr(config).eval().requires_grad_(False)


def restore(generator: DaefrGenerator, faces: list[FloatArray]) -> FloatArray:
    return np.stack(generator.decode(generator.predict(generator.encode(faces))))


def test_drawn_faces_are_the_networks_answer(network: Daefr) -> None:
    x = torch.from_numpy(np.stack(FACES)).permute(0, 3, 1, 2) * 2 - 1
    expected = ((network(x) + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    restored = restore(DaefrGenerator(network, device=CPU), FACES)
    assert np.abs(restored - expected).max() < 1e-4


@pytest.mark.parametrize("with_detail", [False, True])
def test_a_face_does_not_depend_on_its_batch(network: Daefr, with_detail: bool) -> None:
    generator = DaefrGenerator(network, device=CPU, with_detail=with_detail)
    together = restore(generator, FACES)
    alone = np.concatenate([restore(generator, [face]) for face in FACES])
    assert np.abs(together - alone).max() < 1e-4


def test_the_faces_own_detail_changes_what_is_drawn_and_costs_nothing_when_off(network: Daefr) -> None:
    off, on = (DaefrGenerator(network, device=CPU, with_detail=detail) for detail in (False, True))
    assert off.encode(FACES)[0].face is None
    given = on.encode(FACES)[0].face
    assert given is not None
    assert torch.allclose(given.permute(1, 2, 0), torch.from_numpy(FACES[0]) * 2 - 1)
    assert np.abs(restore(off, FACES) - restore(on, FACES)).mean() > 1e-3


def test_a_network_without_a_detail_head_draws_the_same_with_detail_or_without() -> None:
    torch.manual_seed(0)
    plain = Daefr(SMALL).eval().requires_grad_(False)
    off, on = (DaefrGenerator(plain, device=CPU, with_detail=detail) for detail in (False, True))
    assert np.array_equal(restore(off, FACES), restore(on, FACES))


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_whole_batch_and_its_halves_restore_alike(network: Daefr, precision: torch.dtype) -> None:
    generator = DaefrGenerator(network.float(), device=CPU, precision=precision, look_up="soft")
    faces = [*FACES, *(face[::-1].copy() for face in FACES), FACES[0][:, ::-1].copy()]
    whole = restore(generator, faces)
    halves = np.concatenate([restore(generator, faces[:4]), restore(generator, faces[4:])])
    # Rounding may depend on a batch's size; a code that it flips counts for little where they are averaged.
    assert np.abs(whole - halves).mean() < (1e-5 if precision == torch.float32 else 1e-2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_draws_what_the_processor_does(network: Daefr) -> None:
    on_gpu = DaefrGenerator(copy.deepcopy(network), device=torch.device("cuda"))
    on_cpu = DaefrGenerator(network, device=CPU)
    assert np.abs(restore(on_gpu, FACES) - restore(on_cpu, FACES)).max() < 1e-2


@pytest.mark.skipif(not torch.backends.mps.is_available(), reason="needs an Apple GPU")
def test_an_apple_gpu_draws_what_the_processor_does(network: Daefr) -> None:
    on_gpu = DaefrGenerator(copy.deepcopy(network), device=torch.device("mps"))
    on_cpu = DaefrGenerator(network, device=CPU)
    assert np.abs(restore(on_gpu, FACES) - restore(on_cpu, FACES)).max() < 1e-2
