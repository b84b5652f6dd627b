"""Restores files whose pictures are aligned faces: faces in, faces out, without detection and compositing.

A file is a picture, a numbered sequence, or a video; a folder holds pictures. Each picture is restored by
itself, in batches across the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from vidrestore.errors import InputError, OutputError
from vidrestore.faces.aligned_frame import face_of_frame, frame_with_face, with_rgb_planes
from vidrestore.pipeline import expected_frames
from vidrestore.report import RunStats, report_opening
from vidrestore.run_warnings import change_warnings
from vidrestore.runtime.file_kinds import first_shared
from vidrestore.runtime.folders import make_folder
from vidrestore.settings import Settings
from vidrestore.types import LEAST_SIDE, Frame, ProgressCallback, Report, VideoInfo
from vidrestore.video import Input, check_paths, make_writer, open_input, probe, read_frames
from vidrestore.video.formats.suffixes import photo_kind
from vidrestore.video.picture_folder import check_output_folder, pictures_in

JPEG_QUALITY = 95
"""Of JPEG outputs by default: the whole picture is new, so that the input's own quality would damage it."""
_BATCH = 4


def restore_aligned_files(
    source: Path, target: Path, settings: Settings, on_progress: ProgressCallback | None = None
) -> Report:
    """Restores the aligned faces in a file or a folder of pictures.

    Args:
        source: A picture, a sequence, a video, or a folder of pictures, which may have subfolders.
        target: The output; of a folder the folder in which the outputs have the inputs' names.
        settings: All settings.
        on_progress: Called after each picture that was written.

    Returns:
        The report; each picture is a track of its own, numbered from 0.

    Raises:
        VidrestoreError: One of its subclasses. Then of the file there is no output; of a folder each
            output that exists is complete.
    """
    report_opening(on_progress)
    if source.is_dir():
        check_output_folder(source, target)
        targets = {path: target / path.relative_to(source) for path in pictures_in(source)}
        if (shared := first_shared(targets.values(), targets)) is not None:
            raise OutputError(f"the output {shared} is a picture of the input; choose another folder")
        files = [_file(path, output, settings) for path, output in targets.items()]
        total: int | None = len(files)
    else:
        files = [_file(source, target, settings)]
        total = expected_frames(files[0].info, settings)
    stats = RunStats(total=total, strict=settings.strict, on_progress=on_progress)
    stats.report_stage("loading")
    warnings: list[str] = []
    restored = _restored(_frames_of(files, settings, stats), settings, stats)
    for file, frames in groupby(restored, key=lambda item: item[0]):
        warnings += _write(file, (frame for _, frame in frames), settings, stats)
    if stats.frames == 0:
        raise InputError(f"no picture of {source} could be decoded: the file is damaged or cut short")
    if not source.is_dir():
        warnings += change_warnings(files[0].info, stats)
    return stats.report(target, tuple(dict.fromkeys(warnings)))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _File:
    """A file of aligned faces and its output."""

    source: Input
    target: Path
    info: VideoInfo


def _file(source: Path, target: Path, settings: Settings) -> _File:
    """The file, which can be read, and whose output may be written.

    Raises:
        InputError: It is no picture of an aligned face.
        OutputError: The output would replace something.
    """
    if target.parent.is_dir() or not source.is_file():
        check_paths(source, target, settings.overwrite, settings.container)
    given = open_input(source, **settings.input_options())
    info = probe(given)
    if info.width != info.height:
        raise InputError(
            f"{source} is {info.width} x {info.height} pixels, and the picture of an aligned face is square; "
            "cut the face out, or leave out --aligned to have it found"
        )
    if info.width < LEAST_SIDE:
        raise InputError(
            f"{source} is {info.width} x {info.height} pixels; an aligned face has at least "
            f"{LEAST_SIDE} a side"
        )
    return _File(source=given, target=target, info=info)


def _frames_of(files: Iterable[_File], settings: Settings, stats: RunStats) -> Iterator[tuple[_File, Frame]]:
    for file in files:
        frames = read_frames(
            file.source,
            file.info,
            **settings.time_range(file.info.frame_rate),
            on_lost=stats.add_lost_frame,
            on_concealed=stats.add_concealed_frame,
        )
        for frame in stats.timer.timed("decoding", frames):
            yield file, frame


def _restored(
    items: Iterator[tuple[_File, Frame]], settings: Settings, stats: RunStats
) -> Iterator[tuple[_File, Frame]]:
    """The same files and frames, with the faces restored."""
    from vidrestore.jobs.segment_task import restorer_for
    from vidrestore.restoration import OomRetryRestorer
    from vidrestore.restoration.aligned import restore_aligned

    restorer = OomRetryRestorer(
        restorer_for(settings.model, settings.device, settings.fidelity, settings.precision)
    )
    size = settings.batch or _BATCH
    for batch in iter(lambda: list(islice(items, size)), []):
        faces = [face_of_frame(frame) for _, frame in batch]
        fused = restore_aligned(restorer, faces, batch=size, own_colour=True)
        results = stats.timer.timed("restoration", fused)
        for (file, frame), face, result in zip(batch, faces, results, strict=True):
            _count(stats, result.drawn)
            picture = face + settings.strength * (result.picture - face)
            shaped = with_rgb_planes(frame) if _needs_rgb(file, frame) else frame
            yield file, frame_with_face(picture, shaped)


def _count(stats: RunStats, drawn: float) -> None:
    number, share = stats.faces, round(drawn * 1e6)
    stats.faces += 1
    stats.frames_with_faces += 1
    stats.tracks.add(number)
    stats.drawn.merge({str(number): (1, share, share)})


def _needs_rgb(file: _File, frame: Frame) -> bool:
    """Whether the output can hold the colours of every pixel, and the input's samples cannot."""
    return frame.format.family == "yuv" and photo_kind(file.target) in ("png", "tiff", "webp")


def _write(file: _File, frames: Iterator[Frame], settings: Settings, stats: RunStats) -> list[str]:
    """Writes a file's frames; returns the writer's warnings."""
    make_folder(file.target.parent)
    options: dict[str, Any] = settings.encoding_options()
    if photo_kind(file.target) == "jpeg" and options["quality"] is None:
        options["quality"] = JPEG_QUALITY
    with make_writer(
        file.target,
        file.info,
        source=file.source,
        overwrite=settings.overwrite,
        **settings.time_range(file.info.frame_rate),
        **options,
    ) as writer:
        for frame in frames:
            stats.timer.enter("encoding")
            writer.write(frame)
            stats.timer.leave()
            stats.add_written_frame(frame)
    return list(writer.warnings)
