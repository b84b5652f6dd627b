"""The embedded detector finds and follows the faces of the sample film, and refuses what is no face."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from skimage import data

from tests.support.faces import ASTRONAUT, people, read_rgb, still
from tests.support.shared import ROOT, SHARED, needs_shared
from vidrestore.detection import detect, make_detector
from vidrestore.detection.landmark_net import crop_matrix, load_landmark_net
from vidrestore.errors import UsageError, WeightsError
from vidrestore.faces.face_square import face_box, square_around, tilt
from vidrestore.training.data.people import list_faces
from vidrestore.video import probe, read_frames
from vidrestore.weights import embedded_path


def test_a_face_is_found_with_its_five_points() -> None:
    (item,) = detect([still(data.astronaut())], make_detector("embedded"))
    found = item.faces
    assert len(found) == 1
    eyes = np.hypot(*(ASTRONAUT[1] - ASTRONAUT[0]))
    error = np.hypot(*(found[0].landmarks - ASTRONAUT).T).mean()
    assert error < 0.15 * eyes
    x0, y0, x1, y1 = found[0].box
    assert x0 < ASTRONAUT[:, 0].min() < ASTRONAUT[:, 0].max() < x1
    assert y0 < ASTRONAUT[:, 1].min() < ASTRONAUT[:, 1].max() < y1


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket", "brick", "grass"])
def test_pictures_without_a_face_have_none(name: str) -> None:
    picture = getattr(data, name)()
    rgb = np.repeat(picture[..., None], 3, 2) if picture.ndim == 2 else picture
    assert make_detector("embedded").detect(still(np.ascontiguousarray(rgb))) == ()


@pytest.mark.parametrize("angle", [-135, -90, -45, 45, 90, 135, 180])
def test_a_face_at_any_roll_angle_is_found_with_its_points_left_as_if_it_were_upright(angle: float) -> None:
    turn = cv2.getRotationMatrix2D((224.0, 124.0), -angle, 0.6)
    turn[:, 2] += np.array([256, 200]) - [224, 124]
    shown = cv2.warpAffine(data.astronaut(), turn, (512, 400), borderMode=cv2.BORDER_REPLICATE)
    wanted = ASTRONAUT @ turn[:, :2].T + turn[:, 2]
    (item,) = detect([still(shown)], make_detector("embedded"))
    assert len(item.faces) == 1
    error = np.hypot(*(item.faces[0].landmarks - wanted).T).mean()
    assert error < 0.15 * np.hypot(*(wanted[1] - wanted[0]))


def test_a_face_that_is_mirrored_upside_down_is_found() -> None:
    (found,) = make_detector("embedded").detect(still(np.ascontiguousarray(data.astronaut()[::-1])))
    assert abs(tilt(found.landmarks)) > 150


def test_all_of_a_crowd_of_forty_are_found() -> None:
    crowd = people(rows=5, columns=8, cell=96)
    faces = make_detector("embedded").detect(still(crowd))
    cells = {(int(f.landmarks[:, 1].mean() // 96), int(f.landmarks[:, 0].mean() // 96)) for f in faces}
    assert len(faces) == len(cells) == 40


@pytest.mark.parametrize(("gain", "lift"), [(0.15, 5), (0.3, 160)])
def test_a_dark_or_faded_face_is_found(gain: float, lift: float) -> None:
    shown = np.clip(data.astronaut() * gain + lift, 0, 255).astype(np.uint8)
    assert len(make_detector("embedded").detect(still(shown))) == 1


@pytest.mark.parametrize(("side", "min_face"), [(26, 24), (18, 17), (400, 24)])
def test_faces_from_the_smallest_requested_to_the_full_picture_are_found(side: int, min_face: int) -> None:
    box = face_box(ASTRONAUT)
    scale = side / float(box[2] - box[0])
    face = cv2.resize(data.astronaut(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    shown = np.full((720, 1280, 3), 90, np.uint8)
    height, width = min(face.shape[0], 720), min(face.shape[1], 1280)
    shown[:height, :width] = face[:height, :width]
    (found,) = make_detector("embedded", min_face=min_face).detect(still(shown))
    assert np.hypot(*(found.landmarks - ASTRONAUT * scale).T).mean() < 0.1 * side


@needs_shared
def test_heads_turned_aside_and_profiles_are_found() -> None:
    """Of people whom no network of this project has learned from."""
    detector = make_detector("embedded")
    for least, most, share in ((0.2, 0.35, 0.9), (0.35, 9.0, 0.8)):
        found = [
            len(detector.detect(still(read_rgb(face.path)))) == 1
            for face in list_faces(SHARED / "faces")
            if face.is_held_out and least <= abs(float(face.attribute("yaw") or 0)) < most
        ]
        assert np.mean(found) >= share


def test_faces_of_the_sample_are_found_in_nearly_every_frame_and_none_at_its_end() -> None:
    path = ROOT / "samples" / "old_film.mp4"
    counts = [len(item.faces) for item in detect(read_frames(path, probe(path)), make_detector("embedded"))]
    assert sum(c >= 1 for c in counts[:100]) >= 95
    assert sum(c > 0 for c in counts[130:]) == 0


def test_a_face_is_followed_when_it_moves_and_lost_when_it_goes() -> None:
    detector = make_detector("embedded")
    ((found,),) = (item.faces for item in detect([still(data.astronaut())], detector))
    moved = np.roll(data.astronaut(), (4, 6), axis=(0, 1))
    (followed,) = detector.follow(still(moved), [found])
    assert np.abs(followed.landmarks - found.landmarks - [6, 4]).max() < 4
    assert detector.follow(still(np.full((512, 512, 3), 120, np.uint8)), [found]) == ()


def test_the_crop_puts_the_middle_of_the_face_in_its_middle() -> None:
    square = square_around(ASTRONAUT)
    middle = (ASTRONAUT[:2].mean(0) + ASTRONAUT[3:].mean(0)) / 2
    assert crop_matrix(square) @ np.append(middle, 1) == pytest.approx([31.5, 31.5], abs=1e-3)


def test_unknown_detectors_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"embedded, retinaface_mobile0\.25, retinaface_resnet50"):
        make_detector("haar")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(2)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="landmark network"):
        load_landmark_net(tmp_path / "w.safetensors")
    torch.save({"x": torch.zeros(2)}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"does not fit the network: it lacks"):
        make_detector(f"retinaface_mobile0.25={tmp_path / 'w.pth'}", "cpu")


def test_embedded_weights_stay_within_their_budget() -> None:
    assert embedded_path("landmarks.safetensors").stat().st_size <= 2 * 2**20
    assert embedded_path("yunet.onnx").stat().st_size <= 2**19


@needs_shared
def test_retinaface_finds_the_same_face() -> None:
    weights = SHARED / "models" / "retinaface_mobile0.25.pth"
    found = make_detector(f"retinaface_mobile0.25={weights}", "cpu").detect(still(data.astronaut()))
    assert len(found) == 1
    inside = found[0].box[:2] < ASTRONAUT.mean(0)
    assert inside.all()
    assert (ASTRONAUT.mean(0) < found[0].box[2:]).all()


def test_a_face_in_orange_light_is_found_as_well() -> None:
    lit = (data.astronaut() * np.array([1.0, 0.6, 0.3])).astype(np.uint8)
    assert [d.score > 0.8 for d in make_detector("embedded").detect(still(lit))] == [True]


def test_a_confidently_followed_face_is_not_detected_again() -> None:
    detector = make_detector("embedded")
    picture = still(data.astronaut())
    (found,) = detector.detect(picture)
    assert detector.detect(picture, existing=[found]) == ()
    (again,) = detector.detect(picture, existing=[replace(found, score=0.5)])
    assert np.array_equal(again.landmarks, found.landmarks)
    elsewhere = replace(found, box=found.box + np.float32(150), landmarks=found.landmarks + np.float32(150))
    assert len(detector.detect(picture, existing=[elsewhere])) == 1


@needs_shared
def test_retinaface_places_the_points_whichever_size_the_picture_has() -> None:
    """Weights of the 1 MB network, which trained with other anchors and activations than facexlib's."""
    detector = make_detector(
        f"retinaface_mobile0.25={SHARED / 'models' / 'retinaface_mobile0.25.pth'}", "cpu"
    )
    eyes = np.hypot(*(ASTRONAUT[1] - ASTRONAUT[0]))
    for rgb in (data.astronaut(), np.ascontiguousarray(data.astronaut()[:400])):
        (found,) = detector.detect(still(rgb))
        assert np.hypot(*(found.landmarks - ASTRONAUT).T).mean() < 0.15 * eyes
        assert 1.5 * eyes < found.box[2] - found.box[0] < 3 * eyes
