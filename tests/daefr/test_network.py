"""The network computes what the specification says, in float32, wherever the tests run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks import plain_daefr as plain
from benchmarks.formula import authors_names, formula_face, formula_weights
from tests.support.networks import SMALL
from tests.support.shared import SHARED, needs_shared
from vidrestore.daefr import COMPACT, PUBLISHED, Daefr, DaefrConfig
from vidrestore.daefr.checkpoint import from_authors
from vidrestore.daefr.detail_head import DetailHead
from vidrestore.daefr.inference import optimize_for_inference
from vidrestore.daefr.vector_quantizer import Codebook
from vidrestore.daefr.vqgan import Vqgan

TINY = DaefrConfig(
    name="tiny",
    encoder_widths=(32, 32, 32, 32, 64, 64),
    decoder_widths=(32, 32, 32, 32, 64, 64),
    encoder_blocks=1,
    decoder_blocks=2,
)


def relative(ours: Tensor, theirs: Tensor | np.ndarray) -> float:
    theirs = torch.as_tensor(theirs)
    return float((ours - theirs).norm() / theirs.norm())


@torch.inference_mode()
def test_the_network_equals_a_plain_one_written_from_the_specification() -> None:
    network = Daefr(SMALL).eval()
    state = formula_weights(authors_names(network))
    network.load_state_dict(from_authors(state, Path("formula")))
    face = formula_face(32)
    expected = plain.restore(state, face, groups=32, levels=2, blocks=1)

    fused = network.encode(face)
    logits = network.predict(fused)

    assert relative(fused, expected["fused"]) < 1e-5
    assert relative(logits, expected["logits"]) < 1e-5
    assert torch.equal(network.codes(logits).flatten(1), expected["codes"])
    assert (network(face) - expected["output"]).abs().max() < 1e-4


@needs_shared
@torch.inference_mode()
@pytest.mark.parametrize("optimized", [False, True])
@pytest.mark.parametrize(("name", "config"), [("tiny", TINY), ("official", PUBLISHED)])
def test_the_network_equals_the_authors_own(name: str, config: DaefrConfig, optimized: bool) -> None:
    shapes = json.loads((SHARED / "parity" / f"{name}_keys.json").read_text())
    expected = np.load(SHARED / "parity" / f"{name}.npz")
    state = formula_weights(shapes)
    network = Daefr(config).eval()
    network.load_state_dict(from_authors(state, Path(name)))
    if optimized:
        optimize_for_inference(
            network.to(memory_format=torch.channels_last), torch.device("cpu"), torch.float32, 512
        )  # type: ignore[call-overload]

    face = formula_face()
    fused = network.encode(face)
    logits = network.predict(fused)
    output = network.decode(network.codebook.look_up(network.codes(logits)))

    assert relative(fused[0], expected["fused"]) < 1e-4
    assert relative(logits[0], expected["logits"]) < 1e-4
    top = np.sort(expected["logits"], -1)
    sure = top[:, -1] - top[:, -2] > 1e-3
    assert (logits[0].argmax(-1).numpy() == expected["indices"])[sure].all()
    assert np.abs(output[0].numpy()[:, ::4, ::4] - expected["output_sub4"]).max() < 1e-3


@needs_shared
@torch.inference_mode()
def test_the_plain_network_equals_the_authors_own() -> None:
    shapes = json.loads((SHARED / "parity" / "tiny_keys.json").read_text())
    expected = np.load(SHARED / "parity" / "tiny.npz")
    ours = plain.restore(formula_weights(shapes), formula_face(), groups=32, levels=6, blocks=1)
    for name in ("z_lq", "z_hq", "fused", "logits"):
        assert relative(ours[name][0], expected[name]) < 1e-4
    assert (ours["nearest"][0].numpy() == expected["vq_indices_of_z_lq"].flatten()).all()
    assert np.abs(ours["output"][0].numpy()[:, ::4, ::4] - expected["output_sub4"]).max() < 1e-3


@needs_shared
@torch.inference_mode()
def test_the_stage_one_autoencoder_equals_the_authors_own() -> None:
    state = formula_weights(json.loads((SHARED / "parity" / "tiny_keys.json").read_text()))
    expected = np.load(SHARED / "parity" / "tiny.npz")
    renamed = {
        new + key.removeprefix(old): tensor
        for old, new in {
            "vqvae.Fixed_encoder.": "encoder.",
            "vqvae.Fixed_quant_conv.": "quant_conv.",
            "vqvae.Fixed_quantize.": "codebook.",
            "vqvae.post_quant_conv.": "post_quant_conv.",
            "vqvae.decoder.": "decoder.",
        }.items()
        for key, tensor in state.items()
        if (key.startswith(old) and ".attn" not in key) or (key.startswith(old) and ".norm2." not in key)
    }
    autoencoder = Vqgan(TINY).eval()
    wanted = autoencoder.state_dict()
    autoencoder.load_state_dict({k: v for k, v in renamed.items() if k in wanted})

    features = autoencoder.encode(formula_face())
    quantised, loss, codes = autoencoder.codebook(features)
    reconstruction = autoencoder.decode(quantised)

    assert (codes.flatten().numpy() == expected["hq_vq_indices"].flatten()).all()
    assert float(loss) == pytest.approx(float(expected["hq_vq_loss"]), rel=1e-4)
    assert np.abs(reconstruction[0].numpy()[:, ::4, ::4] - expected["hq_reconstruction_sub4"]).max() < 1e-3


def test_compact_stays_within_its_budget() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    network = Daefr(COMPACT).requires_grad_(False)
    assert sum(p.numel() for p in network.parameters()) <= 12e6
    with FlopCounterMode(display=False) as counter:
        faces = torch.zeros(1, 3, 256, 256)
        codes = network.codes(network.predict(network.encode(faces)))
        network.decode(network.codebook.look_up(codes), faces)
    assert counter.get_total_flops() <= 20e9


def test_a_configuration_whose_levels_miss_the_latent_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="decoder's levels"):
        DaefrConfig(image_size=64, encoder_widths=(32, 32), decoder_widths=(32, 32, 32))


def test_the_soft_look_up_of_one_code_is_the_hard_one() -> None:
    torch.manual_seed(0)
    codebook, logits = Codebook(20, 8), torch.randn(2, 16, 20)
    hard = codebook.look_up(logits.argmax(-1).unflatten(1, (4, 4)))
    assert torch.allclose(codebook.expect(logits, top=1), hard)


def test_the_soft_look_up_is_the_expectation_over_all_codes() -> None:
    torch.manual_seed(0)
    codebook, logits = Codebook(20, 8), torch.randn(2, 16, 20)
    expected = (logits.softmax(-1) @ codebook.embedding.weight).transpose(1, 2).unflatten(2, (4, 4))
    assert torch.allclose(codebook.expect(logits, top=20), expected, atol=1e-6)


WITH_HEAD = replace(SMALL, encoder_stem=4, encoder_widths=(64,), decoder_stem=2, detail_width=8)


@pytest.fixture
def with_head() -> Daefr:
    torch.manual_seed(0)
    return Daefr(WITH_HEAD).eval().requires_grad_(False)


def quantised_of(network: Daefr, faces: Tensor) -> Tensor:
    return network.codebook.look_up(network.codes(network.predict(network.encode(faces))))


def test_without_its_detail_head_the_network_is_plain_daefr(with_head: Daefr) -> None:
    plain = Daefr(replace(WITH_HEAD, detail_width=0)).eval().requires_grad_(False)
    plain.load_state_dict(with_head.state_dict(), strict=False)
    faces = torch.randn(2, 3, 32, 32)
    assert torch.equal(with_head(faces), plain(faces))
    # A network without a head leaves the inputs out.
    quantised = quantised_of(plain, faces)
    assert torch.equal(plain.decode(quantised, faces), plain.decode(quantised))


def test_the_detail_head_draws_from_the_codes_and_from_the_input(with_head: Daefr) -> None:
    faces, others = torch.randn(2, 2, 3, 32, 32)
    quantised = quantised_of(with_head, faces)
    drawn = with_head.decode(quantised, faces)
    assert drawn.shape == faces.shape
    changes = [
        (with_head.decode(quantised.flip(0), faces) - drawn).abs().amax((1, 2, 3)),
        (with_head.decode(quantised, others) - drawn).abs().amax((1, 2, 3)),
    ]
    assert all((change > 1e-3).all() for change in changes)


def test_the_detail_head_takes_the_decoders_features_at_a_quarter_of_the_side(with_head: Daefr) -> None:
    head = with_head.detail_head
    assert isinstance(head, DetailHead)
    quantised, faces = torch.randn(2, 64, 8, 8), torch.randn(2, 3, 32, 32)
    features = with_head.decoder.features_of_level(with_head.post_quant_conv(quantised), 1)
    assert features.shape[2:] == (8, 8)
    assert torch.equal(with_head.decode(quantised, faces), head(features, faces))


def test_a_face_that_the_detail_head_draws_does_not_depend_on_its_batch(with_head: Daefr) -> None:
    faces = torch.randn(3, 3, 32, 32)
    quantised = quantised_of(with_head, faces)
    together = with_head.decode(quantised, faces)
    alone = torch.cat([with_head.decode(quantised[i : i + 1], faces[i : i + 1]) for i in range(3)])
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"image_size": 4, "encoder_stem": 2, "decoder_widths": (64,)},
        {"encoder_stem": 8, "decoder_stem": 8, "decoder_widths": (64,)},
    ],
)
def test_a_detail_head_that_does_not_fit_the_decoder_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="detail"):
        replace(WITH_HEAD, **change)
