"""People are chosen by number and by photo, and nobody who is less similar than stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import vidrestore
from tests.support.footage import Footage, make_footage
from vidrestore import UsageError
from vidrestore.faces.alignment import template
from vidrestore.jobs import people
from vidrestore.jobs.people import choose_people
from vidrestore.jobs.preview_moments import find_moments
from vidrestore.jobs.recorded_inspection import inspect_and_record, recorded_moments, recorded_tracks
from vidrestore.pipeline import open_input_video
from vidrestore.settings import make_settings
from vidrestore.types import Detection, FloatArray, Frame

RED, BLUE, GREEN = (200, 40, 40), (40, 40, 200), (40, 200, 40)
LEFT, RIGHT = (36, 40), (100, 40)


def _picture(colours: dict[tuple[int, int], tuple[int, int, int]], ground: int) -> np.ndarray:
    """A disc of colour for each face, on grounds (from 0) that tell scenes apart."""
    down, across = np.mgrid[:80, :136]
    waves = (np.sin(across / 7), np.sin(down / 6), np.sin((across + down) / 9), np.cos((across - down) / 5))
    picture = np.repeat((110 + 70 * waves[ground])[..., None], 3, axis=2).astype(np.uint8)
    for (x, y), colour in colours.items():
        cv2.circle(picture, (x, y), 28, colour, -1)
    return picture


def _detections(frame: Frame) -> list[Detection]:
    """A face wherever a disc is."""
    found = []
    for x, y in (LEFT, RIGHT):
        if x < frame.width and abs(float(frame.planes[1][y // 2, x // 2]) - 128) > 8:
            points = template(1) - template(1).mean(axis=0)
            box = np.array([x - 20, y - 20, x + 20, y + 20], np.float32)
            found.append(Detection(box=box, landmarks=(points * 56 + [x, y]).astype(np.float32), score=0.95))
    return found


class _Discs:
    def detect(
        self, frame: Frame, *, search: str = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        return tuple(_detections(frame))

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        return self.detect(frame)


class _ByColour:
    def describe(self, faces: Sequence[FloatArray]) -> FloatArray:
        middles = [face[96:160, 96:160].mean((0, 1)) for face in faces]
        return np.stack([np.pad(middle, (0, 125)) for middle in middles]).astype(np.float32)


@pytest.fixture(autouse=True)
def by_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidrestore.detection.make_detector", lambda *_, **__: _Discs())
    monkeypatch.setattr("vidrestore.identity.make_recogniser", lambda *_: _ByColour())


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Red alone; red and blue; blue and green: five tracks of three people."""
    scenes = [{LEFT: RED}, {RIGHT: RED, LEFT: BLUE}, {LEFT: BLUE, RIGHT: GREEN}]
    pictures = [_picture(s, ground) for s, ground in zip(scenes, range(3), strict=True) for _ in range(12)]
    return make_footage(tmp_path / "film.mkv", pictures, Footage(pixel_format="yuv420p"))


def _photo(folder: Path, colours: dict[tuple[int, int], tuple[int, int, int]]) -> Path:
    path = folder / "photo.jpg"
    cv2.imwrite(str(path), _picture(colours, 3)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
    return path


def _chosen(film: Path, faces: str) -> tuple[set[str], tuple[str, ...]]:
    settings, sentences = choose_people(film, make_settings(faces=faces))
    return set(settings.faces.split(",")), sentences


def test_inspecting_groups_tracks_over_cuts(film: Path) -> None:
    found = vidrestore.inspect(film)
    assert len(found.tracks) == 5
    assert sorted(len(person.tracks) for person in found.people) == [1, 2, 2]
    for person in found.people:
        assert person.frames == 12 * len(person.tracks)
        assert (person.distance is None) == (len(person.tracks) == 1)
    data = found.to_dict()
    assert [person["tracks"] for person in data["people"]] == [list(p.tracks) for p in found.people]


def test_a_person_is_chosen_by_number_over_cuts(film: Path) -> None:
    found = vidrestore.inspect(film)
    for person in found.people:
        assert _chosen(film, f"p{person.id}") == ({str(track) for track in person.tracks}, ())
    settings, _ = choose_people(film, make_settings(faces="not:p0"))
    assert settings.faces == "not:" + ",".join(map(str, found.people[0].tracks))
    with pytest.raises(UsageError, match="p7"):
        choose_people(film, make_settings(faces="p7"))


def test_the_person_in_a_photo_is_chosen_and_nobody_else(film: Path, tmp_path: Path) -> None:
    tracks, sentences = _chosen(film, f"like:{_photo(tmp_path, {LEFT: BLUE})}")
    found = vidrestore.inspect(film)
    blue = next(person for person in found.people if set(map(str, person.tracks)) == tracks)
    assert len(blue.tracks) == 2
    assert all("sure (distance 0.0" in sentence for sentence in sentences)


def test_nobody_is_chosen_if_no_face_is_like_the_photo(film: Path, tmp_path: Path) -> None:
    tracks, (sentence,) = _chosen(film, f"like:{_photo(tmp_path, {LEFT: (160, 0, 160)})}")
    assert tracks == {"none"}
    assert "nobody in film.mkv is surely the person" in sentence
    assert "nearest is track" in sentence


@pytest.mark.parametrize(("count", "match"), [(0, "no face"), (2, "2 faces")])
def test_a_photo_with_no_face_or_two_faces_is_refused(
    film: Path, tmp_path: Path, count: int, match: str
) -> None:
    photo = _photo(tmp_path, dict(list({LEFT: RED, RIGHT: BLUE}.items())[:count]))
    with pytest.raises(UsageError, match=match):
        choose_people(film, make_settings(faces=f"like:{photo}"))


def test_tracks_are_chosen_by_place_and_size(film: Path) -> None:
    found = vidrestore.inspect(film)
    left = {str(track.id) for track in found.tracks if track.centre[0] < 0.5}
    right = {str(track.id) for track in found.tracks} - left
    assert (len(left), len(right)) == (3, 2)
    assert found.to_dict()["tracks"][0]["centre"] == pytest.approx([36 / 136, 40 / 80], abs=0.02)
    assert _chosen(film, "within:0,0,.5,1") == (left, ())
    assert _chosen(film, "within:0.5,0,1.0,1+larger:20") == (right, ())
    assert _chosen(film, "larger:20+smaller:200") == (left | right, ())
    assert _chosen(film, "smaller:20") == ({"none"}, ())
    assert _chosen(film, "not:larger:200") == ({"all"}, ())
    settings, _ = choose_people(film, make_settings(faces="not:within:0,0,.5,1"))
    assert set(settings.faces.removeprefix("not:").split(",")) == left


@pytest.mark.parametrize("orientation", [{"rotation": 90}, {"rotation": 180}, {"mirrored": True}])
def test_a_place_is_one_of_the_picture_as_it_is_shown(tmp_path: Path, orientation: dict[str, Any]) -> None:
    pictures = [_picture({LEFT: RED}, 0)] * 8
    film = make_footage(tmp_path / "film.mp4", pictures, Footage(codec="libx264", **orientation))
    (track,) = vidrestore.inspect(film).tracks
    assert track.centre == pytest.approx((36 / 136, 40 / 80), abs=0.05)


@pytest.mark.parametrize(
    "faces",
    ["within:0,0,2,1", "within:0,0,1", "larger:", "larger:-3", "larger:80+", "larger:80,1", "nearer:3"],
)
def test_invalid_conditions_for_faces_are_refused(faces: str) -> None:
    with pytest.raises(UsageError, match="faces"):
        make_settings(faces=faces)


def test_an_empty_region_is_refused_before_the_video_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is empty"):
        choose_people(tmp_path / "none.mkv", make_settings(faces="within:.5,0,.5,1"))


def test_a_recorded_inspection_chooses_the_same_people_without_a_new_one(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People, photos, sizes and places."""
    blue = f"like:{_photo(tmp_path, {LEFT: BLUE})}"
    names = ("p0", "not:p1", "larger:20+within:0.5,0,1,1", "not:smaller:20", blue)
    expected = [choose_people(film, make_settings(faces=each)) for each in names]
    inspect_and_record(film, make_settings(), tmp_path / "analysis")
    monkeypatch.setattr(people, "inspect_video", lambda *_: pytest.fail("the video was inspected again"))
    for each, (settings, sentences) in zip(names, expected, strict=True):
        given = make_settings(faces=each)
        known = recorded_tracks(film, given, tmp_path / "analysis")
        assert known is not None
        chosen, said = choose_people(film, given, known=known)
        assert (chosen.faces, said) == (settings.faces, sentences)
    assert recorded_tracks(film, make_settings(min_face=40), tmp_path / "analysis") is None
    assert recorded_tracks(film, make_settings(), tmp_path / "none") is None


def test_the_largest_face_of_a_record_is_the_one_of_a_run(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays with one face until another is clearly larger, so earlier frames of the scene matter."""

    def growing(self: _Discs, frame: Frame, **_: Any) -> tuple[Detection, ...]:
        found = _detections(frame)
        side = 17 + 0.6 * (frame.index % 12)
        return tuple(
            replace(
                face, box=np.array([*(face.box[:2] + 20 - side), *(face.box[2:] - 20 + side)], np.float32)
            )
            if face.box[0] < 36
            else face
            for face in found
        )

    monkeypatch.setattr(_Discs, "detect", growing)
    settings = make_settings(faces="largest")
    inspect_and_record(film, make_settings(), tmp_path / "analysis")
    opened = open_input_video(film, settings)
    times = [number / 25 for number in (0, 13, 23, 35)]
    recorded = recorded_moments(opened, times, settings, tmp_path / "analysis")
    assert recorded is not None
    analysed = find_moments(opened, times, settings, None)
    shown = [[(face.track_id, face.box.tolist()) for face in moment.faces] for moment in recorded]
    assert shown == [[(face.track_id, face.box.tolist()) for face in moment.faces] for moment in analysed]
    assert [len(each) for each in shown] == [1, 1, 1, 1]
    assert shown[1][0][0] == shown[2][0][0], "the left face has become larger, but not clearly"


def test_people_of_a_pipe_cannot_be_chosen() -> None:
    with pytest.raises(UsageError, match="twice"):
        choose_people(Path("-"), make_settings(faces="p0"))
