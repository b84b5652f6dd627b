"""What a sidecar says of people and scenes is done, with and without segments and in previews."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import vidrestore
from tests.support.films import make_film
from tests.support.jobs import assert_equal, frames_of
from vidrestore import UsageError
from vidrestore.cli import main
from vidrestore.settings import make_settings
from vidrestore.settings.sidecar import FaceTreatment, parse_sidecar

pytestmark = pytest.mark.slow

USUAL = FaceTreatment(strength=0.9, fidelity="auto", grain="auto")
FACES = (range(4, 16), range(40, 52))


def values(**parts: Any) -> dict[str, Any]:
    head = {"vidrestore_sidecar": 1, "version": "x", "video": {"name": "a", "bytes": 1, "frames": 1}}
    return {**head, "people": {"p0": {"tracks": [0, 3]}, "p1": {"tracks": [1]}}, **parts}


def test_an_entry_for_a_person_in_a_scene_overrides_the_scene_and_the_person() -> None:
    sidecar = parse_sidecar(
        values(
            people={"p0": {"tracks": [0, 3], "strength": 0.5, "grain": 0.1}, "p1": {"tracks": [1]}},
            scenes={
                2: {"strength": 0.3, "people": {"p0": {"strength": 0.2}, "p1": {"restore": False}}},
                3: {"restore": False, "people": {"p1": {"restore": True, "fidelity": 1}}},
            },
        ),
        "x.yaml",
    )
    assert sidecar.treatment(0, 9, USUAL) == USUAL
    assert sidecar.treatment(0, 3, USUAL) == FaceTreatment(strength=0.5, fidelity="auto", grain=0.1)
    assert sidecar.treatment(2, 0, USUAL) == FaceTreatment(strength=0.2, fidelity="auto", grain=0.1)
    assert sidecar.treatment(2, 9, USUAL) == FaceTreatment(strength=0.3, fidelity="auto", grain="auto")
    assert sidecar.treatment(2, 1, USUAL) is None
    assert sidecar.treatment(3, 0, USUAL) is None
    assert sidecar.treatment(3, 1, USUAL) == FaceTreatment(strength=0.9, fidelity=1, grain="auto")
    assert sidecar.fidelities == {1}


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"people": {"p0": {"tracks": [0], "strength": 2}}}, "people / p0 / strength"),
        ({"people": {"p0": {"tracks": [0], "colour": 1}}}, "colour"),
        ({"scenes": {0: {"people": {"p7": {}}}}}, "p7"),
        ({"people": {"p0": {"tracks": [0], "fidelity": 0}}}, "fidelity"),
        ({"vidrestore_sidecar": 9}, "is not a sidecar"),
        ({"people": {"p0": {"tracks": [0]}, "p1": {"tracks": [0]}}}, "track 0 belongs to p0 and to p1"),
    ],
)
def test_invalid_entries_of_a_sidecar_are_refused_with_their_place(wrong: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        parse_sidecar(values(**wrong), "x.yaml")


def test_tracks_and_scenes_that_the_video_does_not_have_are_refused() -> None:
    video = {"name": "a", "bytes": 1, "frames": 1, "tracks": 4, "scenes": 1}
    parse_sidecar(values(video=video, scenes={0: {}}), "x.yaml")
    with pytest.raises(UsageError, match="p1 has track 4, and the video has tracks 0 to 3"):
        parse_sidecar(values(video=video, people={"p1": {"tracks": [4], "restore": False}}), "x.yaml")
    with pytest.raises(UsageError, match="scene 1, and the video has scenes 0 to 0"):
        parse_sidecar(values(video=video, scenes={1: {"restore": False}}), "x.yaml")
    with pytest.raises(UsageError, match="p0 has track 0, and the video has no tracks"):
        parse_sidecar(values(video=video | {"tracks": 0}), "x.yaml")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"people": {"p0": {"tracks": "x"}}}, "people / p0 / tracks must be a list such as [0, 3], got 'x'"),
        (
            {"people": {"p0": {"tracks": [0, "a"]}}},
            "people / p0 / tracks / 1 must be a whole number, got 'a'",
        ),
        ({"people": {"p0": {}}}, "people / p0 / tracks is missing"),
        ({"people": 5}, "people must be names and values, such as 'strength: 0.8', got 5"),
        ({"people": {"p0": 3}}, "people / p0 must be names and values, such as 'strength: 0.8', got 3"),
        ({"people": {"bob": {"tracks": [0]}}}, "people / bob: a person is named p0, p1 and so on"),
        (
            {"people": {"p0": {"tracks": [0], "colour": 1}}},
            "people / p0 has no entry named colour; check how it is written",
        ),
        ({"colour": 1}, "it has no entry named colour; check how it is written"),
        ({"scenes": {"x": {}}}, "scenes / x must be a whole number, got 'x'"),
        ({"scenes": {0: {"people": {"p7": {}}}}}, "scene 0 names p7, who is missing in people"),
        (
            {"scenes": {0: {"fidelity": "x"}}},
            "scenes / 0 / fidelity must be auto or a number from 0 to 1, got 'x'",
        ),
        ({"scenes": {0: {"fidelity": 0}}}, "scenes / 0 / fidelity must be more than 0, got 0"),
        ({"scenes": {0: {"strength": True}}}, "scenes / 0 / strength must be a number, got True"),
        ({"scenes": {0: {"restore": "x"}}}, "scenes / 0 / restore must be true or false, got 'x'"),
    ],
)
def test_an_invalid_entry_of_a_sidecar_is_explained_in_plain_words(
    wrong: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse_sidecar(values(**wrong), "x.yaml")
    assert str(caught.value) == f"x.yaml: {sentence}"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_film(tmp_path / "in.mkv", 56, FACES)


def edited(film: Path, **people_or_scenes: Any) -> Path:
    """The sidecar that inspect writes, with something added to each person or scene that is named."""
    path = film.with_suffix(".yaml")
    path.unlink(missing_ok=True)
    assert main(["inspect", str(film), "--sidecar", str(path), "-q"]) == 0
    content = yaml.safe_load(path.read_text())
    for name, added in people_or_scenes.items():
        content["people"][name].update(added)
    path.write_text(yaml.safe_dump(content))
    return path


def test_equal_entries_for_all_people_are_the_same_as_settings(film: Path, tmp_path: Path) -> None:
    found = vidrestore.inspect(film)
    assert len(found.tracks) == 2
    treatment = {"strength": 0.5, "fidelity": 0.3, "grain": 0.4}
    sidecar = edited(film, **{f"p{person.id}": treatment for person in found.people})
    vidrestore.restore(film, tmp_path / "plain.mkv", codec="ffv1", device="cpu", **treatment)
    vidrestore.restore(
        film, tmp_path / "sidecar.mkv", codec="ffv1", device="cpu", sidecar=sidecar, fidelity=1, segment=1
    )
    assert_equal(tmp_path / "plain.mkv", tmp_path / "sidecar.mkv")
    (shown,) = vidrestore.preview(film, 10 / 25, device="cpu", sidecar=sidecar)
    run = frames_of(tmp_path / "sidecar.mkv")[10]
    for p, q in zip(shown.cells[0].after.planes, run.planes, strict=True):
        assert np.array_equal(p, q)
    assert not np.array_equal(shown.before.planes[0], run.planes[0])


def test_a_scene_with_restoration_turned_off_stays_unchanged(film: Path, tmp_path: Path) -> None:
    sidecar = edited(film)
    content = yaml.safe_load(sidecar.read_text())
    found = vidrestore.inspect(film)
    scene = max(n for n, s in enumerate(found.scenes) if s.first_frame <= found.tracks[1].first_frame)
    content["scenes"][scene]["restore"] = False
    sidecar.write_text(yaml.safe_dump(content))
    report = vidrestore.restore(
        film, tmp_path / "out.mkv", codec="ffv1", device="cpu", sidecar=sidecar, fidelity=1
    )
    assert report.tracks == 1
    original, result = frames_of(film), frames_of(tmp_path / "out.mkv")
    assert np.array_equal(original[45].planes[0], result[45].planes[0])
    assert not np.array_equal(original[10].planes[0], result[10].planes[0])


def test_a_sidecar_of_another_video_or_way_of_tracking_is_refused(film: Path, tmp_path: Path) -> None:
    sidecar = edited(film)
    other = make_film(tmp_path / "other.mkv", 8, ())
    with pytest.raises(UsageError, match=r"was written for in\.mkv"):
        vidrestore.restore(other, tmp_path / "out.mkv", sidecar=sidecar)
    with pytest.raises(UsageError, match="min_face 24, not 40"):
        vidrestore.restore(film, tmp_path / "out.mkv", sidecar=sidecar, min_face=40)
    sidecar.write_text(sidecar.read_text().replace("version: 0", "version: 9"))
    with pytest.raises(UsageError, match="by vidrestore 9"):
        vidrestore.preview(film, 0, sidecar=sidecar)
    assert not (tmp_path / "out.mkv").exists()


def test_a_sidecar_that_a_user_edits_is_never_replaced(
    film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sidecar = edited(film)
    before = sidecar.read_bytes()
    assert main(["inspect", str(film), "--sidecar", str(sidecar), "-q"]) == 2
    assert sidecar.read_bytes() == before
    sentence = f"{sidecar} exists and may be a sidecar with your changes, which is never replaced; choose"
    assert sentence in capsys.readouterr().err


def test_fidelity_0_allows_no_other_fidelity_for_single_people(film: Path) -> None:
    with pytest.raises(UsageError, match="fidelity 0 applies to all"):
        make_settings(fidelity=0, sidecar=edited(film, p0={"fidelity": 0.4}))
