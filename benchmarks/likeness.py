"""How often a photo chooses the right person, at which distance: portraits, and a clip with several people.

    python -m benchmarks.likeness FACES [--people N] [--clip-people N]

FACES is a folder of aligned faces with a manifest.csv. Only real photos are used; the recogniser was trained
on none of them. Each photo of a person with several photos is a request: the gallery has all other photos of
all people, each as a track of its own, grouped as `inspect` groups tracks. A choice is right if a photo of
the person is chosen and nobody else; it misses if nobody is chosen; it is wrong if somebody else is. The row
`--faces` is what `--faces like:photo.jpg` chooses. The others choose all below a distance, the baseline below
that of the network's author. In the clip, each person has a scene of their own, and is requested by another
photo.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.identity import CHOSEN_BELOW, LIKELY_BELOW, SAME_PERSON, find_people, make_recogniser
from vidrestore.inspection import inspect_video
from vidrestore.jobs.known_tracks import KnownTrack, KnownTracks
from vidrestore.jobs.likeness import tracks_like
from vidrestore.jobs.people import choose_people
from vidrestore.settings import make_settings
from vidrestore.types import FloatArray

BORDER = 16 / 288
"""Of the files of FACES, as a share of a side."""
THRESHOLDS = (CHOSEN_BELOW, LIKELY_BELOW, 0.48, SAME_PERSON)
FRAMES, SIDE = 10, 400
_GROUNDS = ((30, 60, 120), (150, 120, 60), (40, 90, 40), (120, 40, 60), (20, 20, 20), (160, 160, 170))
_BATCH = 32


def main() -> None:
    """Prints the shares as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--clip-people", type=int, default=6)
    given = parser.parse_args()
    photos = _photos(given.faces, given.people)
    found = {"portraits": _portraits(photos), "clip": _clip(photos, given.clip_people)}
    print(json.dumps(found, indent=1))


def _photos(faces: Path, people: int) -> dict[str, list[Path]]:
    """The real photos of people, those with several photos first."""
    photos: dict[str, list[Path]] = defaultdict(list)
    with (faces / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "photo":
                photos[row["person"]].append(faces / row["file"])
    names = sorted(photos, key=lambda name: (len(photos[name]) < 2, name))[:people]
    return {name: sorted(photos[name]) for name in names}


def _portraits(photos: dict[str, list[Path]]) -> dict[str, Any]:
    people = [name for name, paths in photos.items() for _ in paths]
    descriptors = _describe([path for paths in photos.values() for path in paths])
    distances = np.linalg.norm(descriptors[:, None] - descriptors[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    is_same = np.array(people)[:, None] == np.array(people)[None]
    asked = is_same.sum(axis=1) > 1
    ways = {f"{threshold:.2f}": distances[asked] < threshold for threshold in THRESHOLDS}
    ways["--faces"] = np.stack([_chosen(descriptors, int(number)) for number in np.flatnonzero(asked)])
    shares = {}
    for name, chosen in ways.items():
        right, wrong = (chosen & is_same[asked]).any(axis=1), (chosen & ~is_same[asked]).any(axis=1)
        shares[name] = {
            "right": _share(right & ~wrong),
            "missed": _share(~right & ~wrong),
            "wrong": _share(wrong),
        }
    return {
        "requests": int(asked.sum()),
        "photos in the gallery": len(people) - 1,
        "people": len(photos),
        "by distance": shares,
        "baseline": f"{SAME_PERSON:.2f}",
    }


def _chosen(descriptors: FloatArray, photo: int) -> NDArray[np.bool_]:
    """(N,) which descriptors `--faces like:` chooses for the one with number `photo`."""
    others = {number: each for number, each in enumerate(descriptors) if number != photo}
    people = find_people(dict.fromkeys(others, 1), others, frozenset())
    tracks = tuple(
        KnownTrack(id=number, person=person.id, side=0, centre=(0, 0), descriptor=others[number])
        for person in people
        for number in person.tracks
    )
    known = KnownTracks(path=Path(), tracks=tracks, seen_together=frozenset())
    flags = np.zeros(len(descriptors), bool)
    flags[[track.id for track, _ in tracks_like(known, descriptors[photo]).chosen]] = True
    return flags


def _describe(paths: list[Path]) -> FloatArray:
    recogniser = make_recogniser("cpu")
    parts = [
        recogniser.describe([_face(path) for path in paths[at : at + _BATCH]])
        for at in range(0, len(paths), _BATCH)
    ]
    return np.concatenate(parts)


def _face(path: Path) -> FloatArray:
    picture = _picture(path)
    border = round(BORDER * picture.shape[0])
    inner = cv2.resize(picture[border:-border, border:-border], (256, 256), interpolation=cv2.INTER_AREA)
    return (inner / 255).astype(np.float32)


def _picture(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path))
    if picture is None:
        raise SystemExit(f"cannot read {path}")
    return np.asarray(picture[:, :, ::-1], np.uint8)


def _clip(photos: dict[str, list[Path]], count: int) -> dict[str, Any]:
    """Each person's first photo is a scene; the second one asks for the person."""
    several = [name for name, paths in photos.items() if len(paths) > 1][:count]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = _make_clip(folder / "clip.mkv", [photos[person][0] for person in several])
        found = inspect_video(clip, make_settings(device="cpu"))
        outcomes, sentences = [], list[str]()
        for number, person in enumerate(several):
            photo = folder / f"{number}.png"
            cv2.imwrite(str(photo), _framed(_picture(photos[person][1]), 0)[:, :, ::-1])
            asked = make_settings(faces=f"like:{photo}", device="cpu")
            settings, said = choose_people(clip, asked, known=KnownTracks.of_inspection(found))
            outcomes.append(settings.faces)
            sentences += said
    right = [faces == str(number) for number, faces in enumerate(outcomes)]
    return {
        "people": len(several),
        "scenes": len(found.scenes),
        "tracks": len(found.tracks),
        "distance": CHOSEN_BELOW,
        "right": sum(right),
        "missed": outcomes.count("none"),
        "wrong": len(right) - sum(right) - outcomes.count("none"),
        "messages": sentences,
    }


def _make_clip(path: Path, photos: list[Path]) -> Path:
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=25, options={"crf": "20"})
        video.width = video.height = SIDE
        video.pix_fmt = "yuv420p"
        for number, photo in enumerate(photos):
            picture = _picture(photo)
            for shift in range(FRAMES):
                frame = _framed(picture, shift + number % 2 * 60, ground=_GROUNDS[number % len(_GROUNDS)])
                container.mux(video.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(video.encode(None))
    return path


def _framed(
    picture: NDArray[np.uint8], shift: int, ground: tuple[int, int, int] = (90, 90, 90)
) -> NDArray[np.uint8]:
    """The picture in a larger frame; another ground and place for each person, so that each is a scene."""
    frame = np.empty((SIDE, SIDE, 3), np.uint8)
    frame[:] = ground
    side = picture.shape[0]
    at = (SIDE - side) // 2
    frame[at : at + side, shift : shift + side] = picture
    return frame


def _share(flags: NDArray[np.bool_]) -> float:
    return round(float(flags.mean()), 4)


if __name__ == "__main__":
    main()
