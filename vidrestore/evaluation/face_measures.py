"""Measures of a face in one frame, and from frame to frame."""

from __future__ import annotations

import numpy as np

from vidrestore.evaluation import image
from vidrestore.evaluation.face_views import FaceView
from vidrestore.evaluation.left_out import PerceptualDistance
from vidrestore.evaluation.niqe import NiqeModel, niqe
from vidrestore.evaluation.regions import eye_regions, is_whole, mouth_region, pixels_of
from vidrestore.evaluation.temporal import (
    TruthMotion,
    flicker_of_pair,
    truth_motion,
    warping_error_of_pair,
)
from vidrestore.faces.alignment import sharpness
from vidrestore.identity import identity_angle, identity_distance, identity_similarity
from vidrestore.types import FloatArray

MOST_DECIBELS = 100.0
"""Limit of PSNR [dB]: the value of equal pictures, so that means are finite."""

Values = dict[str, float]


def decibels(picture: FloatArray, truth: FloatArray) -> float:
    """PSNR in dB, at most `MOST_DECIBELS`."""
    return min(image.psnr(picture, truth), MOST_DECIBELS)


def alone(view: FaceView) -> Values:
    """Measures without another file."""
    return {
        "sharpness": sharpness(view.crop),
        "recognised": 0.0 if view.points is None else 100.0,
    }


def naturalness(view: FaceView, natural: NiqeModel) -> Values:
    """Slow measures without another file."""
    return {"niqe": niqe(view.crop, natural)}


def perception(view: FaceView, truth: FaceView, lpips: PerceptualDistance | None) -> Values:
    """Slow measures against the truth: MS-SSIM, and LPIPS if its network is given.

    Args:
        view: The face in the measured file.
        truth: The face in the truth.
        lpips: The network of LPIPS; None: not measured.
    """
    values = {"face_ms_ssim": image.ms_ssim(view.crop, truth.crop)}
    if lpips is not None:
        values["lpips"] = lpips.distance(view.crop, truth.crop)
    return {name: value for name, value in values.items() if np.isfinite(value)}


def beside_truth(view: FaceView, truth: FaceView) -> Values:
    """Measures of pixels against the truth."""
    side = view.crop.shape[0]
    values = {
        "face_psnr": decibels(view.crop, truth.crop),
        "face_ssim": image.ssim(view.crop, truth.crop, "rgb"),
        "edges": image.edge_energy_ratio(view.crop, truth.crop),
        "ids": identity_similarity(view.descriptor, truth.descriptor),
    }
    regions = {
        "eyes_psnr": eye_regions(truth.placed, side),
        "mouth_psnr": (mouth_region(truth.placed, side),),
    }
    for name, parts in regions.items():
        if all(is_whole(part) for part in parts):
            values[name] = decibels(pixels_of(view.crop, parts), pixels_of(truth.crop, parts))
    return {name: value for name, value in values.items() if np.isfinite(value)}


def beside_reference(view: FaceView, reference: FaceView) -> Values:
    """Differences of identity, points and openings from the truth, or from the input without a truth."""
    values = {
        "identity": identity_angle(view.descriptor, reference.descriptor),
        "identity_distance": identity_distance(view.descriptor, reference.descriptor),
        "mouth": 100 * abs(view.mouth - reference.mouth),
        "lids": 100 * abs(view.lids - reference.lids),
    }
    if view.points is not None and reference.points is not None:
        values["landmarks"] = float(np.linalg.norm(view.points - reference.points, axis=1).mean())
    return {name: value for name, value in values.items() if np.isfinite(value)}


def motion_between(before: FaceView, now: FaceView) -> TruthMotion:
    """The motion of the face's pixels between two frames."""
    return truth_motion(before.crop, now.crop)


def change(before: FaceView, now: FaceView, motion: TruthMotion) -> Values:
    """Measures of the change between two frames: VIDD, and the warping error times 1000.

    Args:
        before: The face in the earlier frame.
        now: The same face in the later frame.
        motion: The motion between both.
    """
    values = {
        "vidd": identity_distance(before.descriptor, now.descriptor),
        "warping_error": 1e3 * warping_error_of_pair(before.crop, now.crop, motion),
    }
    return {name: value for name, value in values.items() if np.isfinite(value)}


def change_beside_truth(before: FaceView, now: FaceView, true_before: FaceView, true_now: FaceView) -> Values:
    """Flicker: the change between two frames beyond the truth's change, in 8-bit codes."""
    return {"flicker": 255 * flicker_of_pair(before.crop, now.crop, true_before.crop, true_now.crop)}


def bend(first: FaceView, second: FaceView, third: FaceView) -> Values:
    """Jitter: the second difference of the landmarks over three frames [px]; empty without landmarks."""
    if first.shown is None or second.shown is None or third.shown is None:
        return {}
    away = third.shown - 2 * second.shown + first.shown
    return {"jitter": float(np.linalg.norm(away, axis=1).mean())}
