"""Writes the masks of a run: a second file that shows where each frame was changed."""

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
    """Queues the mask of each frame, in order, and writes it when its frame is written.

    It is a context manager. When it is left, the file gets its name, or is removed after an error.
    """

    def __init__(self, opened: OpenedVideo, output: Path, settings: Settings) -> None:
        """Starts the file at `settings.mask`.

        Args:
            opened: The input.
            output: The output of the run.
            settings: Its settings.

        Raises:
            UsageError: The format is not suitable for masks.
            OutputError: The file cannot be written.
        """
        from vidrestore.colour.upscale import upscaled_info
        from vidrestore.faces.change_mask import MASK_COLOUR, mask_format
        from vidrestore.video import make_mask_writer

        self._writer = make_mask_writer(
            Path(settings.mask or ""),
            opened,
            info=upscaled_info(opened.output_info, settings.upscale),
            output=output,
            pixel_format=mask_format(opened.info.pixel_format.bit_depth),
            colour=MASK_COLOUR,
            part=settings.time_range(opened.info.frame_rate),
            overwrite=settings.overwrite,
        )
        self._queued: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        """One mask for each frame that waits for the encoder."""
        self._merged = opened.field_processing.merge_fields(self._queued_masks())

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def add(self, mask: Frame) -> None:
        """Queues the next mask; interlaced video has one for each field. Any thread may call this."""
        self._queued.put(mask)

    def write_next(self) -> None:
        """Writes the mask of the next frame. It must have been added."""
        self._writer.write(next(self._merged))

    def _queued_masks(self) -> Iterator[Frame]:
        while True:
            yield self._queued.get_nowait()
