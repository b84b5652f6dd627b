"""Fused residual blocks compute what the plain ones do."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.support.networks import SMALL, relative
from vidrestore.daefr import Daefr
from vidrestore.daefr.blocks import ResidualBlock
from vidrestore.daefr.cpu import kernels
from vidrestore.daefr.cpu.fused import FORMS, FusedResidualBlock
from vidrestore.daefr.inference import LEAST_SIDE, is_fusion_faster, optimize_for_inference
from vidrestore.runtime.worker_threads import ParallelFor

CPU = torch.device("cpu")


def blocks(before: int, after: int, groups: int, precision: torch.dtype) -> list[ResidualBlock]:
    """The same block in float64 and in `precision`."""
    result = ResidualBlock(before, after, groups).eval().requires_grad_(False)
    for norm in (result.norm1, result.norm2):
        nn.init.normal_(norm.weight, 1, 0.2)
        nn.init.normal_(norm.bias, 0, 0.2)
    result.to(precision)
    return [copy.deepcopy(result).double(), result]


@pytest.mark.parametrize(("precision", "most"), [(torch.bfloat16, 0.01), (torch.float32, 1e-5)])
@pytest.mark.parametrize(
    ("faces", "before", "after", "groups", "height", "width"),
    # A single tile; several blocks with rests on both sides; another number of channels; several faces.
    [(1, 8, 8, 4, 4, 4), (1, 16, 16, 8, 76, 600), (1, 24, 40, 8, 12, 20), (3, 64, 48, 16, 16, 16)],
)
def test_a_fused_block_is_the_plain_one(
    faces: int,
    before: int,
    after: int,
    groups: int,
    height: int,
    width: int,
    precision: torch.dtype,
    most: float,
) -> None:
    torch.manual_seed(0)
    exact, short = blocks(before, after, groups, precision)
    x = (3 * torch.randn(faces, before, height, width) + 1).to(precision)
    with torch.inference_mode():
        expected = exact(x.double())
        plain = short(x)
        ours = FusedResidualBlock(short, ParallelFor())(x)
    assert ours.dtype == precision
    assert ours.shape == expected.shape
    # Plain 16 bits round after every operation, the fused block the transformed tiles and products.
    assert relative(plain, expected) < most
    assert relative(ours, expected) < most
    for edge in (ours[..., 0, :] - expected[..., 0, :], ours[..., -1] - expected[..., -1]):
        assert float(edge.abs().max()) < 5 * most * float(expected.abs().max())


def test_pictures_that_do_not_end_with_a_block_are_whole_in_16_bits() -> None:
    exact, short = blocks(16, 16, 8, torch.bfloat16)
    x = torch.randn(1, 16, 38, 298).bfloat16()
    assert relative(FusedResidualBlock(short, ParallelFor())(x), exact(x.double())) < 0.01


def test_a_fused_block_leaves_its_input_alone() -> None:
    _, short = blocks(16, 16, 8, torch.bfloat16)
    x = torch.randn(1, 16, 8, 8).bfloat16().contiguous(memory_format=torch.channels_last)
    kept = x.clone()
    FusedResidualBlock(short, ParallelFor())(x)
    assert torch.equal(x, kept)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float32])
def test_a_fused_block_gives_the_same_result_with_any_number_of_threads(precision: torch.dtype) -> None:
    torch.manual_seed(0)
    _, short = blocks(64, 64, 8, precision)
    fused = FusedResidualBlock(short, ParallelFor())
    x = torch.randn(2, 64, 64, 64).to(precision)
    usual = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(fused(x))
    finally:
        torch.set_num_threads(usual)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_swish_before_the_transform_is_that_of_torch() -> None:
    # A tile of one colour, of which the point (1, 1) is the sum of four activated pixels.
    values = torch.cat([torch.linspace(-120, 120, 4001), torch.tensor([0.0, -0.0, 1e-30, 88.0, -1e4])])
    words = values.bfloat16().view(torch.int16).numpy().view(np.uint16)
    size = len(words)
    picture = np.broadcast_to(words, (4, 4, size)).copy()
    one, none = np.ones(size, np.float32), np.zeros(size, np.float32)
    lines, halves = np.empty((4, 2, 2 * size), np.float32), np.empty((2, 2 * size), np.float32)
    tiles = np.empty((16, 1, size), np.uint16)
    kernels.tiles_in(picture, 0, 0, one, none, lines, halves, tiles)
    expected = torch.nn.functional.silu(values.bfloat16().float())
    activated = torch.from_numpy(lines[1, 1, :size])
    torch.testing.assert_close(activated, expected, rtol=1e-5, atol=1e-30)
    assert torch.equal(as_tensor(tiles[5, 0]), (4 * activated).bfloat16())


def test_a_fused_block_passes_on_nan() -> None:
    _, short = blocks(8, 8, 4, torch.bfloat16)
    x = torch.randn(1, 8, 4, 4).bfloat16()
    x[0, 0, 0, 0] = torch.nan
    assert FusedResidualBlock(short, ParallelFor())(x).isnan().any()


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float32])
def test_channels_are_summed_as_torch_sums_them(precision: torch.dtype) -> None:
    x = torch.randn(5, 6, 7).to(precision)
    sums = np.zeros((2, 7), np.float32)
    words = x.view(torch.int16).numpy().view(np.uint16) if precision == torch.bfloat16 else x.numpy()
    FORMS[precision].channel_sums(words, sums)
    np.testing.assert_allclose(sums[0], x.float().sum((0, 1)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(sums[1], x.float().square().sum((0, 1)), rtol=1e-5)


def test_blocks_are_fused_in_large_faces_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "vidrestore.daefr.inference.is_fusion_faster", lambda block: type(block) is ResidualBlock
    )
    for precision in (torch.bfloat16, torch.float32):
        assert FusedResidualBlock in kinds_in(precision, LEAST_SIDE)
        assert FusedResidualBlock not in kinds_in(precision, LEAST_SIDE // 2)
    assert FusedResidualBlock not in kinds_in(torch.float16, LEAST_SIDE)


def test_without_a_compiler_the_blocks_stay_unfused_and_the_log_reports_it() -> None:
    run = subprocess.run([sys.executable, "-c", _WITHOUT_NUMBA], check=True, capture_output=True, text=True)
    assert "computed by PyTorch only" in run.stderr
    assert "ResidualBlock" in run.stdout.split()


_WITHOUT_NUMBA = """
import logging, sys
sys.modules["numba"] = None
logging.basicConfig(level=logging.INFO)
import torch
from torch import nn
from vidrestore.daefr.blocks import ResidualBlock
from vidrestore.daefr.inference import optimize_for_inference
part = nn.Sequential(ResidualBlock(64, 64, 32))
optimize_for_inference(part, torch.device("cpu"), torch.bfloat16, 512)
print(type(part[0]).__name__)
"""


@pytest.mark.parametrize(
    ("processor", "by_the_tile", "in_16_bits", "in_32_bits"),
    [
        ("AVX512", False, True, True),
        ("AVX512", True, False, True),
        ("AVX2", False, False, True),
        ("DEFAULT", False, False, False),
    ],
)
def test_fused_blocks_pay_with_wide_vectors_and_without_a_matrix_unit(
    processor: str, by_the_tile: bool, in_16_bits: bool, in_32_bits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: processor)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: by_the_tile, raising=False)
    assert is_fusion_faster(ResidualBlock(64, 128, 32)) == in_32_bits
    assert is_fusion_faster(ResidualBlock(64, 128, 32).bfloat16()) == in_16_bits
    assert not is_fusion_faster(ResidualBlock(32, 64, 32))
    assert not is_fusion_faster(nn.Identity())


def test_a_network_with_fused_blocks_answers_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "vidrestore.daefr.inference.is_fusion_faster", lambda block: type(block) is ResidualBlock
    )
    torch.manual_seed(0)
    exact = Daefr(replace(SMALL, encoder_widths=(32, 64))).eval().requires_grad_(False)
    plain, fast = copy.deepcopy(exact).to(torch.bfloat16), copy.deepcopy(exact).to(torch.bfloat16)
    optimize_for_inference(fast, CPU, torch.bfloat16, LEAST_SIDE)
    faces = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        expected = exact.encode(faces)
        error = relative(fast.encode(faces.bfloat16()), expected)
        assert error < max(2 * relative(plain.encode(faces.bfloat16()), expected), 0.01)


def kinds_in(precision: torch.dtype, side: int) -> set[type[nn.Module]]:
    network = Daefr(SMALL).requires_grad_(False).to(precision)
    optimize_for_inference(network, CPU, precision, side)
    return {type(part) for part in network.modules()}


def as_tensor(words: np.ndarray) -> Tensor:
    return torch.from_numpy(words.view(np.int16)).view(torch.bfloat16)
