"""Conversion of PQ, HLG and linear light to an SDR picture and back.

Detector and networks are trained on SDR pictures. They get a rendering that can be inverted: light relative
to diffuse white (203 cd/m2, ITU-R BT.2408), BT.709 primaries, unchanged up to the knee, compressed above it
so that no highlight is clipped, and a gamma of 2.4. Their change is a difference in this rendering, and
`code_difference` converts it to a difference in the video's own transfer. SDR video is not changed.
Formulas: SMPTE ST 2084 and ITU-R BT.2100, closed form.
"""

from __future__ import annotations

import numpy as np

from vidrestore.types import ColourTags, FloatArray

LINEAR, PQ, HLG = 8, 16, 18
"""H.273 codes of the transfers that are converted."""
WHITE = 203.0
"""Diffuse white [cd/m2], as the peaks."""
PQ_PEAK, HLG_PEAK = 10000.0, 1000.0
M1, M2 = 2610 / 16384, 2523 / 32
C1, C2, C3 = 3424 / 4096, 2413 / 128, 2392 / 128
HLG_A, HLG_B, HLG_C = 0.17883277, 0.28466892, 0.55991073
HLG_SYSTEM_GAMMA = 1.2
KNEE = 0.6
"""Light, relative to diffuse white, up to which the rendering is exact; faces are darker."""
BRIGHTEST = 0.995
"""Share of the range above the knee that is converted back; 1 would be infinitely bright."""
GAMMA = 2.4
_BT2020 = 9
_TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]],
    np.float32,
)
"""From BT.2020 to BT.709, for linear light (ITU-R BT.2407)."""
TO_BT2020 = np.linalg.inv(_TO_BT709)
"""From BT.709 to BT.2020, for linear light."""


def needs_tone_mapping(colour: ColourTags) -> bool:
    """Whether pictures with these tags must be converted for an SDR display."""
    return colour.transfer in (LINEAR, PQ, HLG)


def is_wide(colour: ColourTags) -> bool:
    """Whether the video's primaries are those of BT.2020."""
    return _BT2020 in (colour.primaries, colour.matrix)


def to_sdr(rgb: FloatArray, colour: ColourTags) -> FloatArray:
    """The SDR rendering of `rgb` (..., 3) in the video's transfer; in 0..1 if it is converted."""
    if not needs_tone_mapping(colour):
        return rgb
    return _roll_off(np.maximum(to_light(rgb, colour), 0)) ** np.float32(1 / GAMMA)


def to_light(rgb: FloatArray, colour: ColourTags) -> FloatArray:
    """Linear light of `rgb` (..., 3) with BT.709 primaries; diffuse white is 1."""
    return to_bt709(_light_of(rgb, colour.transfer), colour)


def to_bt709(light: FloatArray, colour: ColourTags) -> FloatArray:
    """Linear light (..., 3) with BT.709 primaries; colours outside of them have values below 0."""
    return (light @ _TO_BT709.T).astype(np.float32) if is_wide(colour) else light


def from_sdr(rgb: FloatArray, colour: ColourTags) -> FloatArray:
    """The inverse of `to_sdr` for `rgb` (..., 3) in 0..1, for colours within the video's primaries."""
    if not needs_tone_mapping(colour):
        return rgb
    light = _inverse_roll_off(np.clip(rgb, 0, 1) ** np.float32(GAMMA))
    if is_wide(colour):
        light = light @ TO_BT2020.T
    return _codes_of(np.maximum(light, 0), colour.transfer)


def code_difference(after: FloatArray, before: FloatArray, colour: ColourTags) -> FloatArray:
    """The difference of two SDR pictures in the video's own transfer; exactly 0 where they are equal.

    Args:
        after: (..., 3) in 0..1.
        before: (..., 3) in 0..1.
        colour: The tags of the video.
    """
    return from_sdr(after, colour) - from_sdr(before, colour)


def _light_of(rgb: FloatArray, transfer: int) -> FloatArray:
    """Light from code values 0..1; diffuse white is 1."""
    if transfer == LINEAR:
        return np.maximum(rgb, 0)
    codes = np.clip(rgb, 0, 1)
    if transfer == PQ:
        root = codes ** np.float32(1 / M2)
        light = np.maximum(root - C1, 0) / (C2 - C3 * root)
        return (light ** np.float32(1 / M1) * (PQ_PEAK / WHITE)).astype(np.float32)
    # The system gamma applies to luminance. For each channel it can be inverted; saturation differs slightly.
    scene = np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - HLG_C) / HLG_A) + HLG_B) / 12)
    return (scene**HLG_SYSTEM_GAMMA * (HLG_PEAK / WHITE)).astype(np.float32)


def _codes_of(light: FloatArray, transfer: int) -> FloatArray:
    if transfer == LINEAR:
        return light.astype(np.float32)
    if transfer == PQ:
        power = np.minimum(light * (WHITE / PQ_PEAK), 1) ** np.float64(M1)
        return (((C1 + C2 * power) / (1 + C3 * power)) ** M2).astype(np.float32)
    scene = np.minimum(light * (WHITE / HLG_PEAK), 1) ** np.float64(1 / HLG_SYSTEM_GAMMA)
    upper = HLG_A * np.log(np.maximum(12 * scene - HLG_B, 1e-9)) + HLG_C
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper).astype(np.float32)


def _roll_off(light: FloatArray) -> FloatArray:
    """From 0..infinity to 0..1: unchanged up to the knee, then compressed smoothly."""
    over = np.maximum(light - KNEE, 0) / (1 - KNEE)
    return np.minimum(light, KNEE) + (1 - KNEE) * over / (1 + over)


def _inverse_roll_off(sdr: FloatArray) -> FloatArray:
    over = np.minimum((sdr - KNEE) / (1 - KNEE), BRIGHTEST)
    return np.where(sdr <= KNEE, sdr, KNEE + (1 - KNEE) * over / (1 - over))
