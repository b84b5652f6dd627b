"""The files of the networks that estimate a picture at two sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import WeightsError
from vidrestore.evidence.checkpoint import load_evidence
from vidrestore.evidence.network import EvidenceNetwork
from vidrestore.evidence.two_sizes import TwoSizeEvidence


@dataclass(frozen=True, slots=True)
class EvidenceFiles:
    """Paths of the weights of the networks of a `TwoSizeEvidence`."""

    network: Path
    """For faces of any size."""
    whole_faces: Path | None = None
    """For whole faces at half size; None: `network`."""
    refinement: Path | None = None
    """To refine estimates of whole faces at half size; None: they are averaged with those of `network`."""

    def load(self) -> TwoSizeEvidence:
        """The networks, float32, in evaluation mode.

        Raises:
            WeightsError: A file does not exist, or does not hold the finite weights of such a network.
        """
        whole_faces = None if self.whole_faces is None else _load(self.whole_faces)
        refinement = None if self.refinement is None else _load(self.refinement, refines=True)
        return TwoSizeEvidence(_load(self.network), whole_faces, refinement)


def _load(path: Path, *, refines: bool = False) -> EvidenceNetwork:
    network = load_evidence(path)
    if network.config.refines != refines:
        kind = "a network that refines estimates" if refines else "a network that needs no other estimate"
        raise WeightsError(f"{path} does not hold the weights of {kind}")
    return network
