"""Pictures whose faces are known, by kind, and pictures without any: what a detector is measured on.

Aligned faces are pasted onto backgrounds without a face, each within a soft circle, at a known place, size
and angle. So the truth is the place of the face, and no detector's opinion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.detection import FaceDetector
from vidrestore.faces.alignment import template
from vidrestore.faces.face_square import square_around, tilt
from vidrestore.training.data.people import list_faces
from vidrestore.types import ColourTags, Detection, FloatArray, Frame, PixelFormat

Picture = NDArray[np.uint8]
Generator = np.random.Generator

BORDER = 16
"""Pixels that an aligned crop of 288 has around the template of 256."""
BOX_PER_CROP = 0.615
"""Side of the box of a face, brow to chin, over that of the template."""
LINES = {480: (854, 480), 720: (1280, 720)}
RGB = PixelFormat(name="gbrp", family="rgb", bit_depth=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedCrop:
    """A photograph of one face, aligned to the five-point template."""

    rgb: Picture
    """(288, 288, 3)"""
    yaw: float
    """Absolute offset of the nose from the middle of the eyes, over their distance: 0.6 is a profile."""
    points: FloatArray
    """(5, 2) [px] a teacher's, or the template's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the faces of a scene have in common."""

    yaw: tuple[float, float] = (0.0, 0.15)
    angles: tuple[float, ...] = (0.0,)
    """Degrees, clockwise; each face has one of them."""
    wobble: float = 8.0
    """Standard deviation of the angle [degrees]."""
    box: tuple[float, float] = (40.0, 150.0)
    """Side of the face's box at 720 lines [px]."""
    faces: int = 6
    dark: bool = False
    worn: bool = False


KINDS: Mapping[str, Kind] = {
    "one": Kind(box=(120.0, 150.0), faces=1),
    "frontal": Kind(),
    "yaw .2-.35": Kind(yaw=(0.2, 0.35)),
    "yaw .35-.6": Kind(yaw=(0.35, 0.6)),
    "yaw over .6": Kind(yaw=(0.6, 9.0)),
    "tilted 45": Kind(angles=(-45.0, 45.0)),
    "on a side": Kind(angles=(-90.0, 90.0), wobble=15.0),
    "upside down": Kind(angles=(180.0,), wobble=15.0),
    "17-24 px": Kind(box=(17.0, 24.0), faces=12),
    "24-40 px": Kind(box=(24.0, 40.0), faces=12),
    "close-up": Kind(box=(300.0, 560.0), faces=1),
    "dark": Kind(dark=True),
    "worn film": Kind(worn=True),
    "crowd of 40": Kind(yaw=(0.0, 0.35), box=(30.0, 70.0), faces=40),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFace:
    """Where a face is."""

    points: FloatArray
    """(5, 2) [frame px]"""

    def is_found_by(self, found: Detection) -> bool:
        """Whether a detection shows this face: its place, its size and its roll angle within 45 degrees."""
        x, y, side = square_around(self.points)
        other_x, other_y, other_side = square_around(found.landmarks)
        near = np.hypot(other_x - x, other_y - y) < 0.3 * side and 0.55 < other_side / side < 1.8
        turned = abs((tilt(found.landmarks) - tilt(self.points) + 180) % 360 - 180)
        return bool(near and turned < 45)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A picture and its faces."""

    frame: Frame
    faces: tuple[KnownFace, ...]


def load_crops(folder: Path, manifest: Path | None, teacher: FaceDetector | None) -> list[AlignedCrop]:
    """The crops of people held out of training, where the manifest knows their yaw.

    The teacher says where their points are; faces that it misses are left out. Without it, the points are the
    template's, which turned heads are some way off.
    """
    crops = []
    for face in list_faces(folder, manifest=manifest):
        yaw = face.attribute("yaw")
        if not face.is_held_out or not yaw:
            continue
        rgb = read_rgb(face.path)
        side = rgb.shape[0]
        border = side * BORDER / 288
        points = (template(round(side - 2 * border)) + border).astype(np.float32)
        if teacher is not None:
            found = [d for d in teacher.detect(as_frame(rgb)) if KnownFace(points=points).is_found_by(d)]
            if len(found) != 1:
                continue
            points = found[0].landmarks
        crops.append(AlignedCrop(rgb=rgb, yaw=abs(float(yaw)), points=points))
    return crops


def load_backgrounds() -> list[Picture]:
    """Pictures of scikit-image without a face, none of which the landmark network learned on."""
    from skimage import data

    pictures = [getattr(data, name)() for name in ("coffee", "chelsea", "rocket", "brick", "grass", "moon")]
    pictures.append(data.stereo_motorcycle()[0])
    return [
        np.ascontiguousarray(np.repeat(p[..., None], 3, 2) if p.ndim == 2 else p[..., :3]) for p in pictures
    ]


def make_scenes(
    kind: Kind, crops: Sequence[AlignedCrop], backgrounds: Sequence[Picture], *, lines: int, faces: int
) -> Iterator[Scene]:
    """Scenes of one kind with at least `faces` faces in all, the same at each call."""
    fitting = [crop for crop in crops if kind.yaw[0] <= crop.yaw < kind.yaw[1]]
    rng = np.random.default_rng(20)
    for _ in range(-(-faces // kind.faces)):
        canvas = background(backgrounds, LINES[lines], rng)
        known: list[KnownFace] = []
        for place in _places(kind, LINES[lines], rng):
            crop = fitting[int(rng.integers(len(fitting)))]
            angle = float(rng.choice(kind.angles) + rng.normal(0, kind.wobble))
            canvas, points = paste(canvas, crop, place, angle)
            known.append(KnownFace(points=points))
        yield Scene(frame=as_frame(_spoiled(canvas, kind, rng)), faces=tuple(known))


def pictures_without_faces(
    crops: Sequence[AlignedCrop], backgrounds: Sequence[Picture]
) -> dict[str, list[Frame]]:
    """Photographs, noise, heads whose face is covered, and parts of faces, by name."""
    rng = np.random.default_rng(21)
    noise = []
    for blur in (0.5, 1.0, 2.0, 4.0, 8.0):
        grain = cv2.GaussianBlur(rng.normal(0, 1, (480, 854)).astype(np.float32), (0, 0), blur)
        noise.append(
            np.repeat((grain / grain.std() * 40 + 128).clip(0, 255)[..., None], 3, 2).astype(np.uint8)
        )
    plain: dict[str, list[Picture]] = {
        "photographs": [*backgrounds, *(np.ascontiguousarray(np.rot90(b)) for b in backgrounds)],
        "noise": noise,
        "covered": [_sheet(crops, backgrounds, rng, _covered) for _ in range(8)],
        "parts": [_sheet(crops, backgrounds, rng, _part) for _ in range(8)],
    }
    return {name: [as_frame(p) for p in pictures] for name, pictures in plain.items()}


def paste(canvas: Picture, crop: AlignedCrop, place: FloatArray, angle: float) -> tuple[Picture, FloatArray]:
    """The canvas with a face whose box has the centre and side of `place` (3,), and its five points there."""
    side = crop.rgb.shape[0]
    border = side * BORDER / 288
    x, y, _ = square_around(template(round(side - 2 * border)) + border)
    scale = float(place[2]) / (BOX_PER_CROP * (side - 2 * border))
    matrix = cv2.getRotationMatrix2D((float(x), float(y)), -angle, scale)
    matrix[:, 2] += place[:2] - [x, y]
    rows, columns = np.mgrid[:side, :side]
    radius = np.hypot(rows - side / 2, columns - side / 2) / (side / 2)
    mask = np.clip((0.98 - radius) / 0.1, 0, 1).astype(np.float32)
    picture = crop.rgb.astype(np.float32)
    if scale < 1:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.5 * np.sqrt(1 / scale**2 - 1)))
    size = (canvas.shape[1], canvas.shape[0])
    pasted = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpAffine(mask, matrix, size)[..., None]
    mixed = (share * pasted + (1 - share) * canvas).round().astype(np.uint8)
    return mixed, (crop.points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def background(pictures: Sequence[Picture], size: tuple[int, int], rng: Generator) -> Picture:
    """A piece of one of the pictures, of `size` (width, height), at times mirrored."""
    picture = pictures[int(rng.integers(len(pictures)))]
    shrink = max(size[0] / picture.shape[1], size[1] / picture.shape[0])
    scaled = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_CUBIC)
    y = int(rng.integers(scaled.shape[0] - size[1] + 1))
    x = int(rng.integers(scaled.shape[1] - size[0] + 1))
    piece = scaled[y : y + size[1], x : x + size[0]]
    return np.ascontiguousarray(piece[:, :: int(rng.choice([1, -1]))]).astype(np.uint8)


def as_frame(rgb: Picture) -> Frame:
    """A frame of a still picture (h, w, 3)."""
    planes = tuple(np.ascontiguousarray(rgb[..., channel]) for channel in (1, 2, 0))
    tags = ColourTags(matrix=0, full_range=True)
    return Frame(index=0, pts=0, duration=1, time_base=Fraction(1), planes=planes, format=RGB, colour=tags)


def read_rgb(path: Path) -> Picture:
    """(h, w, 3) of a picture file."""
    return np.ascontiguousarray(np.asarray(cv2.imread(str(path)), np.uint8)[..., ::-1])


def _sheet(
    crops: Sequence[AlignedCrop],
    backgrounds: Sequence[Picture],
    rng: Generator,
    spoil: Callable[[AlignedCrop, Generator], Picture],
) -> Picture:
    """A background with a dozen heads that are no faces any more."""
    canvas = background(backgrounds, LINES[720], rng)
    for place in _places(Kind(faces=12), LINES[720], rng):
        crop = crops[int(rng.integers(len(crops)))]
        canvas, _ = paste(canvas, replace(crop, rgb=spoil(crop, rng)), place, float(rng.normal(0, 10)))
    return canvas


def _covered(crop: AlignedCrop, rng: Generator) -> Picture:
    """The head with its face under an oval of one colour, blurred, or of a texture."""
    side = crop.rgb.shape[0]
    mask = np.zeros((side, side), np.float32)
    axes = (round(0.215 * side), round(0.305 * side))
    cv2.ellipse(mask, (side // 2, round(0.55 * side)), axes, 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.014 * side)[..., None]
    covers = (
        np.full_like(crop.rgb, crop.rgb[int(0.8 * side), side // 2]),
        np.full_like(crop.rgb, 0) + rng.integers(0, 255, 3).astype(np.uint8),
        cv2.GaussianBlur(crop.rgb, (0, 0), 0.1 * side),
        cv2.resize(rng.integers(0, 255, (12, 12, 3)).astype(np.uint8), (side, side)),
    )
    cover = np.asarray(covers[int(rng.integers(len(covers)))])
    return (mask * cover + (1 - mask) * crop.rgb).astype(np.uint8)


def _part(crop: AlignedCrop, rng: Generator) -> Picture:
    """One eye, the mouth or an ear, large."""
    side = crop.rgb.shape[0]
    at = rng.integers(0, 4)
    x, y = ((0.38, 0.47), (0.62, 0.47), (0.5, 0.7), (0.25, 0.55))[at]
    half = 0.13
    box = [round(float(v) * side) for v in (y - half, y + half, x - half, x + half)]
    part = crop.rgb[box[0] : box[1], box[2] : box[3]]
    return np.asarray(cv2.resize(part, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def _places(kind: Kind, size: tuple[int, int], rng: Generator) -> list[FloatArray]:
    """Centres and box sides (3,) in cells of a grid, so that no face hides another."""
    columns = max(round(np.sqrt(kind.faces * size[0] / size[1])), 1)
    rows = -(-kind.faces // columns)
    cell = np.array([size[0] / columns, size[1] / rows])
    places = []
    for index in rng.permutation(columns * rows)[: kind.faces]:
        side = np.exp(rng.uniform(*np.log(kind.box))) * size[1] / 720
        if kind.faces > 1:
            side = min(side, 0.56 * float(cell.min()))
        centre = (np.array([index % columns, index // columns]) + 0.5) * cell
        slack = np.maximum(cell / 2 - 0.9 * side, 0)
        places.append(np.array([*(centre + rng.uniform(-1, 1, 2) * slack), side], np.float32))
    return places


def _spoiled(picture: Picture, kind: Kind, rng: Generator) -> Picture:
    x = picture.astype(np.float32)
    if kind.dark:
        x = x * 0.16 + 4 + rng.normal(0, 2.5, x.shape)
    if kind.worn:
        grey = np.repeat(x.mean(2, keepdims=True), 3, 2)
        x = np.asarray(cv2.GaussianBlur(grey, (0, 0), x.shape[0] / 400)) * 0.7 + 40
        x = x + cv2.GaussianBlur(rng.normal(0, 30, x.shape[:2]).astype(np.float32), (0, 0), 1.0)[..., None]
    x = np.clip(x, 0, 255).astype(np.uint8)
    if kind.worn:
        x = cv2.imdecode(cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, 35])[1], cv2.IMREAD_COLOR)
    return np.asarray(x, np.uint8)
