"""The typed keyword arguments are the settings: no more, no fewer, and of types that are accepted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import vidrestore
from tests.support.shared import ROOT
from vidrestore.errors import UsageError
from vidrestore.in_memory import Restorer
from vidrestore.settings import Settings, make_settings
from vidrestore.settings.keywords import FaceKeywords, RestorerKeywords, SettingsKeywords


def test_the_keywords_are_the_settings() -> None:
    assert SettingsKeywords.__annotations__.keys() == Settings.model_fields.keys()
    assert FaceKeywords.__annotations__.keys() < RestorerKeywords.__annotations__.keys()


def test_each_keyword_has_the_type_of_its_setting() -> None:
    fields, keywords = get_type_hints(Settings), get_type_hints(SettingsKeywords)
    looser = {"faces", "fps", "start", "end", "sidecar"}  # also take what is turned into the setting's type
    for name in keywords.keys() - looser:
        assert keywords[name] == fields[name] | None, name


@pytest.mark.parametrize(
    ("faces", "value"),
    [([0, 2], "0,2"), ((3,), "3"), (4, "4"), ("0,2", "0,2"), ("largest", "largest")],
)
def test_faces_may_be_a_list_of_track_ids(faces: object, value: str) -> None:
    assert make_settings(faces=faces).faces == value


def test_a_configuration_file_may_list_track_ids(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("faces: [0, 2]\n")
    assert make_settings(tmp_path / "c.yaml").faces == "0,2"


@pytest.mark.parametrize("faces", [[], [-1], [0, "1"], [True], True, 0.5, [[0]], {0}, -1])
def test_invalid_lists_of_faces_are_refused(faces: object) -> None:
    with pytest.raises(UsageError, match=r"^faces must be all, largest, none, numbers of tracks"):
        make_settings(faces=faces)


def test_settings_created_directly_raise_the_same_error() -> None:
    with pytest.raises(UsageError, match=r"^strength must be at most 1, got 7$"):
        Settings(strength=7)
    with pytest.raises(UsageError, match=r"^there is no setting 'strenght'"):
        Settings(strenght=1)  # type: ignore[call-arg]


def test_a_restorer_takes_no_settings_of_files() -> None:
    for name in SettingsKeywords.__annotations__.keys() - RestorerKeywords.__annotations__.keys():
        with pytest.raises(UsageError, match=f"{name}: for files only"):
            Restorer(**{name: 1})  # type: ignore[arg-type]


def test_help_names_every_call_and_loads_no_torch() -> None:
    text = vidrestore.__doc__ or ""
    for name in ("inspect(", "restore(", "resume(", "Restorer(", "Settings", "Progress", "VidrestoreError"):
        assert name in text
    code = (
        "import sys, vidrestore, pydoc; print(pydoc.render_doc(vidrestore)[:3000]); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert "scenes and faces" in done.stdout
    assert done.stdout.endswith("False\n")
