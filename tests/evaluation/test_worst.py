"""The worst faces are kept, a few, and not the same one over and over."""

from __future__ import annotations

import numpy as np

from vidrestore.evaluation.face_views import FaceView
from vidrestore.evaluation.worst import WorstFaces


def view(level: float) -> FaceView:
    return FaceView(
        crop=np.full((256, 256, 3), level, np.float32),
        placed=np.zeros((5, 2)),
        points=None,
        shown=None,
        descriptor=np.zeros(128, np.float32),
        mouth=0.0,
        lids=0.0,
    )


def offer(worst: WorstFaces, value: float, frame: int, track: int = 0) -> None:
    worst.offer(
        value,
        {"result": view(frame / 100)},
        frame=frame,
        seconds=frame / 25,
        track=track,
        name="",
        box=np.array([0, 0, 9, 9]),
    )


def test_the_lowest_are_the_worst_where_higher_is_better_and_the_other_way_round() -> None:
    for measure, expected in (("face_psnr", [10.0, 20.0]), ("identity", [40.0, 30.0])):
        worst = WorstFaces(measure, 2)
        for number, value in enumerate((30.0, 10.0, 40.0, 20.0)):
            offer(worst, value, 100 * number)
        assert [face.value for face in worst.faces] == expected


def test_only_the_worst_of_neighbouring_frames_is_kept() -> None:
    worst = WorstFaces("identity", 5)
    for frame in range(50):
        offer(worst, 10.0 + (frame == 30), frame)
    assert worst.faces[0].frame == 30
    assert len(worst.faces) <= 2
    offer(worst, 9.0, 30, track=1)
    assert len({(face.track, face.frame) for face in worst.faces}) == len(worst.faces)


def test_a_face_is_kept_as_a_picture_of_eight_bits() -> None:
    worst = WorstFaces("identity", 1)
    offer(worst, 1.0, 50)
    (face,) = worst.faces
    assert face.pictures["result"].dtype == np.uint8
    assert (face.pictures["result"] == 128).all()


def test_no_worst_faces_are_kept_if_none_are_requested() -> None:
    worst = WorstFaces("identity", 0)
    offer(worst, 1.0, 0)
    assert worst.faces == ()
