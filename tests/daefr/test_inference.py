"""What makes the network fast computes what it takes the place of."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from benchmarks.kernel_count import count_kernels
from tests.support.networks import SMALL, relative
from vidrestore.daefr import Daefr
from vidrestore.daefr.blocks import DoubledConv2d, ResidualBlock, Upsample
from vidrestore.daefr.channels_last_norm import ChannelsLastGroupNorm
from vidrestore.daefr.cpu.winograd import WinogradConv2d, is_faster, is_supported
from vidrestore.daefr.inference import PhasedUpsample, optimize_for_inference
from vidrestore.daefr.transposed_upsample import TransposedUpsample

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("faces", "before", "after", "height", "width"),
    # The third has more rows of tiles than are worked on at a time, and not a multiple of them; the last more
    # small faces.
    [(1, 32, 48, 4, 4), (2, 40, 32, 8, 20), (2, 32, 33, 28, 256), (1, 64, 64, 16, 16), (29, 8, 8, 16, 16)],
)
def test_winograds_convolution_is_the_plain_one(
    faces: int, before: int, after: int, height: int, width: int
) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(before, after, 3, padding=1).requires_grad_(False)
    x = torch.randn(faces, before, height, width)
    expected = nn.functional.conv2d(x.double(), conv.weight.double(), conv.bias.double(), padding=1)  # type: ignore[union-attr]
    ours = WinogradConv2d(conv)(x)
    assert ours.shape == expected.shape
    assert relative(ours, expected) < 1e-5
    assert relative(ours[..., 0, :], expected[..., 0, :]) < 1e-5
    assert relative(ours[..., -1], expected[..., -1]) < 1e-5


def test_winograds_convolution_leaves_its_input_alone() -> None:
    conv = nn.Conv2d(32, 32, 3, padding=1, bias=False).requires_grad_(False)
    x = torch.randn(1, 32, 8, 8).contiguous(memory_format=torch.channels_last)
    kept = x.clone()
    WinogradConv2d(conv)(x)
    assert torch.equal(x, kept)


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(64, 64, 1),
        nn.Conv2d(64, 64, 3, stride=2, padding=1),
        nn.Conv2d(64, 64, 3),
        nn.Conv2d(64, 64, 3, padding=1, groups=2),
        nn.Conv2d(64, 64, 3, padding=2, dilation=2),
        nn.Conv2d(64, 64, 3, padding=1, padding_mode="reflect"),
        nn.Identity(),
    ],
)
def test_winograd_supports_no_other_than_plain_3x3_convolutions(conv: nn.Module) -> None:
    assert not is_supported(conv)


@pytest.mark.parametrize(("processor", "least"), [("AVX2", 128), ("AVX512", 64)])
def test_winograd_is_not_used_for_few_channels(
    processor: str, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: processor)
    assert is_faster(nn.Conv2d(least, least, 3, padding=1))
    assert not is_faster(nn.Conv2d(least - 1, 256, 3, padding=1))
    assert not is_faster(nn.Conv2d(256, least - 1, 3, padding=1))
    assert not is_faster(nn.Conv2d(64, 3, 3, padding=1))
    assert not is_faster(nn.Conv2d(256, 256, 1))


@pytest.mark.parametrize(("precision", "most"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)])
def test_upsampling_by_phases_is_the_plain_one(precision: torch.dtype, most: float) -> None:
    torch.manual_seed(0)
    plain = Upsample(8).requires_grad_(False)
    x = torch.randn(2, 8, 5, 7)
    expected = plain(x)
    ours = PhasedUpsample(plain.to(precision).conv)(x.to(precision))
    assert ours.dtype == precision
    assert ours.shape == expected.shape
    assert relative(ours, expected) < most
    assert relative(ours[..., 0, :], expected[..., 0, :]) < most
    assert relative(ours[..., -1], expected[..., -1]) < most


@pytest.mark.parametrize(("precision", "most"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)])
@pytest.mark.parametrize(("before", "after", "height", "width"), [(8, 8, 5, 7), (3, 5, 1, 1), (6, 4, 2, 9)])
def test_a_transposed_convolution_upsamples_as_the_plain_one(
    precision: torch.dtype, most: float, before: int, after: int, height: int, width: int
) -> None:
    torch.manual_seed(0)
    plain = DoubledConv2d(before, after).requires_grad_(False)
    x = torch.randn(2, before, height, width)
    expected = plain(x)
    ours = TransposedUpsample(plain.to(precision))(x.to(precision))
    assert ours.dtype == precision
    assert ours.shape == expected.shape
    assert relative(ours, expected) < most
    for edge in (0, -1):
        assert relative(ours[..., edge, :], expected[..., edge, :]) < most
        assert relative(ours[..., edge], expected[..., edge]) < most


def test_a_network_with_the_layers_for_cuda_answers_as_before() -> None:
    torch.manual_seed(0)
    config = replace(SMALL, encoder_widths=(32, 128))
    network = Daefr(config).eval().requires_grad_(False)
    fast = copy.deepcopy(network)
    optimize_for_inference(fast, torch.device("cuda"), torch.float32, 32)  # replacing needs no device
    kinds = [type(part) for part in fast.modules()]
    assert TransposedUpsample in kinds
    assert ChannelsLastGroupNorm in kinds
    assert DoubledConv2d not in kinds
    faces = torch.randn(2, 3, 32, 32)
    assert relative(fast(faces), network(faces)) < 1e-4


def test_a_transposed_convolution_needs_four_ninths_of_the_operations_in_one_kernel() -> None:
    plain = DoubledConv2d(16, 16).requires_grad_(False).to(memory_format=torch.channels_last)
    x = torch.randn(1, 16, 8, 8).contiguous(memory_format=torch.channels_last)
    ours = TransposedUpsample(plain)
    before, after = count_kernels(lambda: plain(x)), count_kernels(lambda: ours(x))
    assert after.total == 1
    assert before.total == 2
    assert after.flop * 9 == before.flop * 4
    assert after.bytes < before.bytes / 1.5
    assert after.layout_copies == 0


def test_an_optimized_network_gives_the_same_results() -> None:
    torch.manual_seed(0)
    config = replace(SMALL, encoder_widths=(32, 128))
    network = Daefr(config).eval().requires_grad_(False)
    fast = copy.deepcopy(network)
    optimize_for_inference(fast, CPU, torch.float32, 32)
    kinds = [type(part) for part in fast.modules()]
    assert WinogradConv2d in kinds
    assert PhasedUpsample in kinds
    assert DoubledConv2d not in kinds
    faces = torch.randn(2, 3, 32, 32)
    assert relative(fast.encode(faces), network.encode(faces)) < 1e-5
    assert relative(fast(faces), network(faces)) < 1e-4


def test_a_bfloat16_network_does_not_use_winograd_convolutions() -> None:
    network = Daefr(SMALL).requires_grad_(False).to(torch.bfloat16)
    optimize_for_inference(network, CPU, torch.bfloat16, 32)
    kinds = [type(part) for part in network.modules()]
    assert WinogradConv2d not in kinds
    assert PhasedUpsample in kinds


def test_a_block_gives_the_same_result_in_training_and_in_inference() -> None:
    torch.manual_seed(0)
    block = ResidualBlock(32, 32, 8)
    x = torch.randn(1, 32, 8, 8, requires_grad=True)
    learning = block(x)
    learning.square().mean().backward()
    assert x.grad is not None
    kept = x.detach().clone()
    with torch.inference_mode():
        assert relative(block(kept), learning.detach()) < 1e-6
    assert torch.equal(kept, x.detach())
