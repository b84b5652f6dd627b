"""A video or numbered sequence, frame by frame, with its tracked faces."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

from vidrestore.colour.upscale import upscale_frame
from vidrestore.detection import detect, make_detector
from vidrestore.errors import InputError
from vidrestore.evaluation.file_pairs import check_sizes, enlargement
from vidrestore.evaluation.measures import Subject
from vidrestore.evaluation.moments import Moment
from vidrestore.evaluation.pairing import Check, FrameOrder
from vidrestore.evaluation.stream_checks import FrameTimes, check_sound
from vidrestore.identity import LazyRecogniser
from vidrestore.tracking import track
from vidrestore.types import Frame, FrameFaces, TrackedFace, VideoInfo
from vidrestore.video import Input, open_input, probe, read_frames

WHOLE_EVERY_SECONDS = 1.0
"""Time between two frames that are measured as a whole: SSIM of a large frame takes a core one second."""


class VideoMoments:
    """A moment for each frame of the result. Reads all files once, side by side; holds a few frames."""

    is_video = True

    def __init__(
        self, paths: dict[Subject, Path], *, detector: str, device: str, min_face: int, every_frame: bool
    ) -> None:
        """Open the files and compare what they state.

        Args:
            paths: The files: result, and input or truth or both.
            detector: Name of the face detector.
            device: auto, cpu, cuda or mps.
            min_face: Smaller faces are ignored [px].
            every_frame: Whether to measure every frame as a whole, not only one each second.

        Raises:
            InputError: A file is missing, or its size or stated length is not the result's.
        """
        self._inputs: dict[Subject, Input] = {subject: open_input(path) for subject, path in paths.items()}
        self._infos: dict[Subject, VideoInfo] = {s: probe(given) for s, given in self._inputs.items()}
        sizes = {s: (info.width, info.height) for s, info in self._infos.items()}
        self._enlargement = enlargement(sizes.get("input", (0, 0)), sizes["result"])
        if "input" in sizes:
            sizes["input"] = (sizes["input"][0] * self._enlargement, sizes["input"][1] * self._enlargement)
        check_sizes({paths[s]: size for s, size in sizes.items()})
        self._refuse_other_lengths()
        self._detector, self._device, self._min_face = detector, device, min_face
        self._every_frame = every_frame
        self._order = {other: FrameOrder(other) for other in paths if other != "result"}
        timed = all(given.has_frame_rate for given in self._inputs.values())
        self._clock_of: Subject | None = next((s for s in ("input", "truth") if s in paths and timed), None)
        # A restored video has its input's times; the truth may start at any time.
        self._times = FrameTimes(self._clock_of or "", absolute=self._clock_of == "input")
        info = self._infos["result"]
        self.total = info.frame_count
        self.size = (info.width, info.height)

    def __iter__(self) -> Iterator[Moment]:
        start: float | None = None
        due = float("-inf")
        for index, (frames, faces, spared) in enumerate(self._in_step()):
            times = {subject: frame.seconds for subject, frame in frames.items()}
            for other, order in self._order.items():
                order.add(frames["result"], frames[other])
            if self._clock_of is not None:
                self._times.add(times["result"], times[self._clock_of])
            start = times["result"] if start is None else start
            seconds = times["result"] - start
            whole = self._every_frame or seconds >= due
            if whole:
                due = seconds + WHOLE_EVERY_SECONDS - 1e-6
            yield Moment(index=index, seconds=seconds, frames=frames, faces=faces, spared=spared, whole=whole)

    def checks(self) -> tuple[Check, ...]:
        """The checks of frames, times and sound. Call it after the iteration has ended."""
        found = [order.check() for order in self._order.values()]
        if self._clock_of is not None:
            found.append(self._times.check())
            result, other = self._inputs["result"], self._inputs[self._clock_of]
            # The truth often has no sound; then there is nothing to compare.
            if not result.is_picture and not other.is_picture:
                sounds = "audio" in self._infos[self._clock_of].other_streams
                if self._clock_of == "input" or sounds:
                    found.append(check_sound(result.path, other.path, self._clock_of))
        return tuple(found)

    def _in_step(
        self,
    ) -> Iterator[tuple[dict[Subject, Frame], tuple[TrackedFace, ...], tuple[TrackedFace, ...]]]:
        """The frames of one moment, the reference's faces, and all faces that may have been changed."""
        reference: Subject = "truth" if "truth" in self._inputs else "result"
        others = [subject for subject in self._inputs if subject not in (reference, "input")]
        followed = {s: self._followed(s) for s in self._inputs if s not in others}
        plain = {subject: self._frames(subject) for subject in others}
        readers = [*followed.values(), *plain.values()]
        try:
            while True:
                items = {subject: next(reader, None) for subject, reader in followed.items()}
                frames = {subject: next(reader, None) for subject, reader in plain.items()}
                frames |= {subject: item.frame if item else None for subject, item in items.items()}
                ended = [subject for subject, frame in frames.items() if frame is None]
                if ended:
                    if len(ended) < len(frames):
                        raise InputError(self._unequal(ended))
                    return
                faces = {subject: item.faces for subject, item in items.items() if item}
                seen = tuple(face for face in faces[reference] if face.observed)
                spared = tuple(face for found in faces.values() for face in found)
                # In the order of `paths`.
                there = {s: frame for s in self._inputs if (frame := frames[s]) is not None}
                yield there, seen, spared
        finally:
            for reader in readers:
                reader.close()

    def _followed(self, subject: Subject) -> Generator[FrameFaces[TrackedFace]]:
        detector = make_detector(self._detector, self._device, min_face=self._min_face)
        found = detect(self._frames(subject), detector, min_face=self._min_face)
        yield from track(found, recogniser=LazyRecogniser(self._device))

    def _frames(self, subject: Subject) -> Generator[Frame]:
        factor = self._enlargement if subject == "input" else 1
        for frame in read_frames(self._inputs[subject], self._infos[subject]):
            yield upscale_frame(frame, factor)

    def _refuse_other_lengths(self) -> None:
        """Raise InputError before the work where the containers state different numbers of frames."""
        counts = {
            subject: _stated_frames(self._inputs[subject], info) for subject, info in self._infos.items()
        }
        known = {subject: count for subject, count in counts.items() if count is not None}
        if known and len(set(known.values())) > 1:
            least = min(known.values())
            raise InputError(self._unequal([subject for subject, count in known.items() if count == least]))

    def _unequal(self, ended: list[Subject]) -> str:
        shorter = self._inputs[ended[0]].path
        longer = next(given.path for subject, given in self._inputs.items() if subject not in ended)
        return f"{shorter} has fewer frames than {longer}; each frame needs a counterpart"


def _stated_frames(given: Input, info: VideoInfo) -> int | None:
    if given.pictures is not None:
        return len(given.pictures)
    return info.frame_count if info.is_counted else None
