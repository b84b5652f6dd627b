"""Whether each person is one track in each scene, and is tracked wherever a teacher finds a face.

    python -m benchmarks.tracking TEACHER CLIP... [--network NAME] [--detector NAME] [--min-face PIXELS]

TEACHER is a checkpoint of RetinaFace, which looks at every frame (faces with a score above 0.6). Its boxes
are linked to persons by overlap alone, from frame to frame within a scene; a person is who was linked for at
least half a second. Prints for each clip:

    scenes, persons   as found by tracking, and by linking
    followed          share of the persons' faces that a track covers
    tracks            of our tracks, how many each person of a scene has (1 is right), at most and on average
    switches          frames in which a person's track is not the one of the frame before it was followed in
    shared            tracks that cover more than one person of a scene (0 is right)
    unknown           share of our faces that cover no face of the teacher's
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from vidrestore.detection import FaceDetector, detect, make_detector
from vidrestore.detection.retinaface import RetinaFaceDetector
from vidrestore.faces.boxes import overlap, smaller_side
from vidrestore.settings import DEFAULT_MIN_FACE, Settings
from vidrestore.tracking import track
from vidrestore.types import FloatArray, TrackedFace
from vidrestore.video import probe, read_frames

LINKED, SAME = 0.4, 0.25
"""Overlap of a person's boxes in neighbouring frames; of the teacher's and our box of one face."""
SECONDS_OF_A_PERSON = 0.5
_FRAMES_UNSEEN = 12


@dataclass(slots=True)
class Person:
    """The teacher's faces of one person in one scene, and our tracks on them."""

    scene: int
    box: FloatArray
    last_frame: int
    tracks: list[int | None] = field(default_factory=list)
    """Of each face, our track's id, or None."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--network", default="retinaface_mobile0.25")
    parser.add_argument("--detector", default=Settings().detector, help="as in restore")
    parser.add_argument("--min-face", type=int, default=DEFAULT_MIN_FACE)
    arguments = parser.parse_args()
    # Copies of 320 pixels: on larger ones it sees faces beyond its training, and several in one.
    teacher = RetinaFaceDetector(arguments.network, arguments.teacher, max_side=320)
    print(f"{'clip':18s} {'frames':>6s} {'scenes':>6s} {'persons':>7s} {'followed':>8s} {'tracks':>11s} "
          f"{'switches':>8s} {'shared':>6s} {'unknown':>7s}")  # fmt: skip
    for clip in arguments.clips:
        measure(clip, teacher, make_detector(arguments.detector), arguments.min_face)


def measure(clip: Path, teacher: RetinaFaceDetector, detector: FaceDetector, min_face: int) -> None:
    """Prints the line of one clip."""
    info = probe(clip)
    persons: list[Person] = []
    scenes: set[int] = set()
    frames = ours = unknown = 0
    for item in track(detect(read_frames(clip, info), detector, min_face=min_face)):
        frames += 1
        scenes.add(item.scene)
        found = [d.box for d in teacher.detect(item.frame) if smaller_side(d.box) >= min_face]
        for box in found:
            person = link(persons, box, item.scene, item.frame.index)
            person.tracks.append(track_on(box, item.faces))
        ours += len(item.faces)
        unknown += sum(all(overlap(f.box, box) < 0.1 for box in found) for f in item.faces)
    least = SECONDS_OF_A_PERSON * float(info.frame_rate)
    known = [p for p in persons if len(p.tracks) >= least]
    followed = [t is not None for p in known for t in p.tracks]
    per_person = [len({t for t in p.tracks if t is not None}) for p in known]
    print(
        f"{clip.stem:18s} {frames:6d} {len(scenes):6d} {len(known):7d} {np.mean(followed):8.1%} "
        f"{max(per_person):3d} / {np.mean(per_person):.2f} {sum(map(switches, known)):8d} {shared(known):6d} "
        f"{unknown / max(ours, 1):7.1%}"
    )


def link(persons: list[Person], box: FloatArray, scene: int, frame: int) -> Person:
    """The person of this scene whom the box overlaps most, seen a moment ago, or a new one."""
    recent = [p for p in persons if p.scene == scene and 0 < frame - p.last_frame <= _FRAMES_UNSEEN]
    best = max(recent, key=lambda p: overlap(p.box, box), default=None)
    if best is None or overlap(best.box, box) < LINKED:
        best = Person(scene=scene, box=box, last_frame=frame)
        persons.append(best)
    best.box, best.last_frame = box, frame
    return best


def track_on(box: FloatArray, faces: tuple[TrackedFace, ...]) -> int | None:
    """The id of the face that lies on the box."""
    best = max(faces, key=lambda face: overlap(face.box, box), default=None)
    return best.track_id if best is not None and overlap(best.box, box) >= SAME else None


def switches(person: Person) -> int:
    """How often another track takes over."""
    ids = [t for t in person.tracks if t is not None]
    return sum(a != b for a, b in pairwise(ids))


def shared(persons: list[Person]) -> int:
    """Tracks on two persons of one scene, each for more than a passing moment."""
    owners: dict[tuple[int, int], int] = {}
    for person in persons:
        for track_id in set(person.tracks) - {None}:
            assert track_id is not None
            if person.tracks.count(track_id) > 0.1 * len(person.tracks):
                owners[person.scene, track_id] = owners.get((person.scene, track_id), 0) + 1
    return sum(count > 1 for count in owners.values())


if __name__ == "__main__":
    main()
