"""The product's rows of the table: faces restored at several fidelities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from vidrestore.evidence.two_size_files import EvidenceFiles
from vidrestore.restoration import NetworkRestorer, make_restorer
from vidrestore.restoration.aligned import restore_aligned
from vidrestore.settings import Fidelity
from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path

FIDELITIES: dict[str, Fidelity] = {"fidelity 0": 0.0, "fidelity 1": 1.0, "auto": "auto"}


def product_rows(
    evidence: EvidenceFiles | None, weights: Path | None
) -> dict[str, Callable[[list[FloatArray]], list[FloatArray]]]:
    """By label, what restores a list of faces (S, S, 3).

    Args:
        evidence: weights of the evidence networks; None: the embedded ones.
        weights: of the generator; None: the embedded ones.
    """
    weights = weights or embedded_path("compact.safetensors")
    return {
        label: partial(
            _restore,
            make_restorer(weights, evidence=evidence, fidelity=fidelity),
        )
        for label, fidelity in FIDELITIES.items()
    }


def _restore(restorer: NetworkRestorer, faces: list[FloatArray]) -> list[FloatArray]:
    return [fused.picture for fused in restore_aligned(restorer, faces)]
