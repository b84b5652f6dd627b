"""The evidence network says of pictures of any size what they show, and how sure that is."""

from __future__ import annotations

import pytest
import torch

from tests.support.evidence import TINY, TINY_REFINEMENT, tiny_network
from vidrestore.evidence import Evidence, EvidenceConfig, EvidenceNetwork, scales_of_bands
from vidrestore.evidence.network import LARGEST_SCALE, SMALLEST_SCALE
from vidrestore.evidence.pyramid import BANDS, split_bands, upsample


@pytest.mark.parametrize(("height", "width"), [(16, 16), (48, 32), (64, 64)])
def test_the_estimate_has_the_pictures_size_and_the_scale_half_of_it(height: int, width: int) -> None:
    torch.manual_seed(0)
    evidence = EvidenceNetwork(TINY)(torch.rand(2, 3, height, width))
    assert evidence.mean.shape == (2, 3, height, width)
    assert evidence.scale.shape == (2, BANDS, height // 2, width // 2)
    assert evidence.scale.min() >= SMALLEST_SCALE
    assert evidence.scale.max() <= LARGEST_SCALE


def test_before_training_an_even_picture_stays_as_it_is_and_the_scale_is_a_few_codes() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(1, 3, 1, 1).expand(1, 3, 32, 32)
    evidence = EvidenceNetwork(TINY)(pictures)
    assert torch.allclose(evidence.mean, pictures, atol=1e-6)
    assert 1 < evidence.scale.median() * 255 < 10


def test_an_open_gate_keeps_every_pixel_and_a_shut_one_the_mean_around_it() -> None:
    torch.manual_seed(0)
    network = EvidenceNetwork(TINY)
    pictures = torch.rand(1, 3, 32, 32)
    torch.nn.init.constant_(network.gate.bias, 40.0)
    assert torch.allclose(network(pictures).mean, pictures, atol=1e-6)
    torch.nn.init.constant_(network.gate.bias, -40.0)
    local = torch.nn.functional.avg_pool2d(pictures, 6, stride=2)  # around blocks of 2 x 2 away from the edge
    inside = network(pictures).mean[..., 2:-2:2, 2:-2:2]
    assert torch.allclose(inside, local, atol=1e-5)


def test_a_network_that_refines_starts_from_the_picture_and_from_the_estimate_at_half_size() -> None:
    torch.manual_seed(0)
    network, pictures = EvidenceNetwork(TINY_REFINEMENT), torch.rand(2, 3, 32, 32)
    half = Evidence(torch.rand(2, 3, 16, 16), torch.full((2, BANDS, 8, 8), 0.02))
    torch.nn.init.constant_(network.gate.bias, 40.0)
    opened = network(pictures, half)
    assert torch.allclose(opened.mean, pictures, atol=1e-6)
    assert opened.scale.shape == (2, BANDS, 16, 16)
    assert opened.scale.median().item() == pytest.approx(0.02, rel=0.2)
    torch.nn.init.constant_(network.gate.bias, -40.0)
    assert torch.allclose(network(pictures, half).mean, upsample(half.mean), atol=1e-5)


def test_each_scale_starts_from_that_of_the_same_octave_at_half_size() -> None:
    network = EvidenceNetwork(TINY_REFINEMENT)
    torch.nn.init.zeros_(network.scale[-1].weight)
    given = torch.tensor([0.01, 0.02, 0.03, 0.04, 0.05])[None, :, None, None].expand(1, BANDS, 8, 8)
    scale = network(torch.rand(1, 3, 32, 32), Evidence(torch.rand(1, 3, 16, 16), given)).scale
    assert scale.mean((0, 2, 3)).tolist() == pytest.approx([0.01, 0.01, 0.02, 0.03, 0.04], rel=1e-4)


def test_the_estimate_of_a_pixel_does_not_depend_on_distant_pixels() -> None:
    """The network is local: it can be trained on small crops and run on whole faces."""
    network = tiny_network()
    picture = torch.rand(1, 3, 32, 512)
    other = picture.clone()
    other[..., 384:] = torch.rand(1, 3, 32, 128)
    one, two = network(picture), network(other)
    assert torch.allclose(one.mean[..., :192], two.mean[..., :192], atol=1e-6)
    assert torch.allclose(one.scale[..., :96], two.scale[..., :96], atol=1e-6)
    assert not torch.allclose(one.mean[..., 384:], two.mean[..., 384:], atol=1e-3)


def test_scales_come_at_each_bands_own_resolution() -> None:
    scale = torch.rand(1, BANDS, 16, 16)
    bands = split_bands(torch.rand(1, 1, 32, 32))
    scales = scales_of_bands(scale)
    assert [s.shape for s in scales] == [band.shape for band in bands]
    for k in range(1, BANDS):
        assert scales[k].mean().item() == pytest.approx(scale[:, k].mean().item(), rel=1e-5)


def test_a_configuration_survives_its_header() -> None:
    config = EvidenceConfig(widths=(8, 16), blocks=(1, 2), head_width=4)
    assert EvidenceConfig.from_dict(config.to_dict()) == config
    assert config.multiple == 4
    with pytest.raises(TypeError, match="depth"):
        EvidenceConfig.from_dict({"depth": 3})
