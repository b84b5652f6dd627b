"""The network against the plain one written from the specification: time, similarity, share of the peak rate.

The published configuration with weights by the formula of the parity fixtures, and the embedded compact one.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import plain_daefr
from benchmarks.formula import authors_names, formula_face, formula_weights
from benchmarks.known_clips import portraits
from benchmarks.timing import fresh_process, interleaved
from vidrestore.daefr import PUBLISHED, Daefr
from vidrestore.daefr.checkpoint import from_authors
from vidrestore.evidence import TwoSizeEvidence
from vidrestore.restoration import DaefrGenerator, FaceCodes, FaceRestorer, make_restorer
from vidrestore.restoration.aligned import restore_aligned
from vidrestore.restoration.restorer import embedded_evidence
from vidrestore.runtime.device import resolve_precision
from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path

CPU = torch.device("cpu")
CEILING_SHAPES = ((128, 256), (256, 128), (256, 64))
"""Channels and side of 3 x 3 convolutions of the network's own."""
VARIANTS = ("plain", "float32", "bfloat16")


def measure(rounds: int, faces: list[FloatArray] | None = None) -> dict[str, Any]:
    """Each variant in a fresh process, one after the other, `rounds` times; the least time of each counts.

    Fresh, because the first to set how memory is kept sets it for all in the process. `faces`: real ones,
    for the PSNR of 16 bits against 32; default: the sample's.
    """
    variants = VARIANTS if _has_bfloat16() else VARIANTS[:-1]
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name in variants:
            seconds[name] += fresh_process("benchmarks.network", name, as_delivered=name == "plain")
    least = {name: min(values) for name, values in seconds.items()}
    result: dict[str, Any] = {
        "baseline": "plain_daefr: float32, contiguous, unfused, with the specification's waste",
        "published_seconds_a_face": seconds,
        "published_times_as_fast": {name: least["plain"] / least[name] for name in variants},
        "threads": torch.get_num_threads(),
        **likeness(),
        **ceilings(least),
        **compact(rounds, faces or portraits(256)),
    }
    return result


def likeness(device: torch.device = CPU) -> dict[str, float]:
    """Relative errors against the plain network; of 16 bits on `device`, if it has any, given codes."""
    network, state, face = published()
    with torch.inference_mode():
        expected = plain_daefr.restore(state, face, groups=32, levels=6, blocks=2)["output"]
    picture = picture_of(face)
    full = DaefrGenerator(copy.deepcopy(network), device=CPU)
    codes = full.predict(full.encode([picture]))
    (ours,) = full.decode(codes)
    errors = {"float32_relative_error": _relative(ours, picture_of(expected.clamp(-1, 1)))}
    precision = resolve_precision(device)
    if precision == torch.float32:  # emulated, 16 bits would take a hundred times as long
        return errors
    half = DaefrGenerator(network, device=device, precision=precision)
    own = half.predict(half.encode([picture]))
    given = [
        FaceCodes(features=h.features, log_probabilities=f.log_probabilities.to(device))
        for h, f in zip(own, codes, strict=True)
    ]
    same = own[0].log_probabilities.argmax(0).cpu() == codes[0].log_probabilities.argmax(0)
    name = str(precision).removeprefix("torch.")
    return errors | {
        f"{name}_relative_error_given_codes": _relative(half.decode(given)[0], ours),
        f"{name}_share_of_codes_the_same": float(same.float().mean()),
    }


def ceilings(least: dict[str, float]) -> dict[str, Any]:
    """What share of the measured speed of convolutions the whole forward pass reaches.

    The ceiling is the best of several 3 x 3 convolutions of the network's own shapes, channels last.
    """
    network, _, face = published()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(face)
    flops = counter.get_total_flops()
    result: dict[str, Any] = {"forward_gflop": flops / 1e9}
    for name, precision in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        if name not in least:
            continue
        ceiling = max(_convolution_speed(c, side, precision) for c, side in CEILING_SHAPES)
        result[f"{name}_ceiling_gflop_a_second"] = ceiling / 1e9
        # Above 1 means fewer multiplications than the specification's, not faster ones.
        result[f"{name}_share_of_ceiling"] = flops / least[name] / ceiling
        result[f"{name}_where_time_goes"] = _where_time_goes(name)
    return result


def compact(rounds: int, faces: list[FloatArray]) -> dict[str, Any]:
    """Milliseconds a face of the embedded network, and how near 16 bits are to 32 on real faces."""
    weights = embedded_path("compact.safetensors")
    full = make_restorer(weights, device="cpu", precision="float32")
    fast = make_restorer(weights, device="cpu")
    psnr = []
    for face in faces:
        error = np.square(restored(full, [face])[0] - restored(fast, [face])[0]).mean()
        psnr.append(-10 * float(np.log10(max(error, 1e-12))))
    generator = fast.generator
    assert generator is not None
    runs = {
        "whole": lambda: restored(fast, faces[:1]),
        "generator": lambda: drawn(generator, faces[:1]),
    }
    least = {name: min(seconds) for name, seconds in interleaved(runs, max(5 * rounds, 5)).items()}
    return {
        "compact_milliseconds_a_face": 1000 * least["whole"],
        "compact_over_its_generator_alone": least["whole"] / least["generator"],
        "compact_psnr_of_default_against_float32": {"least": min(psnr), "mean": float(np.mean(psnr))},
        "estimate_over_one_size": estimate_over_one_size(rounds, faces[0]),
    }


def estimate_over_one_size(rounds: int, face: FloatArray) -> dict[str, float]:
    """The time of a face's estimate at two sizes, averaged or refined, over that at its own size, float32."""
    refined = embedded_evidence().load()
    averaged = TwoSizeEvidence(refined.network, refined.whole_faces)
    networks = {"own_size": refined.network, "averaged": averaged, "refined": refined}
    for network in networks.values():
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    picture = torch.from_numpy(face).permute(2, 0, 1)[None]
    with torch.inference_mode():
        runs = {name: partial(network, picture) for name, network in networks.items()}
        least = {name: min(seconds) for name, seconds in interleaved(runs, max(5 * rounds, 5)).items()}
    return {name: least[name] / least["own_size"] for name in ("averaged", "refined")}


def scaling(rounds: int, batches: tuple[int, ...], threads: tuple[int, ...]) -> dict[str, Any]:
    """Faces a second of the embedded network against batch size and against threads; 1 is the baseline."""
    restorer = make_restorer(embedded_path("compact.safetensors"))
    faces = (portraits(256) * max(batches))[: max(batches)]
    by_batch = interleaved({str(n): partial(restored, restorer, faces[:n]) for n in batches}, 2 * rounds)
    speed = {n: int(n) / min(values) for n, values in by_batch.items()}
    result: dict[str, Any] = {"device": str(restorer.device), "faces_a_second_by_batch": speed}
    if restorer.device.type == "cpu":
        usual = torch.get_num_threads()
        result["faces_a_second_by_threads"] = {}
        for count in threads:
            torch.set_num_threads(count)
            least = min(interleaved({"": partial(restored, restorer, faces[:4])}, 2 * rounds)[""])
            result["faces_a_second_by_threads"][str(count)] = 4 / least
        torch.set_num_threads(usual)
    return result


def drawn(generator: DaefrGenerator | FaceRestorer, faces: list[FloatArray]) -> list[FloatArray]:
    """The generator's three steps."""
    return generator.decode(generator.predict(generator.encode(faces)))


def restored(restorer: FaceRestorer, faces: list[FloatArray]) -> list[FloatArray]:
    """All steps of a restoration but blending over time, in one batch."""
    return [face.picture for face in restore_aligned(restorer, faces, batch=len(faces))]


def _variant(name: str) -> Callable[[], object]:
    network, state, face = published()
    if name == "plain":
        return lambda: plain_daefr.restore(state, face, groups=32, levels=6, blocks=2)
    precision = torch.float32 if name == "float32" else torch.bfloat16
    generator = DaefrGenerator(network, device=CPU, precision=precision)
    return lambda: drawn(generator, [picture_of(face)])


def published() -> tuple[Daefr, dict[str, torch.Tensor], torch.Tensor]:
    """The published configuration, its weights by the authors' names, and a face, all by formula."""
    network = Daefr(PUBLISHED).eval().requires_grad_(False)
    state = formula_weights(authors_names(network))
    network.load_state_dict(from_authors(state, Path("formula")))
    return network, state, formula_face()


def _has_bfloat16() -> bool:
    return resolve_precision(CPU) == torch.bfloat16


def picture_of(face: torch.Tensor) -> FloatArray:
    """(S, S, 3) in 0..1 of a face (1, 3, S, S) in [-1, 1]."""
    return np.ascontiguousarray(((face[0] + 1) / 2).permute(1, 2, 0).numpy())


def _relative(ours: FloatArray, expected: FloatArray) -> float:
    return float(np.linalg.norm(ours - expected) / np.linalg.norm(expected))


def _convolution_speed(channels: int, side: int, precision: torch.dtype) -> float:
    """Operations a second."""
    layout = {"memory_format": torch.channels_last}
    x = torch.randn(1, channels, side, side).to(precision).contiguous(**layout)
    weight = torch.randn(channels, channels, 3, 3).to(precision).contiguous(**layout)
    seconds = interleaved({"": lambda: F.conv2d(x, weight, padding=1)}, 5)[""]
    return 18 * channels**2 * side**2 / min(seconds)


def _where_time_goes(name: str) -> dict[str, float]:
    """Shares of the processor's time by operation, the largest first."""
    run = _variant(name)
    with torch.inference_mode():
        run()
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            run()
    events = sorted(profile.key_averages(), key=lambda e: -e.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    return {e.key: round(e.self_cpu_time_total / total, 4) for e in events[:8]}


def main() -> None:
    """Prints the seconds of two runs of the variant named on the command line, after one to warm up."""
    run = _variant(sys.argv[1])
    with torch.inference_mode():
        print(json.dumps(interleaved({"": run}, 2)[""]))


if __name__ == "__main__":
    main()
