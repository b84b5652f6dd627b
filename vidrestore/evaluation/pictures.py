"""Pictures and folders of them, with the faces in each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from vidrestore.colour.upscale import upscale_frame
from vidrestore.detection import detect, make_detector
from vidrestore.errors import InputError
from vidrestore.evaluation.file_pairs import PictureFiles, check_sizes, enlargement, pair_pictures
from vidrestore.evaluation.measures import Subject
from vidrestore.evaluation.moments import Moment
from vidrestore.evaluation.pairing import Check, PicturePairs
from vidrestore.types import Frame, TrackedFace
from vidrestore.video import probe, read_frames
from vidrestore.video.reading.animation import is_animation


class PictureMoments:
    """A moment for each picture of the result, in the order of their names."""

    is_video = False

    def __init__(self, paths: dict[Subject, Path], *, detector: str, device: str, min_face: int) -> None:
        """Pair the pictures by name.

        Args:
            paths: A picture or a folder of pictures for each of input, result and truth.
            detector: Name of the face detector.
            device: auto, cpu, cuda or mps.
            min_face: Smaller faces are ignored [px].

        Raises:
            InputError: A picture has no partner, or is an animation.
        """
        self._pairs = pair_pictures(paths)
        for path in (path for pair in self._pairs for path in pair.files.values()):
            if is_animation(path):
                raise InputError(_several_message(path))
        self._detector = make_detector(detector, device, min_face=min_face)
        self._min_face = min_face
        self._subjects = tuple(paths)
        self._matching = {other: PicturePairs(other) for other in paths if other != "result"}
        self.total = len(self._pairs)
        self.size = (0, 0)

    def __iter__(self) -> Iterator[Moment]:
        for index, pair in enumerate(self._pairs):
            frames = {subject: read_picture(path) for subject, path in pair.files.items()}
            if (given := frames.get("input")) is not None:
                result = frames["result"]
                factor = enlargement((given.width, given.height), (result.width, result.height))
                frames["input"] = upscale_frame(given, factor)
            check_sizes({pair.files[s]: (frame.width, frame.height) for s, frame in frames.items()})
            if index == 0:
                self.size = (frames["result"].width, frames["result"].height)
            for other, matching in self._matching.items():
                matching.add(pair.name, frames["result"], frames[other])
            yield self._moment(index, pair, frames)

    def checks(self) -> tuple[Check, ...]:
        """Whether the pairs belong together. Call it after the iteration has ended."""
        return tuple(matching.check() for matching in self._matching.values())

    def _moment(self, index: int, pair: PictureFiles, frames: dict[Subject, Frame]) -> Moment:
        reference: Subject = "truth" if "truth" in frames else "result"
        (item,) = detect([frames[reference]], self._detector, min_face=self._min_face)
        faces = tuple(
            TrackedFace(
                track_id=number, box=face.box, landmarks=face.landmarks, score=face.score, observed=True
            )
            for number, face in enumerate(item.faces)
        )
        return Moment(
            index=index, seconds=float(index), name=pair.name, frames=frames, faces=faces, spared=faces
        )


def read_picture(path: Path) -> Frame:
    """The only frame of a picture's file. Raises InputError where it cannot be read or is one of several."""
    frames = list(islice(read_frames(path, probe(path)), 2))
    if not frames:
        raise InputError(f"no picture of {path} can be decoded: the file is damaged or cut short")
    if len(frames) > 1:
        raise InputError(_several_message(path))
    return frames[0]


def _several_message(path: Path) -> str:
    return f"{path} is an animation, and single pictures are measured here; convert it to a video, or move it"
