"""YuNet proposes faces in pictures of any size and shape, seen as any quarter turn shows them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from tests.support.faces import ASTRONAUT, people, still
from vidrestore.detection.overlap import suppress_duplicates
from vidrestore.detection.yunet import YuNet
from vidrestore.errors import WeightsError
from vidrestore.faces.boxes import overlap
from vidrestore.faces.face_square import face_box, face_size, square_around, tilt

EYES = float(np.hypot(*(ASTRONAUT[1] - ASTRONAUT[0])))


def shown(width: int, height: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The astronaut's face in the middle of a picture, and its points there."""
    matrix = np.array([[scale, 0, width / 2 - 224 * scale], [0, scale, height / 2 - 124 * scale]])
    picture = cv2.warpAffine(
        data.astronaut(), matrix, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return picture, ASTRONAUT @ matrix[:, :2].T + matrix[:, 2]


@pytest.mark.parametrize(
    ("width", "height"), [(640, 640), (1280, 720), (720, 1280), (333, 517), (1999, 201), (97, 120)]
)
def test_a_face_is_found_in_pictures_of_any_size_and_shape(width: int, height: int) -> None:
    scale = min(width, height) / 300
    picture, wanted = shown(width, height, scale)
    (found,) = YuNet(least=0.7).search(still(picture), "full")
    assert np.hypot(*(found.landmarks - wanted).T).mean() < 0.2 * EYES * scale


@pytest.mark.parametrize("turn", range(4))
def test_each_quarter_turn_is_undone_for_the_points(turn: int) -> None:
    turned = np.ascontiguousarray(np.rot90(data.astronaut()[:400], -turn))
    (seen,) = YuNet(least=0.7).find(turned, turn)
    (upright,) = YuNet(least=0.7).find(np.ascontiguousarray(data.astronaut()[:400]))
    height, width = turned.shape[:2]
    x, y = upright.landmarks.T
    expected = [
        (x, y),
        (width - 1 - y, x),
        (width - 1 - x, height - 1 - y),
        (y, height - 1 - x),
    ][turn]
    assert np.allclose(seen.landmarks, np.stack(expected, 1), atol=0.01)
    assert abs((tilt(seen.landmarks) - tilt(upright.landmarks) - 90 * turn + 180) % 360 - 180) < 0.1


def test_only_a_thorough_search_knows_the_roll_angle_of_a_face_that_is_upside_down() -> None:
    frame = still(np.ascontiguousarray(np.rot90(data.astronaut(), 2)))
    yunet = YuNet(least=0.7)
    assert all(abs(tilt(face.landmarks)) < 90 for face in yunet.search(frame, "full"))
    assert any(abs(tilt(face.landmarks)) > 150 for face in yunet.search(frame, "thorough"))


def test_a_quick_search_sees_large_faces_and_an_upright_one_small_ones_too() -> None:
    crowd = np.full((720, 1280, 3), 70, np.uint8)
    crowd[:280, :280] = cv2.resize(data.astronaut()[20:250, 110:340], (280, 280))
    crowd[600:656, 1100:1156] = people(1, 1, 56)
    yunet = YuNet(least=0.5)
    assert len(yunet.search(still(crowd), "quick")) == 1
    assert len(yunet.search(still(crowd), "full")) == 2


def test_points_lie_where_they_do_in_the_frame_whatever_the_copys_size() -> None:
    large, wanted = shown(2400, 1350, 2.0)
    for min_face in (24, 60):
        (found,) = YuNet(min_face=min_face, least=0.7).search(still(large), "full")
        assert np.hypot(*(found.landmarks - wanted).T).mean() < 0.15 * EYES * 2


def test_nearly_all_of_two_hundred_faces_are_found() -> None:
    crowd = people(rows=10, columns=20, cell=64)
    assert len(YuNet(least=0.5).search(still(crowd), "full")) >= 195


@pytest.mark.parametrize("turn", range(4))
def test_large_pictures_are_searched_in_pieces_that_miss_no_face(
    monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    crowd = people(rows=8, columns=12, cell=64)
    crowd[:400, :400] = cv2.resize(data.astronaut()[20:250, 110:340], (400, 400))
    turned = np.ascontiguousarray(np.rot90(crowd, -turn))
    yunet = YuNet(least=0.5)
    whole = suppress_duplicates(yunet.find(turned, turn))
    monkeypatch.setattr("vidrestore.detection.yunet.PIECE_SIDE", 300)
    monkeypatch.setattr("vidrestore.detection.yunet.PIECE_OVERLAP", 120)
    pieces = suppress_duplicates(yunet.find_in_pieces(turned, turn))
    assert len(whole) > 50
    for face in whole:
        assert any(
            np.hypot(*(face.landmarks - other.landmarks).T).mean() < 0.6 * face_size(face.landmarks)
            for other in pieces
        )


def test_a_file_that_is_no_network_is_named(tmp_path: Path) -> None:
    (tmp_path / "yunet.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"yunet\.onnx has no weights of YuNet"):
        YuNet(tmp_path / "yunet.onnx")


def test_a_box_is_as_large_for_a_profile_as_from_the_front() -> None:
    middle = ASTRONAUT[:, :1].mean()
    profile = np.column_stack([middle + 0.1 * (ASTRONAUT[:, 0] - middle), ASTRONAUT[:, 1]])
    assert square_around(profile)[2] == pytest.approx(square_around(ASTRONAUT)[2], rel=0.15)


@pytest.mark.parametrize("angle", [30, 90, 180, 250])
def test_the_square_and_the_angle_of_a_face_turn_with_it(angle: float) -> None:
    turn = cv2.getRotationMatrix2D((224.0, 124.0), -angle, 1.0)
    points = (ASTRONAUT @ turn[:, :2].T + turn[:, 2]).astype(np.float32)
    difference = tilt(points) - tilt(ASTRONAUT) - angle
    assert abs((difference + 180) % 360 - 180) < 0.01
    assert square_around(points)[2] == pytest.approx(square_around(ASTRONAUT)[2], rel=1e-4)
    x0, y0, x1, y1 = face_box(points)
    assert x1 - x0 == pytest.approx(y1 - y0, abs=1e-3)
    assert (x0 + x1) / 2 == pytest.approx(square_around(points)[0], abs=1e-3)


@pytest.mark.parametrize("size", [(5000, 60), (60, 5000)])
def test_faces_found_in_noise_in_a_narrow_strip_have_bounded_coordinates(size: tuple[int, int]) -> None:
    yunet = YuNet()
    for seed in range(3):
        noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
        for face in yunet.find_in_pieces(noise):
            assert np.abs(face.landmarks).max() < 8 * 5000
            assert np.isfinite(overlap(face.box, face.box))


def test_large_boxes_overlap_without_an_overflow() -> None:
    box = np.array([0, 0, 3e30, 3e30], np.float32)
    with np.errstate(over="raise"):
        assert overlap(box, box) == 1
