"""The operations for a GPU, checked without one.

PyTorch's fake tensors have a device, a shape and a type, and nothing in them. An operation on tensors of two
devices fails with them as it would on a GPU, and so does whatever asks for a value, for which a GPU would
have to finish all its work.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from benchmarks.kernel_count import count_kernels
from tests.support.fake_device import replace_parameters
from vidrestore.daefr import COMPACT, Daefr
from vidrestore.daefr.channels_last_norm import ChannelsLastGroupNorm
from vidrestore.daefr.transposed_upsample import TransposedUpsample
from vidrestore.restoration import DaefrGenerator, FaceCodes, TemporalBlend
from vidrestore.restoration.batched_blend import blend_codes, blend_features
from vidrestore.restoration.temporal_blend import numbers_on

FACES = [np.full((256, 256, 3), level, np.float32) for level in (0.2, 0.5, 0.8)]


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> Iterator[DaefrGenerator]:
    """The compact network on a GPU that is not there."""
    monkeypatch.setattr(nn.Module, "_apply", replace_parameters)
    # Fake memory cannot be pinned.
    for module in ("generator", "temporal_blend"):
        monkeypatch.setattr(
            f"vidrestore.restoration.{module}.to_device",
            lambda faces, device: torch.from_numpy(np.stack(faces)).to(device),
        )
    monkeypatch.setattr("vidrestore.restoration.generator.from_device", lambda pictures: [pictures])
    network = Daefr(COMPACT).eval().requires_grad_(False)
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield DaefrGenerator(
            network, device=torch.device("cuda"), precision=torch.bfloat16, look_up="soft", with_detail=True
        )
    numbers_on.cache_clear()


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_all_batches_are_launched_on_a_gpu_without_waiting_for_it(generator: DaefrGenerator) -> None:
    blend = TemporalBlend(strength=1)
    features = generator.encode(FACES)
    assert features[0].fused.device.type == "cuda"
    assert features[0].fused.dtype == torch.float32
    middle = blend.features(features[1], [(-1, features[0]), (1, features[2])])
    codes = generator.predict([features[0], middle, features[2]])
    steadied = blend.codes(codes[1], [(-1, codes[0]), (1, codes[2])])
    assert isinstance(steadied, FaceCodes)
    assert steadied.log_probabilities.device.type == "cuda"
    assert steadied.log_probabilities.dtype == torch.float32
    (pictures,) = generator.decode([codes[0], steadied, codes[2]])
    assert isinstance(pictures, Tensor)
    assert (pictures.device.type, pictures.dtype) == ("cuda", torch.float32)
    assert pictures.shape == (3, 256, 256, 3)


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_a_gpu_blends_the_faces_of_a_batch_together(generator: DaefrGenerator) -> None:
    blend = TemporalBlend(strength=1)
    features = generator.encode(FACES)
    first, middle, last = features
    encoded = blend_features(blend, [(first, [(1, middle)]), (middle, [(-1, first), (1, last)])])
    codes = generator.predict(encoded)
    blended = blend_codes(blend, [(codes[0], [(1, codes[1])]), (codes[1], [])])
    assert blended[0].log_probabilities.device.type == "cuda"
    assert blended[0].log_probabilities.shape == codes[0].log_probabilities.shape
    counted = count_kernels(lambda: blend_codes(blend, [(codes[0], [(1, codes[1])])] * 16))
    assert counted.total < 40, counted.by_operation


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_pictures_stay_channels_last_on_a_gpu(
    generator: DaefrGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    reordered: list[tuple[str, torch.Size]] = []
    layers = 0

    def check(layer: type[nn.Module]) -> None:
        compute = layer.forward

        def forward(self: nn.Module, x: Tensor) -> Tensor:
            nonlocal layers
            layers += 1
            # Coarser grids, where attention reorders, take next to no time.
            if x.shape[-1] > 16 and not x.is_contiguous(memory_format=torch.channels_last):
                reordered.append((str(self), x.shape))
            # cuDNN keeps the order; without it, fake convolutions give another.
            return compute(self, x).contiguous(memory_format=torch.channels_last)

        monkeypatch.setattr(layer, "forward", forward)

    check(nn.Conv2d)
    check(TransposedUpsample)
    check(ChannelsLastGroupNorm)
    generator.decode(generator.predict(generator.encode(FACES)))
    assert layers > 20
    assert reordered == []


def test_fake_tensors_detect_reads_of_values_and_mixed_devices(generator: DaefrGenerator) -> None:
    features, _ = generator.encode(FACES[:2])
    with pytest.raises(DataDependentOutputException):
        float(features.sharpness)
    with pytest.raises(RuntimeError, match="device"):
        _ = features.fused + torch.ones(256, 16, 16)
