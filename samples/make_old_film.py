"""Makes the sample: a short old film with two faces and sound, and its undamaged truth.

    python samples/make_old_film.py OUT.mp4 [--truth TRUTH.mkv] [--seed N]

The only picture in it is the public-domain NASA portrait that scikit-image carries
(`skimage.data.astronaut`). A camera pans, zooms and rolls over it while a small cameo of the same
portrait, mirrored and toned, moves on its own; there is one hard cut, and the last second shows no face.

The truth is the same print when it was new: same motion, same gate weave, same faded tones and vignette,
pixel for pixel, without blur, grain, dust, scratches, flicker and compression. So a comparison measures
lost detail and not a colour grade. Frames depend on the seed and the index alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from vidrestore.degradation.film import Scratch, add_dust, clumped_grain, draw_scratch, scratch_light, soften

Picture = NDArray[np.float32]
Matrix = NDArray[np.float64]
Keys = tuple[tuple[float, ...], ...]

WIDTH, HEIGHT = 640, 480
FRAMES = 150
CUT = 87
"""First frame of the second shot."""
FRAME_RATE = Fraction(24000, 1001)
SAMPLE_RATE = 44100
DEFAULT_SEED = 1895

_LOST_RESOLUTION = 3.0
"""Frame pixels per pixel of detail that survived."""

# Frame, point of the portrait in the middle of the picture (x, y), zoom, roll in degrees, keystone in 1e-4.
_FIRST_SHOT = (
    (0, 282, 180, 1.40, -3.0, 1.0),
    (42, 244, 172, 1.56, 3.0, -1.5),
    (CUT, 258, 163, 1.72, -2.0, 1.5),
)
_SECOND_SHOT = (
    (CUT, 300, 158, 1.70, 5.0, -1.0),
    (100, 296, 152, 1.76, 3.0, 0.5),
    (130, 252, 372, 1.55, 0.0, 0.0),
    (FRAMES, 226, 372, 1.55, -2.0, 0.5),
)
# Frame, centre of the cameo in the picture (x, y), zoom, roll in degrees.
_FIRST_CAMEO = (
    (0, 760, 120, 0.80, 8),
    (34, 535, 150, 0.84, -5),
    (62, 545, 330, 0.90, 6),
    (CUT, 540, 250, 0.86, -4),
)
_SECOND_CAMEO = (
    (CUT, 105, 350, 0.84, -6),
    (104, 120, 260, 0.84, 3),
    (126, -120, 190, 0.84, 8),
    (FRAMES, -400, 190, 0.84, 8),
)
_CAMEO_CENTRE = (226.0, 122.0)
_CAMEO_RADII = (86, 106)


class OldFilm:
    """The film of one seed: any frame of it, new or aged, in any order."""

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self._seed = seed
        rng = np.random.default_rng((seed, 0))
        self._weave = _wander(rng, 3, keep=0.75) * (0.9, 0.6, 0.06)
        self._exposure = 1 + 0.018 * _wander(rng, 1, keep=0.6)[:, 0] + rng.normal(0, 0.012, FRAMES)
        self._focus = 1.35 + 0.35 * np.sin(np.arange(FRAMES) / 17 + rng.uniform(0, 6))
        self._scratches = _scratches(rng)
        portrait = skimage.data.astronaut()  # type: ignore[no-untyped-call]
        self._portrait: Picture = portrait.astype(np.float32) / 255
        self._vignette = _vignette()

    def new(self, index: int) -> Picture:
        """(H, W, 3) RGB in 0..1: the frame when the film was new."""
        shift_x, shift_y, turn = self._weave[index]
        weave = _about_middle(1.0, turn, WIDTH / 2 + shift_x, HEIGHT / 2 + shift_y, WIDTH / 2, HEIGHT / 2)
        first = index < CUT
        picture = self._background(index, weave, _FIRST_SHOT if first else _SECOND_SHOT, mirrored=not first)
        picture = self._with_cameo(
            picture, index, weave, _FIRST_CAMEO if first else _SECOND_CAMEO, mirrored=first
        )
        return _as_printed(picture) * self._vignette

    def aged(self, index: int) -> Picture:
        """(H, W, 3) RGB in 0..1: the same frame with the damage of age."""
        rng = np.random.default_rng((self._seed, 1, index))
        picture = soften(self.new(index), float(self._focus[index]), _LOST_RESOLUTION)
        picture = picture * np.float32(self._exposure[index])
        picture = picture + clumped_grain(rng, picture)
        picture = add_dust(rng, picture)
        for scratch in self._scratches:
            if scratch.first <= index < scratch.last:
                picture = picture + scratch_light(rng, scratch, index, (HEIGHT, WIDTH))
        return np.clip(picture, 0, 1).astype(np.float32)

    def sound(self) -> NDArray[np.float32]:
        """(N,) in -1..1 at SAMPLE_RATE: a projector and a barrel organ, exactly as long as the picture."""
        rng = np.random.default_rng((self._seed, 2))
        count = round(FRAMES / FRAME_RATE * SAMPLE_RATE)
        time = np.arange(count) / SAMPLE_RATE
        track = 0.03 * np.sin(2 * np.pi * 60 * time) + 0.015 * np.sin(2 * np.pi * 120 * time)
        track += rng.normal(0, 0.006, count)
        click = np.exp(-np.arange(400) / 60) * rng.normal(0, 0.12, 400)
        for index in range(FRAMES):
            start = round(index / FRAME_RATE * SAMPLE_RATE)
            track[start : start + 400] += click[: count - start]
        track += _tune(time)
        edge = np.minimum(1, np.minimum(time, time[-1] - time) / 0.02)
        return np.asarray(track * edge, np.float32)

    def _background(self, index: int, weave: Matrix, keys: Keys, *, mirrored: bool) -> Picture:
        x, y, zoom, roll, keystone = _at(keys, index)
        portrait = self._portrait[:, ::-1] if mirrored else self._portrait
        camera = _about_middle(zoom, roll, WIDTH / 2, HEIGHT / 2, x, y)
        lean = np.eye(3)
        lean[2, 0], lean[2, 1] = keystone * 1e-4, keystone * 0.5e-4
        lean[2, 2] = 1 - lean[2, 0] * WIDTH / 2 - lean[2, 1] * HEIGHT / 2
        return _warp(portrait, weave @ lean @ camera)

    def _with_cameo(
        self, picture: Picture, index: int, weave: Matrix, keys: Keys, *, mirrored: bool
    ) -> Picture:
        x, y, zoom, roll = _at(keys, index)
        portrait, oval, rim = _cameo(self._portrait)
        if mirrored:
            portrait, oval, rim = portrait[:, ::-1], oval[:, ::-1], rim[:, ::-1]
        centre_x = self._portrait.shape[1] - 1 - _CAMEO_CENTRE[0] if mirrored else _CAMEO_CENTRE[0]
        place = weave @ _about_middle(zoom, roll, x, y, centre_x, _CAMEO_CENTRE[1])
        opacity = _warp(oval, place, outside=cv2.BORDER_CONSTANT)[..., None]
        gold = _warp(rim, place, outside=cv2.BORDER_CONSTANT)[..., None]
        picture = picture + opacity * (_warp(portrait, place) - picture)
        return np.asarray(picture + gold * (np.array((0.78, 0.7, 0.5), np.float32) - picture))


def write_film(film: OldFilm, path: Path) -> None:
    """The aged film as an MP4: H.264, BT.601, AAC."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=FRAME_RATE, options={"crf": "27", "preset": "slow"})
        _describe(video, "yuv420p")
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        audio.bit_rate = 80_000
        # Interleaved by the muxer; the sound is short enough to be handed over first.
        for packet in _sound_packets(film, audio):
            container.mux(packet)
        for index in range(FRAMES):
            container.mux(video.encode(_video_frame(film.aged(index), index, "yuv420p")))
        container.mux(video.encode(None))


def write_truth(film: OldFilm, path: Path) -> None:
    """The new film as FFV1 in Matroska: ten bits without chroma subsampling, so that nothing is lost."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=FRAME_RATE)
        _describe(video, "yuv444p10le")
        for index in range(FRAMES):
            container.mux(video.encode(_video_frame(film.new(index), index, "yuv444p10le")))
        container.mux(video.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the sample film from scikit-image's portrait.")
    parser.add_argument("out", type=Path, metavar="OUT.mp4")
    parser.add_argument("--truth", type=Path, metavar="TRUTH.mkv", help="also write the undamaged frames")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    arguments = parser.parse_args()
    film = OldFilm(arguments.seed)
    write_film(film, arguments.out)
    if arguments.truth is not None:
        write_truth(film, arguments.truth)


def _wander(rng: np.random.Generator, channels: int, *, keep: float) -> NDArray[np.float64]:
    """(FRAMES, channels) of unit variance, each value remembering the last."""
    steps = rng.normal(0, 1, (FRAMES, channels))
    path = steps.copy()
    for index in range(1, FRAMES):
        path[index] = keep * path[index - 1] + np.sqrt(1 - keep**2) * steps[index]
    return path


def _scratches(rng: np.random.Generator) -> tuple[Scratch, ...]:
    return tuple(draw_scratch(rng, int(rng.integers(0, FRAMES - 10)), WIDTH) for _ in range(9))


def _vignette() -> Picture:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    distance = np.hypot((x - WIDTH / 2) / (WIDTH / 2), (y - HEIGHT / 2) / (HEIGHT / 2))
    return np.asarray(1 - 0.16 * distance**2.5, np.float32)[..., None]


def _at(keys: Keys, index: int) -> list[float]:
    """The key frames' values at one frame, easing in and out of each."""
    later = next(number for number in range(1, len(keys)) if index < keys[number][0])
    before, after = keys[later - 1], keys[later]
    t = (index - before[0]) / (after[0] - before[0])
    ease = t * t * (3 - 2 * t)
    return [a + ease * (b - a) for a, b in zip(before[1:], after[1:], strict=True)]


def _about_middle(
    zoom: float, roll: float, to_x: float, to_y: float, from_x: float, from_y: float
) -> NDArray[np.float64]:
    """(3, 3) that turns and zooms about one point and puts it at another."""
    cosine, sine = zoom * np.cos(np.radians(roll)), zoom * np.sin(np.radians(roll))
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1.0]])
    turn[:2, 2] = np.array((to_x, to_y)) - turn[:2, :2] @ np.array((from_x, from_y))
    return turn


def _warp(picture: Picture, matrix: Matrix, outside: int = cv2.BORDER_REFLECT) -> Picture:
    warped = cv2.warpPerspective(
        np.ascontiguousarray(picture), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=outside
    )
    return np.clip(warped, 0, 1).astype(np.float32)


def _cameo(portrait: Picture) -> tuple[Picture, Picture, Picture]:
    """The portrait in cooler, lighter tones; its oval; the oval's rim."""
    grey = portrait.mean(axis=2, keepdims=True)
    toned = np.clip(
        (0.3 * portrait + 0.7 * grey) * np.array((0.95, 1.02, 1.1), np.float32) * 0.92 + 0.06, 0, 1
    )
    centre = tuple(round(value) for value in _CAMEO_CENTRE)
    oval = np.zeros(portrait.shape[:2], np.float32)
    cv2.ellipse(oval, centre, _CAMEO_RADII, 0, 0, 360, 1.0, -1)
    rim = np.zeros_like(oval)
    cv2.ellipse(rim, centre, _CAMEO_RADII, 0, 0, 360, 1.0, 5)
    return (
        np.asarray(cv2.GaussianBlur(toned, (0, 0), 0.5), np.float32),
        np.asarray(cv2.GaussianBlur(oval, (0, 0), 1.0), np.float32),
        np.asarray(cv2.GaussianBlur(rim, (0, 0), 1.0), np.float32),
    )


def _as_printed(picture: Picture) -> Picture:
    """Faded, nearly grey, warm: the tones of the print, old or new."""
    grey = picture @ np.array((0.299, 0.587, 0.114), np.float32)
    toned = 0.28 * picture + 0.72 * grey[..., None]
    return ((0.10 + 0.76 * toned) * np.array((1.04, 0.99, 0.88), np.float32)).astype(np.float32)


def _tune(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """A broken chord up and down, four notes a second."""
    notes = (0, 4, 7, 12, 7, 4, 5, 9, 12, 17, 12, 9, 7, 11, 14, 19, 14, 11, 0, 4, 7, 12, 16, 12, 0)
    beat = np.minimum((time * 4).astype(int), len(notes) - 1)
    pitch = 261.63 * 2 ** (np.array(notes)[beat] / 12)
    since = time - np.array(beat) / 4
    loudness = 0.11 * np.exp(-4 * since) * np.minimum(1, since / 0.005)
    wave = np.sin(2 * np.pi * pitch * since) + 0.4 * np.sin(4 * np.pi * pitch * since)
    return np.asarray(loudness * wave)


def _describe(stream: av.VideoStream, pixel_format: str) -> None:
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
    context = stream.codec_context
    context.time_base = 1 / FRAME_RATE
    # SMPTE 170M, as video of this size was: matrix, primaries and transfer are all 6.
    context.colorspace = context.color_primaries = context.color_trc = 6
    context.color_range = ColorRange.MPEG


def _video_frame(picture: Picture, index: int, pixel_format: str) -> av.VideoFrame:
    deep = np.rint(np.clip(picture, 0, 1) * 65535).astype(np.uint16)
    frame = av.VideoFrame.from_ndarray(deep, format="rgb48le").reformat(
        format=pixel_format, dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG
    )
    frame.colorspace = frame.color_primaries = frame.color_trc = 6
    frame.color_range = ColorRange.MPEG
    frame.pts, frame.time_base = index, 1 / FRAME_RATE
    return frame


def _sound_packets(film: OldFilm, stream: av.AudioStream) -> Iterator[av.Packet[av.AudioStream]]:
    track = film.sound()
    for start in range(0, len(track), 1024):
        frame = av.AudioFrame.from_ndarray(track[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)


if __name__ == "__main__":
    main()
