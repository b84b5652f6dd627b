"""HDR codes on a device are those of NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vidrestore.colour import hdr
from vidrestore.restoration.tensor_pictures.hdr import code_difference, from_sdr
from vidrestore.types import ColourTags

SHOWN = hnp.arrays(np.float32, (3, 4, 5), elements=st.floats(0, 1, width=32))
TRANSFERS = pytest.mark.parametrize("transfer", [hdr.PQ, hdr.HLG, hdr.LINEAR])
PRIMARIES = st.sampled_from([1, 9])


@TRANSFERS
@settings(max_examples=100, deadline=None)
@given(shown=SHOWN, primaries=PRIMARIES)
def test_codes_are_those_of_numpy(transfer: int, shown: np.ndarray, primaries: int) -> None:
    colour = ColourTags(primaries=primaries, transfer=transfer)
    expected = hdr.from_sdr(np.moveaxis(shown, 0, -1), colour)
    found = from_sdr(torch.from_numpy(shown), colour)
    assert found.dtype == torch.float32
    # Relative where light has no limit.
    assert np.moveaxis(found.numpy(), 0, -1) == pytest.approx(expected, rel=3e-3, abs=0.3 / 65535)
    if transfer != hdr.LINEAR:
        assert np.abs(np.moveaxis(found.numpy(), 0, -1) - expected).max() < 0.5 / 65535


@TRANSFERS
@settings(max_examples=30, deadline=None)
@given(shown=SHOWN, primaries=PRIMARIES)
def test_an_unchanged_picture_changes_no_code(transfer: int, shown: np.ndarray, primaries: int) -> None:
    there = torch.from_numpy(shown)
    difference = code_difference(there, there.clone(), ColourTags(primaries=primaries, transfer=transfer))
    assert not difference.any()


def test_sdr_is_not_converted() -> None:
    picture = torch.rand(3, 4, 4)
    assert from_sdr(picture, ColourTags(transfer=1)) is picture
