"""The entries of the catalogue of weights."""

from __future__ import annotations

import pytest

from vidrestore.detection import DETECTORS
from vidrestore.errors import WeightsError
from vidrestore.weights import CATALOGUE, Embedded, Url, embedded_path


def test_names_are_unique_and_every_licence_is_stated() -> None:
    names = [entry.name for entry in CATALOGUE]
    assert len(set(names)) == len(names)
    assert all(entry.licence for entry in CATALOGUE)


def test_plain_addresses_are_https_with_a_checksum() -> None:
    for entry in CATALOGUE:
        if isinstance(entry.source, Url):
            assert entry.source.address.startswith("https://")
            assert entry.sha256 is not None
            assert len(bytes.fromhex(entry.sha256)) == 32


def test_every_detector_has_its_weights_under_its_own_name() -> None:
    names = {entry.name for entry in CATALOGUE}
    assert set(DETECTORS) - {"embedded"} <= names


def test_the_default_needs_no_download() -> None:
    embedded = {entry.name for entry in CATALOGUE if isinstance(entry.source, Embedded)}
    assert {"compact", "landmarks", "yunet"} <= embedded


def test_an_absent_embedded_file_is_an_error() -> None:
    with pytest.raises(WeightsError, match=r"nothing\.safetensors"):
        embedded_path("nothing.safetensors")
