"""The change of HDR video on the device: `colour.hdr`, whose comments say why."""

from __future__ import annotations

import torch
from torch import Tensor

from vidrestore.colour import hdr
from vidrestore.types import ColourTags


def code_difference(after: Tensor, before: Tensor, colour: ColourTags) -> Tensor:
    """The difference of two SDR pictures in the video's own transfer; exactly 0 where they are equal.

    Args:
        after: (3, H, W) in 0..1.
        before: (3, H, W) in 0..1.
        colour: The tags of the video.
    """
    return from_sdr(after, colour) - from_sdr(before, colour)


def from_sdr(rgb: Tensor, colour: ColourTags) -> Tensor:
    """`colour.hdr.from_sdr` of (3, H, W)."""
    if not hdr.needs_tone_mapping(colour):
        return rgb
    light = _inverse_roll_off(rgb.clamp(0, 1) ** hdr.GAMMA)
    if hdr.is_wide(colour):
        light = _in_bt2020(light)
    return _codes_of(light.clamp(min=0), colour.transfer)


def _in_bt2020(light: Tensor) -> Tensor:
    # Not a product of matrices, for which a GPU may round its factors.
    return torch.stack(
        [
            light[0] * float(red) + light[1] * float(green) + light[2] * float(blue)
            for red, green, blue in hdr.TO_BT2020
        ]
    )


def _codes_of(light: Tensor, transfer: int) -> Tensor:
    """Code values 0..1, as float32; their powers need float64."""
    if transfer == hdr.LINEAR:
        return light
    if transfer == hdr.PQ:
        power = (light * (hdr.WHITE / hdr.PQ_PEAK)).clamp(max=1).double() ** hdr.M1
        return (((hdr.C1 + hdr.C2 * power) / (1 + hdr.C3 * power)) ** hdr.M2).float()
    scene = (light * (hdr.WHITE / hdr.HLG_PEAK)).clamp(max=1).double() ** (1 / hdr.HLG_SYSTEM_GAMMA)
    upper = hdr.HLG_A * (12 * scene - hdr.HLG_B).clamp(min=1e-9).log() + hdr.HLG_C
    return torch.where(scene <= 1 / 12, (3 * scene).sqrt(), upper).float()


def _inverse_roll_off(sdr: Tensor) -> Tensor:
    over = ((sdr - hdr.KNEE) / (1 - hdr.KNEE)).clamp(max=hdr.BRIGHTEST)
    return torch.where(sdr <= hdr.KNEE, sdr, hdr.KNEE + (1 - hdr.KNEE) * over / (1 - over))
