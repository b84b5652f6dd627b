"""Weights of the evidence network are read completely, or refused with one error message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.support.evidence import TINY, tiny_network
from tests.support.networks import SMALL
from vidrestore.daefr import Daefr, save
from vidrestore.errors import WeightsError
from vidrestore.evidence.checkpoint import load_evidence, save_evidence
from vidrestore.weights import embedded_path

HEADER = {"evidence": json.dumps(TINY.to_dict())}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    save_evidence(tiny_network(), tmp_path / "evidence.safetensors", dtype=torch.float32)
    return tmp_path / "evidence.safetensors"


def test_saved_weights_rebuild_their_own_network(weights: Path) -> None:
    network, again = tiny_network(), load_evidence(weights)
    assert again.config == TINY
    assert not again.training
    pictures = torch.rand(1, 3, 32, 32)
    assert torch.equal(again(pictures).mean, network(pictures).mean)
    assert torch.equal(again(pictures).scale, network(pictures).scale)
    assert [path.name for path in weights.parent.iterdir()] == [weights.name]


def test_in_16_bits_a_file_is_half_as_large_and_loads_in_32(weights: Path) -> None:
    half = weights.with_name("half.safetensors")
    save_evidence(tiny_network(), half)
    assert half.stat().st_size < 0.6 * weights.stat().st_size
    assert {p.dtype for p in load_evidence(half).parameters()} == {torch.float32}


def test_the_embedded_weights_are_small_enough_to_be_embedded() -> None:
    path = embedded_path("evidence.safetensors")
    assert path.stat().st_size <= 8 * 2**20
    assert load_evidence(path).config.multiple == 16


def refused(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        load_evidence(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x00" * 64])
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.safetensors").write_bytes(content)
    assert "cannot be read as weights" in refused(tmp_path / "broken.safetensors")


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "absent.safetensors")


def test_weights_of_another_kind_of_network_are_refused(tmp_path: Path) -> None:
    save(Daefr(SMALL), tmp_path / "generator.safetensors")
    assert "does not hold the weights of an evidence network" in refused(tmp_path / "generator.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_finite_numbers_are_refused(weights: Path, value: float) -> None:
    tensors = load_file(weights)
    tensors["enter.weight"][0, 0, 0, 0] = value
    save_file(tensors, weights, metadata=HEADER)
    assert "not finite" in refused(weights)


def test_weights_of_other_shapes_are_refused(weights: Path) -> None:
    tensors = load_file(weights)
    tensors["enter.weight"] = torch.zeros(4, 12, 3, 3)
    save_file(tensors, weights, metadata=HEADER)
    assert "enter.weight" in refused(weights)


def test_an_incomplete_file_is_refused_by_the_name_of_what_is_missing(weights: Path) -> None:
    tensors = load_file(weights)
    del tensors["change.bias"]
    save_file(tensors, weights, metadata=HEADER)
    assert "change.bias" in refused(weights)


@pytest.mark.parametrize("header", ["not json", '{"depth": 3}', '{"widths": [8], "blocks": [1, 1]}', "[]"])
def test_a_header_that_is_no_configuration_is_refused(weights: Path, header: str) -> None:
    tensors = load_file(weights)
    save_file(tensors, weights, metadata={"evidence": header})
    refused(weights)
