"""The network computes what the specification says, in float32, wherever the tests run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

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
from vidrestore.daefr.fidelity import HALVINGS, SPECTRUM, PictureTransform, detail_spectrum
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
        network.decode(network.codebook.look_up(codes), levels, fidelity=1.0)
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
def faithful() -> Daefr:
    torch.manual_seed(0)
    network = Daefr(replace(SMALL, fidelity_sides=(SMALL.image_size // SMALL.encoder_stem,)))
    return network.eval().requires_grad_(False)


def restore_with(network: Daefr, faces: torch.Tensor, fidelity: float) -> torch.Tensor:
    fused, levels = network.encode_with_levels(faces, network.config.level_sides)
    quantised = network.codebook.look_up(network.codes(network.predict(fused)))
    return network.decode(quantised, levels, fidelity)


def test_without_fidelity_the_network_is_plain_daefr(faithful: Daefr) -> None:
    faces = torch.randn(2, 3, SMALL.image_size, SMALL.image_size)
    assert torch.equal(restore_with(faithful, faces, 0.0), faithful(faces))
    # A fresh skip changes nothing either: training starts from plain DAEFR.
    assert torch.allclose(restore_with(faithful, faces, 1.0), faithful(faces))


def test_fidelity_goes_smoothly_from_the_codes_to_the_face(faithful: Daefr) -> None:
    for parameter in faithful.fidelity.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    faces = torch.randn(1, 3, SMALL.image_size, SMALL.image_size)
    plain = restore_with(faithful, faces, 0.0)
    away = [(restore_with(faithful, faces, w) - plain).norm().item() for w in (0.05, 0.2, 0.6)]
    assert 0 < away[0] < away[1] < away[2]


def test_where_the_encoder_has_no_level_the_picture_itself_enters() -> None:
    config = replace(SMALL, encoder_stem=2, encoder_widths=(64,), fidelity_sides=(32, 16))
    assert config.skip_channels == {32: 3, 16: 64}
    network = Daefr(config).eval().requires_grad_(False)
    faces = torch.randn(1, 3, 32, 32)
    _, (picture, level) = network.encode_with_levels(faces, config.fidelity_sides)
    assert torch.equal(picture, faces)
    assert level.shape == (1, 64, 16, 16)
    assert torch.allclose(restore_with(network, faces, 1.0), network(faces))


def test_a_skip_without_a_common_level_is_refused() -> None:
    with pytest.raises(ValueError, match="in common"):
        replace(SMALL, fidelity_sides=(7,))
    with pytest.raises(ValueError, match="below half the picture"):
        replace(SMALL, fidelity_picture=8)


def test_the_last_skip_adds_its_own_picture_by_its_weight_and_hardly_any_when_fresh() -> None:
    config = replace(SMALL, encoder_stem=4, encoder_widths=(64,), decoder_stem=2, fidelity_picture=8)
    network = Daefr(config).eval().requires_grad_(False)
    faces = torch.randn(1, 3, 32, 32)
    plain = network(faces)
    # Fresh, it keeps the degraded face by some hundredths at most.
    assert (restore_with(network, faces, 1.0) - plain).abs().max() < 0.03 * (faces - plain).abs().max()
    picture = network.fidelity["picture"]
    picture.leave.bias[:] = 0.5
    assert torch.allclose(restore_with(network, faces, 0.25), plain + 0.25, atol=1e-5)
    assert torch.allclose(restore_with(network, faces, 0.5), plain + 0.5, atol=1e-5)
    assert torch.equal(restore_with(network, faces, 0.0), plain)
    # Beyond that a face that lost little stays, mended; no other does.
    picture.mend[-1].bias[:] = 0.125
    picture.verdict[2].bias[:] = 100
    assert torch.allclose(restore_with(network, faces, 1.0), faces + 0.125, atol=1e-5)
    between = (plain + 0.5 + faces + 0.125) / 2
    assert torch.allclose(restore_with(network, faces, 0.75), between, atol=1e-5)
    picture.verdict[2].bias[:] = -100
    assert torch.allclose(restore_with(network, faces, 1.0), plain + 0.5, atol=1e-5)


def test_a_batch_computes_only_what_one_of_its_faces_asks_for() -> None:
    torch.manual_seed(0)
    skip = PictureTransform(8).requires_grad_(False)
    for parameter in skip.parameters():
        parameter.add_(0.02 * torch.randn_like(parameter))
    skip.verdict[2].bias[:] = 100
    restored, degraded = torch.rand(2, 3, 3, 32, 32) * 2 - 1
    weights = torch.tensor([0.0, 0.25, 0.75])[:, None, None, None]
    together = skip(restored, degraded, weights)
    drawn, mended = skip.parts(restored, degraded)
    assert torch.equal(together[0], restored[0])
    assert torch.allclose(together[1], (restored[1] + drawn[1]) / 2, atol=1e-6)
    assert torch.allclose(together[2], (drawn[2] + mended[2]) / 2, atol=1e-6)
    computed: set[str] = set()
    skip.enter.register_forward_pre_hook(lambda *_: computed.add("what both show"))
    skip.mend.register_forward_pre_hook(lambda *_: computed.add("mended"))
    assert torch.equal(skip(restored[:1], degraded[:1], weights[:1]), together[:1])
    assert computed == set()
    assert torch.allclose(skip(restored[:2], degraded[:2], weights[:2]), together[:2], atol=1e-6)
    assert computed == {"what both show"}
    skip(restored, degraded, weights)
    assert computed == {"what both show", "mended"}


def test_a_face_of_which_next_to_nothing_may_stay_is_not_mended_whoever_is_beside_it() -> None:
    torch.manual_seed(0)
    skip = PictureTransform(8).requires_grad_(False)
    for parameter in skip.parameters():
        parameter.add_(0.02 * torch.randn_like(parameter))
    restored, degraded = torch.rand(2, 2, 3, 32, 32) * 2 - 1
    keep_weight = torch.tensor([PictureTransform.LEAST_KEPT, 1.0])[:, None, None, None]
    together = skip(restored, degraded, 1.0, keep_weight)
    drawn, mended = skip.parts(restored, degraded)
    assert torch.equal(together[0], drawn[0])
    assert torch.allclose(together[1], mended[1], atol=1e-6)
    skip.mend.register_forward_pre_hook(lambda *_: pytest.fail("mended in vain"))
    assert torch.allclose(skip(restored[:1], degraded[:1], 1.0, keep_weight[:1]), drawn[:1], atol=1e-6)


def test_what_may_stay_is_the_same_asked_for_or_found_on_the_way() -> None:
    config = replace(SMALL, encoder_stem=4, encoder_widths=(64,), decoder_stem=2, fidelity_picture=8)
    network = Daefr(config).eval().requires_grad_(False)
    network.fidelity["picture"].verdict[2].weight[:] = torch.randn(1, 32)
    faces = torch.randn(3, 3, 32, 32)
    fused, levels = network.encode_with_levels(faces, network.config.level_sides)
    quantised = network.codebook.look_up(network.codes(network.predict(fused)))
    keep_weight = network.keep_weight(levels)
    assert keep_weight is not None
    assert keep_weight.shape == (3, 1, 1, 1)
    found = network.decode(quantised, levels, 1.0)
    assert torch.equal(network.decode(quantised, levels, 1.0, keep_weight), found)
    assert Daefr(SMALL).keep_weight(levels) is None


def test_the_detail_spectrum_tells_blur_and_grain_and_not_contrast_or_size_of_the_picture() -> None:
    torch.manual_seed(0)
    coarse = torch.nn.functional.interpolate(torch.randn(1, 3, 16, 16) * 0.2, 128, mode="bicubic")
    fine = coarse + 0.1 * torch.randn(1, 3, 128, 128)
    spectrum, blurred = detail_spectrum(fine)[0], detail_spectrum(coarse)[0]
    assert spectrum.shape == (SPECTRUM,)
    slopes = 3 * (2 * HALVINGS - 1)
    # The finest halving comes first after the slopes: grain shows there, where blur has left nothing.
    assert (spectrum - blurred)[slopes : slopes + 6].min() > 4
    assert (spectrum - blurred)[-6:].abs().max() < 1
    assert (detail_spectrum(0.5 * fine)[0] - spectrum)[:slopes].abs().max() < 0.1
    assert torch.equal(detail_spectrum(torch.cat([fine, coarse]))[1], blurred)
