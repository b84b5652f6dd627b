"""The requested faces are selected, and no others."""

from __future__ import annotations

import numpy as np

from tests.support.motion import frame, picture
from vidrestore.tracking import select_faces
from vidrestore.types import FrameFaces, TrackedFace


def tracked(track_id: int, side: float) -> TrackedFace:
    return TrackedFace(
        track_id=track_id,
        box=np.array([10, 10, 10 + side, 10 + side], np.float32),
        landmarks=np.zeros((5, 2), np.float32),
        score=1.0,
        observed=True,
    )


def ids(sides: list[dict[int, float]], faces: str, scenes: list[int] | None = None) -> list[list[int]]:
    background = picture(0)
    items = [
        FrameFaces(
            frame=frame(i, background),
            faces=tuple(tracked(t, s) for t, s in tracks.items()),
            scene=scenes[i] if scenes else 0,
        )
        for i, tracks in enumerate(sides)
    ]
    return [[face.track_id for face in item.faces] for item in select_faces(items, faces)]


def test_all_faces_by_default_and_those_named_by_their_ids() -> None:
    sides = [{0: 30.0, 3: 40.0, 7: 20.0}, {}, {7: 20.0}]
    assert ids(sides, "all") == [[0, 3, 7], [], [7]]
    assert ids(sides, "3,7") == [[3, 7], [], [7]]
    assert ids(sides, "9") == [[], [], []]
    assert ids(sides, "none") == [[], [], []]
    assert ids(sides, "not:3,9") == [[0, 7], [], [7]]


def test_the_largest_face_is_kept_until_another_is_clearly_larger() -> None:
    sides = [{0: 50.0, 1: 45.0}, {0: 50.0, 1: 52.0}, {0: 50.0, 1: 70.0}, {0: 60.0, 1: 58.0}, {}, {0: 10.0}]
    assert ids(sides, "largest") == [[0], [0], [1], [1], [], [0]]


def test_a_new_scene_has_a_largest_face_of_its_own() -> None:
    sides = [{0: 50.0, 1: 45.0}, {0: 45.0, 1: 50.0}]
    assert ids(sides, "largest", scenes=[0, 1]) == [[0], [1]]
