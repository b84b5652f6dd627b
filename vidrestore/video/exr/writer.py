"""Frames in, OpenEXR pictures out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from vidrestore.faces.orientation import apply_orientation
from vidrestore.types import FloatArray, Frame, VideoInfo
from vidrestore.video.exr import exr_file
from vidrestore.video.exr.changed_copy import changed_copy
from vidrestore.video.formats.containers import IMAGES
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.side_data import SideData
from vidrestore.video.writing import container_support, encoder_metadata
from vidrestore.video.writing.encoder_metadata import metadata_warnings
from vidrestore.video.writing.picture_files import PictureFiles


class ExrWriter:
    """Writes each frame as an OpenEXR picture; used like `VideoWriter`.

    Samples are half floats, or single floats if the input's are. If the input is EXR, its unchanged pixels
    are written as exactly the floats that were read, and its other channels and attributes are copied.
    """

    def __init__(
        self,
        output: Path,
        info: VideoInfo,
        *,
        source: Input,
        side_data: SideData,
        overwrite: bool = False,
        first: int = 1,
    ) -> None:
        """`make_writer` has checked that `output` may be written."""
        self.other_streams_end: Fraction | None = None
        aspect = 1 / info.pixel_aspect if info.orientation.is_transposed else info.pixel_aspect
        self.warnings = [
            *container_support.all_left_out_warning(side_data.other_streams, info.path, IMAGES),
            *metadata_warnings(info, aspect, IMAGES, "exr", ".exr files"),
            *encoder_metadata.hdr_warnings("exr", side_data),
        ]
        self._info, self._source, self._has_warned = info, source, False
        self._files = PictureFiles(output, source, first=first, overwrite=overwrite)

    def __enter__(self) -> Self:
        self._files.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._files.__exit__(kind, error, traceback)

    def write(self, frame: Frame) -> None:
        """Writes the next picture."""
        if not self._source.is_exr:
            self._write_light(apply_orientation(exr_file.light_from_video(frame), frame.orientation))
            return
        source = exr_file.picture_path(self._source, frame)
        original = exr_file.load(source)
        times = frame.width // original.shape[1]  # twice as wide side by side
        light = exr_file.apply_changes(np.concatenate([original] * times, axis=1), frame)
        content = changed_copy(source, light) if times == 1 else None
        if content is None:
            self._write_light(light)
        else:
            self._files.write(lambda path: _save(path, content))
        if content is None and times == 1 and not self._has_warned:
            self._has_warned = True
            self.warnings.append(
                f"of {source.name} only colour and alpha were kept; "
                "other channels and attributes were left out"
            )

    def _write_light(self, light: FloatArray) -> None:
        half = self._info.profile != "single"
        self._files.write(lambda path: exr_file.save(path, light, half=half))


def _save(path: Path, content: bytes) -> None:
    path.write_bytes(content)
