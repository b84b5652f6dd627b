"""The network computes what the specification says, in float32, wherever the tests run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks import plain_daefr as plain
from benchmarks.formula import authors_names, formula_face, formula_weights
from tests.support.networks import SMALL
from tests.support.shared import SHARED, needs_shared
from vidrestore.daefr import COMPACT, PUBLISHED, Daefr, DaefrConfig
from vidrestore.daefr.checkpoint import from_authors
from vidrestore.daefr.detail_skip import DetailSkip
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
        fused, levels = network.encode_with_levels(torch.zeros(1, 3, 256, 256), COMPACT.level_sides)
        codes = network.codes(network.predict(fused))
        network.decode(network.codebook.look_up(codes), levels)
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


@pytest.fixture
def with_skip() -> Daefr:
    torch.manual_seed(0)
    network = Daefr(replace(SMALL, skip_sides=(SMALL.image_size // SMALL.encoder_stem,)))
    return network.eval().requires_grad_(False)


def restore_with(network: Daefr, faces: torch.Tensor, detail: float) -> torch.Tensor:
    fused, levels = network.encode_with_levels(faces, network.config.level_sides)
    quantised = network.codebook.look_up(network.codes(network.predict(fused)))
    return network.decode(quantised, levels, detail)


def test_without_its_skips_the_network_is_plain_daefr(with_skip: Daefr) -> None:
    faces = torch.randn(2, 3, SMALL.image_size, SMALL.image_size)
    assert torch.equal(restore_with(with_skip, faces, 0.0), with_skip(faces))
    # A fresh skip changes nothing either: training starts from plain DAEFR.
    assert torch.allclose(restore_with(with_skip, faces, 1.0), with_skip(faces))


def test_the_more_a_skip_weighs_the_more_it_changes(with_skip: Daefr) -> None:
    for parameter in with_skip.skips.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    faces = torch.randn(1, 3, SMALL.image_size, SMALL.image_size)
    plain = restore_with(with_skip, faces, 0.0)
    away = [(restore_with(with_skip, faces, w) - plain).norm().item() for w in (0.05, 0.2, 0.6)]
    assert 0 < away[0] < away[1] < away[2]


def test_where_the_encoder_has_no_level_the_picture_itself_enters() -> None:
    config = replace(SMALL, encoder_stem=2, encoder_widths=(64,), skip_sides=(32, 16))
    assert config.skip_channels == {32: 3, 16: 64}
    network = Daefr(config).eval().requires_grad_(False)
    faces = torch.randn(1, 3, 32, 32)
    _, (picture, level) = network.encode_with_levels(faces, config.skip_sides)
    assert torch.equal(picture, faces)
    assert level.shape == (1, 64, 16, 16)
    assert torch.allclose(restore_with(network, faces, 1.0), network(faces))


def test_a_skip_without_a_common_level_is_refused() -> None:
    with pytest.raises(ValueError, match="in common"):
        replace(SMALL, skip_sides=(7,))
    with pytest.raises(ValueError, match="below half the picture"):
        replace(SMALL, detail_width=8)


def test_the_detail_skip_adds_its_own_picture_by_its_weight_and_nothing_before_training() -> None:
    config = replace(SMALL, encoder_stem=4, encoder_widths=(64,), decoder_stem=2, detail_width=8)
    network = Daefr(config).eval().requires_grad_(False)
    faces = torch.randn(1, 3, 32, 32)
    plain = network(faces)
    assert torch.equal(restore_with(network, faces, 1.0), plain)
    skip = network.skips["detail"]
    assert isinstance(skip, DetailSkip)
    skip.leave.bias[:] = 0.5
    assert torch.allclose(restore_with(network, faces, 0.5), plain + 0.25, atol=1e-5)
    assert torch.allclose(restore_with(network, faces, 1.0), plain + 0.5, atol=1e-5)
    assert torch.equal(restore_with(network, faces, 0.0), plain)


def test_the_detail_skip_does_the_same_to_pictures_and_to_blocks_of_pixels() -> None:
    torch.manual_seed(0)
    skip = DetailSkip(8).requires_grad_(False)
    for parameter in skip.parameters():
        parameter.add_(0.02 * torch.randn_like(parameter))
    drawn, original = torch.rand(2, 2, 3, 32, 32) * 2 - 1
    whole = skip(drawn, original)
    blocks = skip.in_blocks(F.pixel_unshuffle(drawn, 2), F.pixel_unshuffle(original, 2))
    assert torch.equal(F.pixel_shuffle(blocks, 2), whole)
    assert (whole - drawn).abs().max() > 0.01
    assert torch.allclose(skip(drawn, original, 0.25), drawn + 0.25 * (whole - drawn), atol=1e-6)
    assert torch.allclose(skip(drawn[:1], original[:1]), whole[:1], atol=1e-6)
