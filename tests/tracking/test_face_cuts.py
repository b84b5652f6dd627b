"""A cut between two people at the same place is found, and nothing else is taken for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.support.motion import clip, face, picture
from vidrestore.tracking import SceneStart, track
from vidrestore.types import Detection, FloatArray

HERE, THERE = (90, 120), (230, 120)


class Recogniser:
    """People differ by what their middles show; counts the faces that it is asked about."""

    def __init__(self) -> None:
        self.faces = 0

    def describe(self, faces: Sequence[FloatArray]) -> FloatArray:
        self.faces += len(faces)
        patches = [face[64:192, 64:192].mean(2).reshape(4, 32, 4, 32).mean((1, 3)).ravel() for face in faces]
        return np.stack([(p - p.mean()) / (np.linalg.norm(p - p.mean()) + 1e-6) for p in patches])


def heads(*people: tuple[tuple[int, int], int]) -> np.ndarray:
    """Always the same ground; at each place the head of a person."""
    shown = picture(0)
    for (x, y), person in people:
        shown[y - 32 : y + 32, x - 32 : x + 32] = picture(person, (64, 64))
    return shown


def scenes(
    look: Callable[[int], np.ndarray],
    recogniser: Recogniser | None,
    places: Sequence[tuple[int, int]] = (HERE,),
    count: int = 40,
) -> list[int]:
    def faces(_: int) -> list[Detection]:
        return [face(place) for place in places]

    return [item.scene for item in track(clip(count, faces, look), recogniser=recogniser)]


def test_another_head_at_the_same_place_starts_a_scene() -> None:
    def look(i: int) -> np.ndarray:
        return heads((HERE, 1 if i < 20 else 2))

    assert scenes(look, None) == [0] * 40, "the picture alone changes too little"
    recogniser = Recogniser()
    assert scenes(look, recogniser) == [0] * 20 + [1] * 20
    assert recogniser.faces <= 6, "identities are compared at sudden changes only"
    out = list(track(clip(40, lambda _: [face(HERE)], look), recogniser=recogniser))
    assert {item.faces[0].track_id for item in out[:20]} != {item.faces[0].track_id for item in out[20:]}


def test_a_continuing_scene_needs_no_face_recognition() -> None:
    recogniser = Recogniser()
    assert scenes(lambda i: heads((HERE, 1)), recogniser) == [0] * 40
    assert recogniser.faces == 0


@pytest.mark.parametrize("length", [1, 2])
def test_a_person_seen_for_one_or_two_frames_is_no_cut(length: int) -> None:
    def look(i: int) -> np.ndarray:
        return heads((HERE, 2 if 20 <= i < 20 + length else 1))

    assert scenes(look, Recogniser()) == [0] * 40


def test_one_of_two_faces_that_changes_is_no_cut() -> None:
    def look(i: int) -> np.ndarray:
        return heads((HERE, 1 if i < 20 else 2), (THERE, 3))

    assert scenes(look, Recogniser(), (HERE, THERE)) == [0] * 40


def test_two_faces_that_change_are_a_cut() -> None:
    def look(i: int) -> np.ndarray:
        return heads((HERE, 1), (THERE, 3)) if i < 20 else heads((HERE, 2), (THERE, 4))

    assert scenes(look, Recogniser(), (HERE, THERE)) == [0] * 20 + [1] * 20


def test_blur_and_light_on_the_same_face_are_no_cut() -> None:
    import cv2

    def look(i: int) -> np.ndarray:
        shown = heads((HERE, 1))
        if i >= 10:
            shown = cv2.GaussianBlur(shown, (0, 0), 3)
        return np.clip(shown * (0.6 if i >= 20 else 1.0), 0, 255).astype(np.uint8)

    assert scenes(look, Recogniser()) == [0] * 40


def test_tracking_from_a_face_cut_gives_the_same_result() -> None:
    def look(i: int) -> np.ndarray:
        return heads((HERE, 1 + i // 15))

    starts: list[SceneStart] = []
    whole = [
        (item.scene, item.faces[0].track_id)
        for item in track(
            clip(45, lambda _: [face(HERE)], look), recogniser=Recogniser(), on_scene=starts.append
        )
    ]
    assert [start.number for start in starts] == [15, 30]
    rest = track(
        clip(30, lambda _: [face(HERE)], lambda i: look(i + 15)), recogniser=Recogniser(), begin=starts[0]
    )
    assert [(item.scene, item.faces[0].track_id) for item in rest] == whole[15:]
