"""Files of evidence networks are loaded together, each in its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.support.evidence import TINY_REFINEMENT, tiny_network
from vidrestore.errors import WeightsError
from vidrestore.evidence.checkpoint import save_evidence
from vidrestore.evidence.two_size_files import EvidenceFiles


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    save_evidence(tiny_network(1), tmp_path / "plain.safetensors", dtype=torch.float32)
    return tmp_path / "plain.safetensors"


@pytest.fixture
def refining(tmp_path: Path) -> Path:
    path = tmp_path / "refining.safetensors"
    save_evidence(tiny_network(2, config=TINY_REFINEMENT), path, dtype=torch.float32)
    return path


def test_each_file_is_loaded_in_its_place(plain: Path, refining: Path) -> None:
    networks = EvidenceFiles(plain, plain, refining).load()
    assert networks.refinement is not None
    assert networks.whole_faces is not networks.network
    assert torch.equal(networks.refinement.enter.weight, tiny_network(2, config=TINY_REFINEMENT).enter.weight)
    assert torch.equal(networks.whole_faces.enter.weight, tiny_network(1).enter.weight)


def test_one_file_serves_both_sizes(plain: Path) -> None:
    networks = EvidenceFiles(plain).load()
    assert networks.whole_faces is networks.network
    assert networks.refinement is None


@pytest.mark.parametrize("place", ["network", "whole_faces"])
def test_a_network_that_refines_is_no_estimator(plain: Path, refining: Path, place: str) -> None:
    files = {"network": plain, place: refining}
    with pytest.raises(WeightsError, match="does not hold the weights of a network that needs no"):
        EvidenceFiles(**files).load()


def test_an_estimator_refines_nothing(plain: Path) -> None:
    with pytest.raises(WeightsError, match="does not hold the weights of a network that refines estimates"):
        EvidenceFiles(plain, plain, plain).load()
