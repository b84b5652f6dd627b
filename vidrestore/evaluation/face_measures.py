"""What is measured of a face: at one moment, and from one moment to the next."""

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
"""What equal pictures count as, so that a mean over pictures has a value."""

Values = dict[str, float]


def decibels(picture: FloatArray, truth: FloatArray) -> float:
    """PSNR, bounded by `MOST_DECIBELS`."""
    return min(image.psnr(picture, truth), MOST_DECIBELS)


def alone(view: FaceView) -> Values:
    """What needs no other file."""
    return {
        "sharpness": sharpness(view.crop),
        "recognised": 0.0 if view.points is None else 100.0,
    }


def naturalness(view: FaceView, natural: NiqeModel) -> Values:
    """What needs no other file and takes long."""
    return {"niqe": niqe(view.crop, natural)}


def perception(view: FaceView, truth: FaceView, lpips: PerceptualDistance | None) -> Values:
    """What compares with the truth and takes long."""
    values = {"face_ms_ssim": image.ms_ssim(view.crop, truth.crop)}
    if lpips is not None:
        values["lpips"] = lpips.distance(view.crop, truth.crop)
    return {name: value for name, value in values.items() if np.isfinite(value)}


def beside_truth(view: FaceView, truth: FaceView) -> Values:
    """What compares pixels with the truth's."""
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
    """What compares the person, the points and the openings with the truth's, or else with the input's."""
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
    """Where the face's pixels came from."""
    return truth_motion(before.crop, now.crop)


def change(before: FaceView, now: FaceView, motion: TruthMotion) -> Values:
    """What changes from one frame to the next, along `motion`."""
    values = {
        "vidd": identity_distance(before.descriptor, now.descriptor),
        "warping_error": 1e3 * warping_error_of_pair(before.crop, now.crop, motion),
    }
    return {name: value for name, value in values.items() if np.isfinite(value)}


def change_beside_truth(before: FaceView, now: FaceView, true_before: FaceView, true_now: FaceView) -> Values:
    """What changes beyond the truth's own change."""
    return {"flicker": 255 * flicker_of_pair(before.crop, now.crop, true_before.crop, true_now.crop)}


def bend(first: FaceView, second: FaceView, third: FaceView) -> Values:
    """What three frames in a row say of the points' steadiness."""
    if first.shown is None or second.shown is None or third.shown is None:
        return {}
    away = third.shown - 2 * second.shown + first.shown
    return {"jitter": float(np.linalg.norm(away, axis=1).mean())}
