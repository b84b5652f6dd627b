"""The product's rows of the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from vidrestore.evidence import Evidence
from vidrestore.evidence.checkpoint import load_evidence
from vidrestore.restoration import make_restorer
from vidrestore.restoration.fusion import fuse
from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path

Faces = list[FloatArray]


def tensor(faces):
    return torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def product_rows(
    evidence: Path | None, weights: Path | None, size: int
) -> dict[str, Callable[[Faces], Faces]]:
    """By label, what restores a list of faces (S, S, 3) of `size` pixels."""
    weights = weights or embedded_path("compact.safetensors")
    network = load_evidence(evidence).to(torch.bfloat16).to(memory_format=torch.channels_last)
    state = {}

    @torch.inference_mode()
    def mean(faces: Faces) -> Faces:
        results = [network(tensor(faces[i : i + 4])) for i in range(0, len(faces), 4)]
        state["e"] = [Evidence(r.mean, r.scale) for r in results]
        return [f.permute(1, 2, 0).numpy() for r in results for f in r.mean.clamp(0, 1)]

    def draw(faces: Faces, fidelity) -> Faces:
        restorer = make_restorer(weights, fidelity=fidelity)
        small = [
            cv2.resize(f, (restorer.size,) * 2, interpolation=cv2.INTER_AREA)
            if f.shape[0] != restorer.size
            else f
            for f in faces
        ]
        out = []
        for i in range(0, len(faces), 4):
            part = small[i : i + 4]
            out += restorer.decode(restorer.predict(restorer.encode(part)))
        return [
            cv2.resize(f, faces[0].shape[:2], interpolation=cv2.INTER_CUBIC)
            if f.shape != faces[0].shape
            else f
            for f in out
        ]

    def plain(fid, key):
        def run(faces):
            state[key] = draw(faces, fid)
            return state[key]

        return run

    def of_mean(fid, key):
        def run(faces):
            state[key] = draw(state["mu"], fid)
            return state[key]

        return run

    def fused(key, amount):
        @torch.inference_mode()
        def run(faces):
            out = []
            for j, e in enumerate(state["e"]):
                g = tensor(state[key][4 * j : 4 * j + 4])
                out += [f.permute(1, 2, 0).numpy() for f in fuse(e, g, amount=amount).faces]
            return out

        return run

    def mean_(faces):
        state["mu"] = mean(faces)
        return state["mu"]

    return {
        "fidelity 1": mean_,
        "fidelity 0": plain(0.0, "g0"),
        "g0(mu)": of_mean(0.0, "g0m"),
        "g.5(mu)": of_mean(0.5, "g5m"),
        "old": plain(None, "old"),
        "f g0 1": fused("g0", 1.0),
        "f g0m 1": fused("g0m", 1.0),
        "f g0m .6": fused("g0m", 0.6),
        "f g5m 1": fused("g5m", 1.0),
        "auto": fused("g0m", 0.8),
    }
