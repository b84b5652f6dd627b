"""Parts of the work on a GPU, each beside the way it replaces: upsampling, cutting out faces, launching.

    python -m benchmarks.gpu_parts [--device cuda] [--rounds 20] [--out FOLDER]

It counts without a GPU, and measures on the device. `benchmarks gpu` includes both.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from benchmarks.kernel_count import KernelCount, count_kernels
from benchmarks.timing import interleaved
from vidrestore.colour.arrays import frame_from_array
from vidrestore.daefr import COMPACT, PUBLISHED, Daefr, DaefrConfig
from vidrestore.daefr.blocks import DoubledConv2d
from vidrestore.daefr.inference import PhasedUpsample
from vidrestore.daefr.transposed_upsample import TransposedUpsample
from vidrestore.faces.alignment import similarity, template, warp_face
from vidrestore.restoration import temporal_blend
from vidrestore.restoration.pinned_copies import to_device
from vidrestore.restoration.temporal_blend import numbers_on
from vidrestore.restoration.tensor_pictures import alignment, planes
from vidrestore.restoration.tensor_pictures.alignment import Crop, warp_faces
from vidrestore.runtime.device import resolve_device, resolve_precision
from vidrestore.runtime.launching_thread import launch, launching_thread
from vidrestore.types import ColourTags, Frame, PixelFormat

NETWORKS = {"published": PUBLISHED, "compact": COMPACT}
WAYS: dict[str, Callable[[nn.Conv2d], nn.Module]] = {
    "upsampled, then convolved": nn.Sequential,
    "four convolutions": PhasedUpsample,
    "one transposed convolution": TransposedUpsample,
}
BATCH = 16
SIDE = 512
"""Of the crops [px]."""
SCALES = {"a face of 427 px": 1.2, "a face of 569 px": 0.9}
"""Faces in the frame that are enlarged to the crop, and reduced with a low-pass."""
THREADS, KERNELS = 8, 200
"""Threads that launch, and the kernels of each."""

Layer = tuple[DoubledConv2d, torch.Size]
"""A convolution after upsampling, and the shape of its input for one face."""


def count() -> dict[str, Any]:
    """What each way asks of a GPU."""
    return {
        "upsampling_a_face": {
            name: {way: _counted(doubled_layers(config), make) for way, make in WAYS.items()}
            for name, config in NETWORKS.items()
        },
        "cut_out_a_face": {name: _counted_cut_out(scale) for name, scale in SCALES.items()},
        "megabytes_of_a_float_crop": 3 * SIDE**2 * 4 / 1e6,
    }


def measure(
    device: torch.device, rounds: int, networks: dict[str, DaefrConfig] | None = None
) -> dict[str, Any]:
    """Milliseconds of each way on the device, least of all rounds.

    Args:
        device: The device.
        rounds: How often each is measured.
        networks: Configurations whose upsampling is measured; None: both of the project.
    """
    return {
        "upsampling_milliseconds_a_face": {
            name: _upsampling(doubled_layers(config), device, rounds)
            for name, config in (networks or NETWORKS).items()
        },
        "cut_out_milliseconds_a_face": {
            name: _cut_out(scale, device, rounds) for name, scale in SCALES.items()
        },
        "launching": _launching(device, rounds),
    }


def doubled_layers(config: DaefrConfig) -> list[Layer]:
    """The convolutions after upsampling in the network's decoder, on the meta device."""
    found: list[Layer] = []
    with torch.device("meta"):
        decoder = Daefr(config).eval().requires_grad_(False).decoder
        convolutions = [module for module in decoder.modules() if isinstance(module, DoubledConv2d)]
        hooks = [conv.register_forward_pre_hook(partial(_note_shape, found)) for conv in convolutions]
        decoder(torch.empty(1, config.embedding, config.latent_size, config.latent_size))
    for hook in hooks:
        hook.remove()
    return found


def _note_shape(found: list[Layer], conv: nn.Module, given: tuple[Tensor, ...]) -> None:
    assert isinstance(conv, DoubledConv2d)
    found.append((conv, given[0].shape))


def _counted(layers: Sequence[Layer], make: Callable[[nn.Conv2d], nn.Module]) -> dict[str, float]:
    total = KernelCount()
    for conv, shape in layers:
        layer = make(conv.to(torch.bfloat16, memory_format=torch.channels_last))  # type: ignore[call-overload]
        x = torch.empty(shape, dtype=torch.bfloat16, device="meta").contiguous(
            memory_format=torch.channels_last
        )
        total.kernels += count_kernels(partial(layer, x)).kernels
    return {"kernels": total.total, "gflop": total.flop / 1e9, "megabytes_moved": total.bytes / 1e6}


def _counted_cut_out(scale: float) -> dict[str, float]:
    frame, crop = _framed_face(scale)
    sent: list[int] = []

    def upload(packed: Tensor, device: torch.device) -> Tensor:
        sent.append(packed.nbytes)
        return packed.to(device)

    with ExitStack() as stack:
        for module in (alignment, planes):  # fake memory cannot be pinned
            stack.enter_context(mock.patch.object(module, "upload", upload))
            stack.enter_context(mock.patch.object(module, "pack", _pack))
        stack.enter_context(mock.patch.object(temporal_blend, "to_device", _copy_as_fake))
        stack.enter_context(warnings.catch_warnings(action="ignore"))  # that there is no CUDA
        stack.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
        counted = stack.enter_context(KernelCount())
        warp_faces(frame, [crop], torch.device("cuda"))
    numbers_on.cache_clear()  # of fake tensors
    return {
        "kernels": counted.total,
        "layout_copies": counted.layout_copies,
        "megabytes_to_the_gpu": sum(sent) / 1e6,
        "megabytes_moved": counted.bytes / 1e6,
    }


def _pack(arrays: Sequence[np.ndarray], device: torch.device) -> Tensor:
    return torch.from_numpy(np.stack(arrays))


def _copy_as_fake(arrays: Sequence[np.ndarray], device: torch.device) -> Tensor:
    return _pack(arrays, device).to(device)


def _framed_face(scale: float) -> tuple[Frame, Crop]:
    """A frame of 720 lines in 4:2:0, and a crop that shows a face of it by this factor."""
    rng = np.random.default_rng(0)
    picture = frame_from_array(rng.integers(0, 255, (720, 1280, 3), np.uint8))
    luma, chroma, _ = picture.planes
    form = PixelFormat(name="yuv420p", family="yuv", bit_depth=8, chroma_shift=(1, 1))
    half = np.ascontiguousarray(chroma[::2, ::2])
    frame = Frame(
        index=0,
        pts=0,
        duration=1,
        time_base=picture.time_base,
        planes=(luma, half, half),
        format=form,
        colour=ColourTags(),
    )
    points = template(SIDE) / scale + np.array([300, 60])
    return frame, (similarity(points.astype(np.float32), SIDE), SIDE)


def _upsampling(layers: Sequence[Layer], device: torch.device, rounds: int) -> dict[str, float]:
    precision = resolve_precision(device)
    runs: dict[str, Callable[[], object]] = {}
    inputs = [
        torch.randn(BATCH, *shape[1:], device=device).to(precision, memory_format=torch.channels_last)
        for _, shape in layers
    ]
    for way, make in WAYS.items():
        made = [make(_on_device(conv, device, precision)) for conv, _ in layers]
        runs[way] = partial(_compute, made, inputs, device)
    with torch.inference_mode():
        return _milliseconds(runs, rounds, BATCH)


def _on_device(conv: DoubledConv2d, device: torch.device, precision: torch.dtype) -> DoubledConv2d:
    """A convolution of the same shape with random weights."""
    made = DoubledConv2d(conv.in_channels, conv.out_channels).requires_grad_(False)
    return made.to(device, precision, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _compute(layers: Sequence[nn.Module], inputs: Sequence[Tensor], device: torch.device) -> None:
    for layer, x in zip(layers, inputs, strict=True):
        layer(x)
    _wait(device)


def _cut_out(scale: float, device: torch.device, rounds: int) -> dict[str, float]:
    frame, crop = _framed_face(scale)

    def by_opencv() -> None:
        to_device([warp_face(frame, *crop)], device)
        _wait(device)

    def there() -> None:
        warp_faces(frame, [crop], device)
        _wait(device)

    runs = {"by OpenCV, and copied": by_opencv, "on the device": there}
    cpu = {f"{name}: CPU": _cpu_milliseconds(run, rounds) for name, run in runs.items()}
    return _milliseconds(runs, rounds, 1) | cpu


def _launching(device: torch.device, rounds: int) -> dict[str, float]:
    """Of a launch in the device's thread, and of several threads that launch with it and without."""
    x = torch.ones(64, device=device)

    def work() -> None:
        for _ in range(KERNELS):
            x.add(1)

    def by_threads() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda _: launch(device, work), range(2 * THREADS)))
        _wait(device)

    found = {}
    for name, thread in (("each in its thread", nullcontext), ("in one thread", launching_thread)):
        with _within(thread, device):
            seconds = interleaved({"": by_threads}, rounds)[""]
            hop = interleaved({"": lambda: [launch(device, _nothing) for _ in range(100)]}, rounds)[""]
        found[f"microseconds a kernel, {THREADS} threads, {name}"] = (
            1e6 * min(seconds) / (2 * THREADS * KERNELS)
        )
        found[f"microseconds of an empty launch, {name}"] = 1e6 * min(hop) / 100
    return found


@contextmanager
def _within(thread: Any, device: torch.device) -> Iterator[None]:
    with thread(device):
        yield


def _nothing() -> None:
    return


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _milliseconds(runs: dict[str, Callable[[], object]], rounds: int, faces: int) -> dict[str, float]:
    return {name: 1000 * min(each) / faces for name, each in interleaved(runs, rounds).items()}


def _cpu_milliseconds(run: Callable[[], object], rounds: int) -> float:
    began = time.process_time()
    for _ in range(rounds):
        run()
    return 1000 * (time.process_time() - began) / rounds


def main() -> None:
    """Prints and writes what is counted and measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--out", type=Path, help="a folder for gpu_parts.json")
    parser.add_argument("--count-only", action="store_true")
    arguments = parser.parse_args()
    found: dict[str, Any] = {"counted": count()}
    if not arguments.count_only:
        found["measured"] = measure(resolve_device(arguments.device), arguments.rounds)
    text = json.dumps(found, indent=2)
    print(text)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "gpu_parts.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
