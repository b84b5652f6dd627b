"""Short pieces of video with and without a cut between two alike heads in the same place.

A cut: two people of the same sex, each with the most similar portrait, at the same place before the same
ground, both moving on over the cut. A piece that continues: a portrait with motion, a flash, a fade, another
exposure, light from another side, blur, a hand or another head that passes, a head that leaves the picture;
or a part of a real clip of one talking person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
FRAMES = 24
CUT_AT = 12
"""The first frame of the second person."""
_WIDTH, _HEIGHT = 480, 360
_HEADS = (110, 180, 300)
"""Sides of the pasted portraits [px]."""
_SPEEDS = (0.33, 0.17, 0.08)
"""Heads per frame by which something passes."""
_CONTINUING = ("motion", "pan", "zoom", "flash", "fade", "exposure", "light", "focus", "hand",
               "passing", "leaving")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A file, and whether the person changes at frame `CUT_AT`."""

    kind: str
    path: Path
    is_cut: bool


def cut_pieces(portraits: Sequence[Path], folder: Path, count: int, seed: int) -> Iterator[Piece]:
    """Files of cuts between the most similar of `portraits`, in `folder`."""
    pictures = [_read(path) for path in portraits]
    random = np.random.default_rng(seed)
    for number, (one, other) in enumerate(_alike(pictures)[:count]):
        head, kind = _HEADS[number % len(_HEADS)], ("masked", "square")[number // 3 % 2]
        place = random.uniform(0.2, 0.8, 2)
        scene = _Scene(random, head=head, is_masked=kind == "masked", place=place)
        frames = [scene.frame(pictures[one if at < CUT_AT else other], at) for at in range(FRAMES)]
        yield Piece(
            kind=f"{kind} {head}", path=_encode(folder / f"cut-{number}.mp4", frames, random), is_cut=True
        )


def continuing_pieces(portraits: Sequence[Path], folder: Path, count: int, seed: int) -> Iterator[Piece]:
    """Files with one person each, in `folder`."""
    random = np.random.default_rng(seed)
    pictures = [_read(path) for path in portraits[:count]]
    for number, picture in enumerate(pictures):
        kind = _CONTINUING[number % len(_CONTINUING)]
        head = _HEADS[number // len(_CONTINUING) % len(_HEADS)]
        scene = _Scene(random, head=head, is_masked=number % 2 == 0, place=random.uniform(0.2, 0.8, 2))
        speed = _SPEEDS[number // len(_CONTINUING) % len(_SPEEDS)]
        frames = [_changed(kind, scene, (picture, pictures[number - 1]), at, speed) for at in range(FRAMES)]
        yield Piece(kind=kind, path=_encode(folder / f"one-{number}.mp4", frames, random), is_cut=False)


def clip_pieces(clip: Path, folder: Path, count: int) -> Iterator[Piece]:
    """Files of `count` parts of a real clip, evenly over its length."""
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    random = np.random.default_rng(0)
    starts = np.linspace(0, max(len(frames) - FRAMES, 0), count).astype(int)
    for number, start in enumerate(starts):
        path = folder / f"{clip.stem}-{number}.mp4"
        yield Piece(kind=clip.stem, path=_encode(path, frames[start : start + FRAMES], random), is_cut=False)


class _Scene:
    """A ground, a place for the head, and its motion."""

    def __init__(
        self, random: np.random.Generator, *, head: int, is_masked: bool, place: NDArray[np.float64]
    ) -> None:
        coarse = random.uniform(40, 200, (5, 6, 3)).astype(np.float32)
        self._ground = cv2.resize(coarse, (_WIDTH + 160, _HEIGHT + 160), interpolation=cv2.INTER_CUBIC)
        self._head, self._is_masked = head, is_masked
        self._corner = place * (np.array([_WIDTH, _HEIGHT]) - head)
        self._phase, self._speed = random.uniform(0, 6, 2), random.uniform(0.2, 0.6)
        self._random, self._grain = random, random.uniform(0, 6)

    def frame(
        self,
        picture: Picture,
        at: int,
        *,
        shift: Sequence[float] = (0, 0),
        zoom: float = 1.0,
        before: tuple[Picture, float] | None = None,
    ) -> NDArray[np.float32]:
        """(H, W, 3) in 0..255. `before`: another picture in front, and how many heads aside it is."""
        sway = 0.02 * self._head * np.sin(self._phase + self._speed * at)
        side = self._head * zoom * (1 + 0.01 * np.sin(self._speed * at))
        scale = side / picture.shape[0]
        x, y = self._corner + sway + np.array(shift) + (self._head - side) / 2
        matrix = np.array([[scale, 0, x], [0, scale, y]])
        moved = np.array([[1, 0, -80 + shift[0] / 2], [0, 1, -80 + shift[1] / 2]])
        ground = cv2.warpAffine(self._ground, moved, (_WIDTH, _HEIGHT))
        mixed = self._pasted(ground, picture, matrix)
        if before is not None:
            passing, heads = before
            beside = matrix + np.array([[0, 0, heads * side], [0, 0, 0]])
            mixed = self._pasted(mixed, passing, beside)
        return np.asarray(mixed + self._random.normal(0, self._grain, mixed.shape), np.float32)

    def _pasted(
        self, ground: NDArray[np.float32], picture: Picture, matrix: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        scale = float(matrix[0, 0])
        small = cv2.GaussianBlur(picture, (0, 0), 0.5 / scale) if scale < 1 else picture
        pasted = cv2.warpAffine(small.astype(np.float32), matrix, (_WIDTH, _HEIGHT))
        cover = cv2.warpAffine(self._cover(picture.shape[0]), matrix, (_WIDTH, _HEIGHT))[..., None]
        return np.asarray(ground + cover * (pasted - ground), np.float32)

    def _cover(self, side: int) -> NDArray[np.float32]:
        if not self._is_masked:
            return np.ones((side, side), np.float32)
        cover = np.zeros((side, side), np.float32)
        centre, axes = (side // 2, round(side * 0.5)), (round(side * 0.36), round(side * 0.46))
        cv2.ellipse(cover, centre, axes, 0, 0, 360, 1.0, -1)
        return np.asarray(cv2.GaussianBlur(cover, (0, 0), side / 40), np.float32)


def _changed(
    kind: str, scene: _Scene, people: tuple[Picture, Picture], at: int, speed: float
) -> NDArray[np.float32]:
    """The frame of a piece that continues; what is special begins at `CUT_AT` or goes on all the time."""
    late = at - CUT_AT
    picture, other = people
    if kind in ("passing", "hand"):
        return scene.frame(picture, at, before=(other if kind == "passing" else _hand(picture), speed * late))
    shifts = {
        "motion": (12 * np.sin(late), 9 * np.cos(1.3 * late)),
        "pan": (20 * speed * late, 0),
        "leaving": (0, -60 * speed * late - 80),
    }
    if kind in shifts:
        return scene.frame(picture, at, shift=shifts[kind])
    if kind == "zoom":
        return scene.frame(picture, at, zoom=1.25 if late >= 0 else 1.0 + 0.02 * at)
    frame = scene.frame(picture, at)
    if kind == "flash":
        return np.asarray(frame + 190 * (late in (0, 1)), np.float32)
    if kind == "fade":
        return np.asarray(16 + (frame - 16) * min(1.0, abs(late) / 8 + 0.02), np.float32)
    if kind == "exposure":
        return np.asarray(frame * (1.5 if late >= 0 else 0.8), np.float32)
    if kind == "light":
        across = np.linspace(-1, 1, frame.shape[1], dtype=np.float32)[None, :, None]
        return np.asarray(frame * (1 + 0.5 * across * (1 if late >= 0 else -1)), np.float32)
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), 4.0) if late >= 0 else frame, np.float32)  # focus


def _hand(picture: Picture) -> Picture:
    """A blurred, flat picture in the colour of the face."""
    flat = np.empty_like(picture)
    side = picture.shape[0]
    flat[:] = picture[side // 2 : side * 3 // 4, side // 3 : side * 2 // 3].mean((0, 1))
    return flat


def _alike(pictures: Sequence[Picture]) -> list[tuple[int, int]]:
    """Pairs of pictures, the most similar ones first; each picture is the first of one pair at most."""
    small = np.stack([_small(picture) for picture in pictures])
    likeness = small @ small.T
    np.fill_diagonal(likeness, -1)
    nearest = likeness.argmax(axis=1)
    order = np.argsort(-likeness.max(axis=1), kind="stable")
    pairs, seen = [], set[frozenset[int]]()
    for one in order:
        pair = frozenset((int(one), int(nearest[one])))
        if pair not in seen:
            seen.add(pair)
            pairs.append((int(one), int(nearest[one])))
    return pairs


def _small(picture: Picture) -> NDArray[np.float32]:
    small = cv2.resize(picture, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    return np.asarray(small / np.linalg.norm(small), np.float32)


def _read(path: Path) -> Picture:
    picture = cv2.imread(str(path))
    if picture is None:
        raise SystemExit(f"cannot read {path}")
    return np.asarray(picture[:, :, ::-1], np.uint8)


def _encode(path: Path, frames: Sequence[Any], random: np.random.Generator) -> Path:
    options = {"crf": str(random.integers(18, 30)), "preset": "veryfast"}
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=25, options=options)
        height, width = (side // 2 * 2 for side in frames[0].shape[:2])
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            whole = np.ascontiguousarray(np.clip(frame[:height, :width], 0, 255).astype(np.uint8))
            container.mux(video.encode(av.VideoFrame.from_ndarray(whole, "rgb24")))
        container.mux(video.encode(None))
    return path
