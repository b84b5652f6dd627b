"""The mask pass of a run: a file beside the output that shows where each frame was changed."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vidrestore.settings import Settings
from vidrestore.types import Frame

if TYPE_CHECKING:
    from vidrestore.video import OpenedVideo


class MaskPass:
    """Takes the mask of each frame, in order, and writes it when its frame is written.

    A context manager: leaving it puts the file in place, or removes it after an error.
    """

    def __init__(self, opened: OpenedVideo, output: Path, settings: Settings) -> None:
        """Raises UsageError or OutputError where the mask cannot be written to `settings.mask`."""
        from vidrestore.faces.change_mask import MASK_COLOUR, mask_format
        from vidrestore.video import make_mask_writer

        self._writer = make_mask_writer(
            Path(settings.mask or ""),
            opened,
            output=output,
            pixel_format=mask_format(opened.info.pixel_format.bit_depth),
            colour=MASK_COLOUR,
            part=settings.time_range(opened.info.frame_rate),
            overwrite=settings.overwrite,
        )
        self._waiting: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        """As many as frames wait for the encoder."""
        self._merged = opened.field_processing.merge_fields(self._taken())

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def add(self, mask: Frame) -> None:
        """Takes a mask; of interlaced video that of each field. May be called from another thread."""
        self._waiting.put(mask)

    def write_next(self) -> None:
        """Writes the mask of the next frame, whose mask has been added."""
        self._writer.write(next(self._merged))

    def _taken(self) -> Iterator[Frame]:
        while True:
            yield self._waiting.get_nowait()
