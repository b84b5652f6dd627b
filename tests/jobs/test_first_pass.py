"""An analysis that is resumed at a scene change has the same result as one without a break."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.films import film_pictures
from tests.support.footage import Footage, interlaced, make_footage
from vidrestore import video
from vidrestore.detection import make_detector
from vidrestore.jobs.first_pass import CONTEXT, AnalysisCheckpoint, analyse
from vidrestore.jobs.frame_records import FrameRecord, pack_faces, unpack_faces
from vidrestore.settings import make_settings

FACES = (range(10, 24), range(40, 56))


def analysed(
    path: Path, begin: AnalysisCheckpoint | None = None, earlier: list[FrameRecord] | None = None
) -> tuple[list[FrameRecord], list[AnalysisCheckpoint]]:
    opened, settings = video.open_video(path), make_settings()
    checkpoints: list[AnalysisCheckpoint] = []
    context = [] if begin is None or earlier is None else earlier[max(begin.frame - CONTEXT, 0) : begin.frame]
    records = analyse(
        opened.input, opened.info, opened.field_processing, settings, make_detector("embedded"),
        on_loss=lambda: None, on_frame=lambda _: None, on_checkpoint=checkpoints.append, begin=begin,
        context=[r.fingerprint for r in context],
    )  # fmt: skip
    return list(records), checkpoints


def content(record: FrameRecord) -> tuple[object, ...]:
    return record.fingerprint, record.scenes, pack_faces(record.faces), record.lost, record.concealed


@pytest.mark.parametrize("scan_type", ["progressive", "interlaced"])
def test_an_analysis_resumed_at_any_scene_change_gives_the_same_result(
    tmp_path: Path, scan_type: str
) -> None:
    pictures = film_pictures(70, FACES)
    if scan_type == "interlaced":
        result = make_footage(tmp_path / "in.mkv", interlaced(pictures), Footage(field_order=2))
    else:
        result = make_footage(tmp_path / "in.mkv", pictures)
    records, checkpoints = analysed(result)
    assert sum(len(record.faces[0]) for record in records) > 8
    assert len(checkpoints) >= 3
    assert any(checkpoint.detector_state.faces for checkpoint in checkpoints), (
        "a scene change that a face is known over"
    )
    for checkpoint in checkpoints:
        again = AnalysisCheckpoint.from_json(checkpoint.to_json())
        resumed, _ = analysed(result, again, records)
        assert [content(r) for r in resumed] == [content(r) for r in records[checkpoint.frame :]]


def test_faces_are_stored_bit_for_bit(tmp_path: Path) -> None:
    records, _ = analysed(make_footage(tmp_path / "in.mkv", film_pictures(16, (range(2, 16),))))
    for record in records:
        kept = unpack_faces(pack_faces(record.faces), len(record.faces))
        for original, result in zip(record.faces[0], kept[0], strict=True):
            assert np.array_equal(original.landmarks, result.landmarks)
            assert np.array_equal(original.box, result.box)
            assert (original.track_id, original.score, original.opacity) == (
                result.track_id, result.score, result.opacity
            )  # fmt: skip
