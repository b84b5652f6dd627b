"""Previews from a recorded analysis equal those that analyse, whatever the sidecar says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.films import make_film
from vidrestore import InputError
from vidrestore.inspection import inspect_video
from vidrestore.jobs import preview, recorded_inspection
from vidrestore.jobs.preview import Previewer, own_variant
from vidrestore.jobs.recorded_inspection import inspect_and_record, recorded_tracks
from vidrestore.jobs.sidecar_check import new_sidecar
from vidrestore.settings import make_settings
from vidrestore.settings.sidecar import Sidecar
from vidrestore.types import Frame

SETTINGS = make_settings(device="cpu", fidelity=1)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_film(tmp_path / "in.mkv", 30, (range(4, 26),))


def assert_same(one: Frame, other: Frame) -> None:
    for p, q in zip(one.planes, other.planes, strict=True):
        assert np.array_equal(p, q)


def after(previewer: Previewer) -> list[Frame]:
    return [shown.cells[0].after for shown in previewer.show([own_variant(SETTINGS)])]


def sidecar(film: Path, **scene: Any) -> Sidecar:
    empty = new_sidecar(film, 30, SETTINGS)
    return Sidecar.model_validate({**empty.model_dump(), "scenes": dict.fromkeys(range(4), scene)})


def forbid_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "find_moments", lambda *_: pytest.fail("the video was analysed again"))


def test_a_preview_from_a_recorded_analysis_is_the_same_as_from_a_new_one(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, times = tmp_path / "analysis", [0.0, 0.61, 29 / 25]
    found = inspect_and_record(film, SETTINGS, file)
    assert found == inspect_video(film, SETTINGS)
    analysed = Previewer(film, times, SETTINGS)
    forbid_analysis(monkeypatch)
    recorded = Previewer(film, times, SETTINGS, analysis=file)
    assert [m.index for m in recorded._moments] == [m.index for m in analysed._moments] == [0, 15, 29]
    for one, other in zip(after(recorded), after(analysed), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("folder", ["why?", "take #2", "100%41", "a&b=c; d é"])
def test_a_recorded_analysis_may_be_in_a_folder_with_any_name(
    film: Path, tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(folder).mkdir()
    inspect_and_record(film, SETTINGS, Path(folder) / "analysis")
    before = sorted(tmp_path.rglob("*"))
    assert recorded_tracks(film, SETTINGS, Path(folder) / "analysis") is not None
    assert recorded_tracks(film, SETTINGS, tmp_path / folder / "analysis") is not None
    assert sorted(tmp_path.rglob("*")) == before


def test_only_the_chosen_tracks_are_shown(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspect_and_record(film, SETTINGS, tmp_path / "analysis")
    forbid_analysis(monkeypatch)
    for faces, count in (("0", 1), ("not:0", 0), ("none", 0)):
        settings = SETTINGS.model_copy(update={"faces": faces})
        (shown,) = Previewer(film, [0.4], settings, analysis=tmp_path / "analysis").show(
            [own_variant(settings)]
        )
        assert len(shown.faces) == count


def test_the_record_of_another_state_of_the_file_is_not_used(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspect_and_record(film, SETTINGS, tmp_path / "analysis")
    os.utime(film, ns=(1, 1))
    forbid_analysis(monkeypatch)
    with pytest.raises(pytest.fail.Exception):
        Previewer(film, [0.4], SETTINGS, analysis=tmp_path / "analysis")


def test_a_time_after_the_end_is_refused_with_a_recorded_analysis(film: Path, tmp_path: Path) -> None:
    inspect_and_record(film, SETTINGS, tmp_path / "analysis")
    with pytest.raises(InputError, match="no frame at 3 s"):
        Previewer(film, [3.0], SETTINGS, analysis=tmp_path / "analysis")


def test_a_previewer_with_a_changed_sidecar_equals_a_new_previewer(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, restored = [], preview._restored_items
    monkeypatch.setattr(preview, "_restored_items", lambda *a: (calls.append(1), restored(*a))[1])
    kept = Previewer(film, [0.4], SETTINGS)
    after(kept)
    for scene, networks in (({"strength": 0.4}, 0), ({"grain": 0.7}, 0), ({"restore": False}, 1)):
        calls.clear()
        said = sidecar(film, **scene)
        kept.use_sidecar(said)
        (shown,) = after(kept)
        assert len(calls) == networks
        (new,) = after(Previewer(film, [0.4], SETTINGS.model_copy(update={"sidecar": said})))
        assert_same(shown, new)
    assert_same(shown, kept.show([own_variant(SETTINGS)])[0].before)
    assert recorded_inspection.recorded_moments(
        kept._opened, [0.4], SETTINGS, tmp_path / "none"
    ) is None  # fmt: skip
