"""A file without a counterpart is an error: no file is left out silently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vidrestore.errors import InputError, UsageError
from vidrestore.evaluation.file_pairs import check_sizes, is_pictures, pair_pictures


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    import cv2

    for folder, ending in (("result", ".png"), ("truth", ".jpg")):
        (tmp_path / folder / "women").mkdir(parents=True)
        for name in ("a", "women/b"):
            cv2.imwrite(str(tmp_path / folder / f"{name}{ending}"), np.full((16, 16, 3), 99, np.uint8))
    return tmp_path / "result", tmp_path / "truth"


def test_pictures_are_paired_by_name_whatever_their_ending(folders: tuple[Path, Path]) -> None:
    result, truth = folders
    pairs = pair_pictures({"result": result, "truth": truth})
    assert [pair.name for pair in pairs] == ["a.png", "b.png"]
    assert [pair.files["truth"].relative_to(truth).as_posix() for pair in pairs] == ["a.jpg", "women/b.jpg"]


def test_a_missing_truth_is_an_error(folders: tuple[Path, Path]) -> None:
    result, truth = folders
    (truth / "a.jpg").unlink()
    with pytest.raises(InputError, match="truth of a, which is in"):
        pair_pictures({"result": result, "truth": truth})


def test_a_missing_result_is_an_error(folders: tuple[Path, Path]) -> None:
    result, truth = folders
    (result / "women" / "b.png").unlink()
    with pytest.raises(InputError, match=r"lacks the result of women/b, which is in"):
        pair_pictures({"result": result, "truth": truth})


def test_two_files_of_one_name_are_an_error(folders: tuple[Path, Path]) -> None:
    result, truth = folders
    (result / "a.jpg").write_bytes((truth / "a.jpg").read_bytes())
    with pytest.raises(InputError, match="one picture by their names"):
        pair_pictures({"result": result, "truth": truth})


def test_a_folder_and_a_file_are_no_pair(folders: tuple[Path, Path]) -> None:
    result, truth = folders
    with pytest.raises(UsageError, match="both be pictures or both be folders"):
        pair_pictures({"result": result, "truth": truth / "a.jpg"})


def test_a_folder_without_pictures_and_a_file_that_is_not_there_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no pictures"):
        pair_pictures({"result": tmp_path})
    with pytest.raises(InputError, match="there is no file"):
        is_pictures(tmp_path / "nothing.png")


def test_pictures_of_different_sizes_are_an_error() -> None:
    with pytest.raises(InputError, match=r"b\.png is 20 x 10 pixels, but a\.png is 10 x 10"):
        check_sizes({Path("a.png"): (10, 10), Path("b.png"): (20, 10)})
