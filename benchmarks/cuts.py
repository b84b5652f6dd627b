"""Are cuts between two alike heads at the same place found, and nothing else taken for a cut?

    python -m benchmarks.cuts FACES [--cuts N] [--continuing N] [--clip CLIP:N ...] [--seed N]

FACES is a folder of aligned faces with a manifest.csv; real photos with a known sex are used. N parts of each
clip, which shows one person without a cut, are pieces that continue. Prints the shares of cuts that are found
and of pieces that are split wrongly: by the picture alone (the baseline) and by the faces as well; what the
faces cost, as a share of detection and tracking; and how often identities are compared.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.cut_pieces import CUT_AT, Piece, clip_pieces, continuing_pieces, cut_pieces
from vidrestore.detection import detect, make_detector
from vidrestore.identity import LazyRecogniser
from vidrestore.tracking import track
from vidrestore.types import Detection, FloatArray, FrameFaces
from vidrestore.video import open_input, probe, read_frames

_SPARED = {"female": 27}
"""Of the cuts, how many are between women: there are fewer portraits of them."""


def main() -> None:
    """Prints the shares as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--cuts", type=int, default=72)
    parser.add_argument("--continuing", type=int, default=60)
    parser.add_argument("--clip", action="append", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder in which the pieces stay")
    given = parser.parse_args()
    with nullcontext(given.keep) if given.keep else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        print(json.dumps(_measure(list(_pieces(given, folder))), indent=1))


def _pieces(given: argparse.Namespace, folder: Path) -> Iterator[Piece]:
    portraits = _portraits(given.faces)
    spared = min(_SPARED["female"], given.cuts // 2)
    for number, (sex, count) in enumerate((("male", given.cuts - spared), ("female", spared))):
        below = folder / sex
        below.mkdir(exist_ok=True)
        yield from cut_pieces(portraits[sex], below, count, seed=given.seed + number)
    yield from continuing_pieces(portraits["male"][::-1], folder, given.continuing, seed=given.seed + 2)
    for clip in given.clip:
        path, _, count = clip.rpartition(":")
        yield from clip_pieces(Path(path), folder, int(count))


def _portraits(faces: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    with (faces / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "photo" and row["sex"]:
                found[row["sex"]].append(faces / row["file"])
    return {sex: sorted(paths) for sex, paths in found.items()}


class _Counting:
    """A recogniser that counts what it describes, and the processor's seconds for it."""

    def __init__(self) -> None:
        self.faces, self.seconds = 0, 0.0
        self._recogniser = LazyRecogniser("cpu")

    def describe(self, faces: Any) -> FloatArray:
        began = time.process_time()
        found = self._recogniser.describe(faces)
        self.seconds += time.process_time() - began
        self.faces += len(faces)
        return found


def _measure(pieces: list[Piece]) -> dict[str, Any]:
    detector, recogniser = make_detector("embedded"), _Counting()
    found: dict[str, dict[str, list[bool]]] = {"picture": defaultdict(list), "faces": defaultdict(list)}
    seconds = {"detection": 0.0, "picture": 0.0, "faces": 0.0}
    frames = 0
    for piece in pieces:
        given = open_input(piece.path)
        began = time.process_time()
        items = list(detect(read_frames(given, probe(given)), detector))
        seconds["detection"] += time.process_time() - began
        frames += len(items)
        for way in ("picture", "faces"):
            began = time.process_time()
            scenes = _scenes(items, recogniser if way == "faces" else None)
            seconds[way] += time.process_time() - began
            is_split = scenes[CUT_AT - 1] != scenes[CUT_AT] if piece.is_cut else scenes[-1] != scenes[0]
            found[way][f"cut, {piece.kind}" if piece.is_cut else piece.kind].append(is_split)
    return {
        "pieces": {kind: len(each) for kind, each in found["faces"].items()},
        "split": {way: {kind: sum(each) for kind, each in of.items()} for way, of in found.items()},
        "cuts found": {way: _share(of, is_cut=True) for way, of in found.items()},
        "split wrongly": {way: _share(of, is_cut=False) for way, of in found.items()},
        "frames": frames,
        "faces described": recogniser.faces,
        "milliseconds of the processor per frame": {
            **{name: round(1000 * each / frames, 2) for name, each in seconds.items()},
            "describing": round(1000 * recogniser.seconds / frames, 2),
        },
    }


def _scenes(items: list[FrameFaces[Detection]], recogniser: _Counting | None) -> list[int]:
    return [item.scene for item in track(items, recogniser=recogniser)]


def _share(found: dict[str, list[bool]], *, is_cut: bool) -> str:
    outcomes = [each for kind, of in found.items() if kind.startswith("cut") == is_cut for each in of]
    return f"{sum(outcomes)} of {len(outcomes)}"


if __name__ == "__main__":
    main()
