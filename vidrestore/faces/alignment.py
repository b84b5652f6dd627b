"""Aligns faces: five points give a similarity transform, with which an upright crop is cut out.

The template is FFHQ's five-point template for 512 pixels, scaled to the crop. Pixel centres have integer
coordinates, in frames and in crops.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.colour.yuv_rgb import sdr_region
from vidrestore.faces.orientation import upright_matrix
from vidrestore.types import AlignedFace, FloatArray, Frame, FrameFaces, TrackedFace

TEMPLATE_512 = np.array(
    [
        [192.98138, 239.94708],
        [318.90277, 240.19360],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ]
)
"""(5, 2) left eye, right eye, nose, left and right mouth corner in a crop of 512 pixels."""


CROP_SIZES = (256, 384, 512, 768, 1024)
"""Sides of the crops of large faces [px]. In steps this close no crop enlarges a face by much: an enlarged
face looks soft, and the evidence network would sharpen it."""
CROP_TOLERANCE = 1.15
"""Factor by which a crop may reduce a face."""


def template(size: int) -> NDArray[np.float64]:
    """(5, 2) positions of the five points in a crop of `size` pixels."""
    return TEMPLATE_512 * (size / 512)


def similarity(landmarks: FloatArray, size: int) -> NDArray[np.float64]:
    """(2, 3) matrix from frame px to crop px: the least-squares similarity without reflection.

    Args:
        landmarks: (5, 2) points of the face [px].
        size: Side of the crop [px].

    Raises:
        ValueError: All points are equal.
    """
    source = landmarks.astype(np.float64) @ np.array([1, 1j])
    target = template(size) @ np.array([1, 1j])
    # With complex numbers a similarity is w = a z + b; this is its least-squares solution (Umeyama 1991).
    z, w = source - source.mean(), target - target.mean()
    spread = np.vdot(z, z).real
    if spread <= 0:
        raise ValueError("the five points coincide")
    a = np.vdot(z, w) / spread
    b = target.mean() - a * source.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def face_to_crop(frame: Frame, landmarks: FloatArray, size: int) -> NDArray[np.float64]:
    """(2, 3) matrix from frame px to crop px, which also includes the frame's orientation.

    It has a reflection if the player mirrors the video, so that the crop shows the face as a viewer sees it.

    Args:
        frame: The frame.
        landmarks: (5, 2) points of the face [frame px].
        size: Side of the crop [px].
    """
    shown = upright_matrix(frame)
    to_crop = similarity(transform_points(shown, landmarks).astype(np.float32), size)
    linear = to_crop[:, :2] @ shown[:, :2]
    return np.column_stack([linear, to_crop[:, :2] @ shown[:, 2] + to_crop[:, 2]])


def similarity_scale(matrix: NDArray[np.float64]) -> float:
    """The scale factor of a similarity, with or without reflection."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def invert_affine(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse (2, 3) of an affine matrix."""
    return cv2.invertAffineTransform(matrix).astype(np.float64)


def transform_points(matrix: NDArray[np.float64], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """The transformed points, (N, 2)."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def warp_face(frame: Frame, to_crop: NDArray[np.float64], size: int) -> FloatArray:
    """The aligned face (size, size, 3) RGB in 0..1. Outside of the frame, its border is repeated.

    Args:
        frame: The frame.
        to_crop: (2, 3) from frame px to crop px.
        size: Side of the crop [px].
    """
    x0, y0, x1, y1 = crop_region(frame, to_crop, size)
    region = low_pass(sdr_region(frame, x0, y0, x1, y1), similarity_scale(to_crop))
    matrix = matrix_of_region(to_crop, x0, y0)
    # Planes one by one: OpenCV's cubic takes two and a half times as long for three interleaved channels.
    warped = [
        cv2.warpAffine(plane, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        for plane in cv2.split(region)
    ]
    return np.clip(cv2.merge(warped), 0, 1)


def crop_region(frame: Frame, to_crop: NDArray[np.float64], size: int) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1, half-open: the part of the frame that a crop shows, with what its filters reach.

    Args:
        frame: The frame.
        to_crop: (2, 3) from frame px to crop px.
        size: Side of the crop [px].
    """
    to_frame = invert_affine(to_crop)
    corners = transform_points(to_frame, np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64))
    margin = 4 + int(2 / similarity_scale(to_crop))
    x0, y0 = np.floor(corners.min(0)).astype(int) - margin
    x1, y1 = np.ceil(corners.max(0)).astype(int) + margin
    # A crop may be completely outside of the frame; then it shows the nearest border.
    x0, x1 = np.clip([x0, x1], [0, 1], [frame.width - 1, frame.width])
    y0, y1 = np.clip([y0, y1], [0, 1], [frame.height - 1, frame.height])
    return int(x0), int(y0), int(x1), int(y1)


def matrix_of_region(to_crop: NDArray[np.float64], x0: int, y0: int) -> NDArray[np.float64]:
    """(2, 3) from px of a region to crop px.

    Args:
        to_crop: (2, 3) from frame px to crop px.
        x0: Left edge of the region [frame px].
        y0: Its upper edge.
    """
    matrix = to_crop.copy()
    matrix[:, 2] += to_crop[:, :2] @ np.array([x0, y0])
    return matrix


def low_pass(image: FloatArray, scale: float) -> FloatArray:
    """`image` without detail that would alias after scaling by `scale`; unchanged if `scale` >= 1."""
    if scale >= 1:
        return image
    # A Gaussian that, together with the original's half pixel, is half a target pixel wide.
    sigma = 0.5 * np.sqrt(1 / scale**2 - 1)
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE).astype(np.float32)


def sharpness(face: FloatArray, side: int = 256) -> float:
    """Mean magnitude of the luma's Laplacian around eyes and mouth, in 8-bit codes; blur reduces it.

    Args:
        face: (S, S, 3) in 0..1.
        side: The face is resized to this side before [px], so that sizes are comparable.
    """
    grey = face @ np.array(BT601_LUMA, np.float32)
    grey = np.asarray(cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA))
    x0, y0, x1, y1 = eyes_to_mouth_box(side)
    return float(np.abs(np.asarray(cv2.Laplacian(grey * 255, cv2.CV_32F))[y0:y1, x0:x1]).mean())


def eyes_to_mouth_box(side: int) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1, half-open: the region around the five points in an aligned face of `side` pixels."""
    x0, y0 = (template(side).min(axis=0) - 0.08 * side).astype(int)
    x1, y1 = (template(side).max(axis=0) + 0.08 * side).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def align(
    item: FrameFaces[TrackedFace], size: int, *, own_size: bool = False, max_reduction: int = 1
) -> FrameFaces[AlignedFace]:
    """The frame with an upright crop of each of its faces.

    Args:
        item: A frame and its tracked faces.
        size: Side of a crop [px].
        own_size: Whether larger faces get a larger crop, of one of `CROP_SIZES`.
        max_reduction: By how much smaller than the face in the frame its crop may be.
    """
    faces = tuple(_align(item.frame, face, size, own_size, max_reduction) for face in item.faces)
    return FrameFaces(frame=item.frame, faces=faces, scene=item.scene)


def place_crop(
    frame: Frame, face: TrackedFace, size: int, *, own_size: bool, max_reduction: int
) -> tuple[NDArray[np.float64], int]:
    """(2, 3) from frame px to the crop of a face, and the side of that crop.

    Args:
        frame: The frame.
        face: The face.
        size: As for `align`, like the others.
        own_size: Whether a larger face gets a larger crop.
        max_reduction: By how much smaller than the face in the frame its crop may be.
    """
    to_crop = face_to_crop(frame, face.landmarks, size)
    if own_size and (own := crop_size(to_crop, size, max_reduction)) != size:
        return face_to_crop(frame, face.landmarks, own), own
    return to_crop, size


def crop_size(to_crop: NDArray[np.float64], size: int, max_reduction: int = 1) -> int:
    """Side [px] of the smallest crop that keeps the resolution of a face: `size` or one of `CROP_SIZES`.

    Args:
        to_crop: (2, 3) from frame px to crop px, for a crop of `size`.
        size: Side of the smallest crop [px].
        max_reduction: By how much smaller than the face in the frame the crop may be.
    """
    own = size / similarity_scale(to_crop) / max_reduction
    sizes = sorted({size, *(s for s in CROP_SIZES if s > size)})
    return next((s for s in sizes if s >= own / CROP_TOLERANCE), sizes[-1])


def _align(frame: Frame, face: TrackedFace, size: int, own_size: bool, max_reduction: int) -> AlignedFace:
    to_crop, size = place_crop(frame, face, size, own_size=own_size, max_reduction=max_reduction)
    return AlignedFace(
        track_id=face.track_id,
        to_crop=to_crop,
        image=warp_face(frame, to_crop, size),
        landmarks=face.landmarks,
        opacity=face.opacity,
    )
