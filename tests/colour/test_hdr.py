"""PQ, HLG and linear light as an SDR screen shows them, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vidrestore.colour.hdr import HLG, LINEAR, PQ, code_difference, from_sdr, to_sdr
from vidrestore.types import ColourTags

TRANSFERS = pytest.mark.parametrize("transfer", [PQ, HLG, LINEAR])
NARROW, WIDE = 1, 9
# Colours inside BT.709: those an SDR picture has.
SDR = hnp.arrays(np.float32, (5, 3), elements=st.integers(4, 248).map(lambda code: code / 256))


def tags(transfer: int, primaries: int = WIDE) -> ColourTags:
    return ColourTags(matrix=primaries, primaries=primaries, transfer=transfer)


@pytest.mark.parametrize(("transfer", "code"), [(PQ, 0.5807), (HLG, 0.75), (LINEAR, 1.0)])
def test_diffuse_white_is_equally_bright_by_every_transfer(transfer: int, code: float) -> None:
    """203 cd/m2 has these codes in ITU-R BT.2408, table 1."""
    white = to_sdr(np.full((1, 3), code, np.float32), tags(transfer))
    assert white == pytest.approx(np.full((1, 3), 0.8 ** (1 / 2.4)), abs=2e-3)


@TRANSFERS
def test_a_face_is_as_bright_as_in_sdr(transfer: int) -> None:
    """Up to the knee light is shown as it is: half of white's light by a gamma of 2.4."""
    shown = np.full((1, 3), 0.5 ** (1 / 2.4), np.float32)
    codes = {PQ: 0.5095, HLG: 0.6324, LINEAR: 0.5}[transfer]
    assert from_sdr(shown, tags(transfer)) == pytest.approx(np.full((1, 3), codes), abs=2e-3)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_red_of_bt709_in_wide_primaries_is_shown_as_red(transfer: int) -> None:
    light = np.array([[0.6274, 0.0691, 0.0164]]) * 0.5  # ITU-R BT.2087
    wide = np.concatenate([from_sdr(_grey(v), tags(transfer))[:, :1] for v in light[0]], axis=1)
    assert to_sdr(wide, tags(transfer)) == pytest.approx(np.array([[0.5 ** (1 / 2.4), 0, 0]]), abs=0.06)
    assert to_sdr(wide, tags(transfer, NARROW))[0, 1] > 0.2


@TRANSFERS
@settings(max_examples=60, deadline=None)
@given(shown=SDR, primaries=st.sampled_from([NARROW, WIDE]))
def test_what_sdr_shows_survives_the_way_there_and_back(
    transfer: int, shown: np.ndarray, primaries: int
) -> None:
    there = from_sdr(shown, tags(transfer, primaries))
    if transfer == HLG:
        # HLG ends at 1000 cd/m2; what the rendering shows brighter than that is its peak.
        inside = (there < 0.999).all(axis=1)
        there, shown = there[inside], shown[inside]
    # As light: near black, the gamma makes much of the last bit.
    assert to_sdr(there, tags(transfer, primaries)) ** 2.4 == pytest.approx(shown**2.4, rel=1e-3, abs=1e-4)


@TRANSFERS
@settings(max_examples=60, deadline=None)
@given(a=st.floats(0, 1), b=st.floats(0, 1))
def test_more_light_is_never_shown_darker(transfer: int, a: float, b: float) -> None:
    low, high = (to_sdr(np.full((1, 3), v, np.float32), tags(transfer)) for v in sorted((a, b)))
    assert (high >= low - 1e-6).all()
    assert 0 <= low.min() <= high.max() <= 1


@TRANSFERS
@settings(max_examples=30, deadline=None)
@given(shown=hnp.arrays(np.float32, (4, 3), elements=st.integers(0, 256).map(lambda code: code / 256)))
def test_an_unchanged_picture_changes_no_code_even_in_highlights(transfer: int, shown: np.ndarray) -> None:
    assert not code_difference(shown, shown.copy(), tags(transfer)).any()


def test_sdr_passes_as_it_is() -> None:
    rgb = np.array([[-0.1, 0.5, 1.2]], np.float32)
    assert to_sdr(rgb, tags(1)) is rgb
    assert from_sdr(rgb, tags(2)) is rgb


def _grey(light: float) -> np.ndarray:
    return np.full((1, 3), light ** (1 / 2.4), np.float32)
