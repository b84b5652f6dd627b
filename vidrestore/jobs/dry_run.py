"""What a run would do, and an estimate of its time and size from short samples. No output is written."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidrestore import video
from vidrestore.errors import UsageError
from vidrestore.jobs.disk_space import free_bytes
from vidrestore.jobs.segment_choice import segment_seconds
from vidrestore.pipeline import (
    NetworkLoader,
    expected_frames,
    make_output_writer,
    open_input_video,
    output_size,
    restore_opened,
)
from vidrestore.report import report_opening
from vidrestore.settings import Settings
from vidrestore.types import ProgressCallback
from vidrestore.video import OpenedVideo

SAMPLE_FRAMES = 24
PLACES = (1 / 6, 1 / 2, 5 / 6)
"""Where samples are taken, as shares of the part to restore."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What a run would do."""

    input: str
    output: str
    frames: int | None
    """Number of frames to restore; None: unknown."""
    frame_rate: float
    width: int
    """Width of the output; `height` likewise."""
    height: int
    container: str
    """FFmpeg's name of the muxer."""
    encoder: str
    """FFmpeg's name of the encoder, or the kind of pictures."""
    segment_seconds: float | None
    """Length of a segment; None: the video is restored in one go."""
    device: str
    """The device of the networks."""
    sampled_frames: int
    """Number of frames restored for the estimate; 0: the video is too short."""
    rate: float | None = None
    """Frames per second of one worker."""
    seconds: float | None = None
    """Estimated duration of the run, without loading; None: unknown."""
    bytes: int | None = None
    """Estimated size of the output; None: unknown."""
    free_bytes: int | None = None
    """Free space on the output's disk; None: the output is a pipe."""


def plan_restore(
    source: Path, target: Path, settings: Settings, on_progress: ProgressCallback | None = None
) -> RunPlan:
    """What `restore_file` with the same arguments would do.

    Loads the networks and restores three short samples into a temporary folder of the system.

    Args:
        source: The input, which is not a pipe.
        target: The output, which is not written.
        settings: All settings.
        on_progress: Called with the progress from time to time.

    Returns:
        The plan, with an estimate of time and size.

    Raises:
        UsageError: The input is a pipe.
        VidrestoreError: Whatever the run would raise for its arguments.
    """
    if str(source) == "-":
        raise UsageError(
            "--dry-run reads the input several times, and standard input can be read only once; name a file"
        )
    muxer = video.check_paths(source, target, settings.overwrite, settings.container)
    report_opening(on_progress)
    with NetworkLoader(settings) as networks, tempfile.TemporaryDirectory(prefix="vidrestore-") as folder:
        opened = open_input_video(source, settings, on_info=lambda _: networks.start())
        sample_target = Path(folder) / (f"sample.{muxer}" if str(target) == "-" else target.name)
        encoder, seconds = _encoder(opened, sample_target, muxer, settings), None
        if video.why_not_segmented(opened.input, opened.side_data, target, muxer) is None:
            seconds = segment_seconds(opened.info, settings)
        width, height = output_size(opened.info, settings)
        samples = _Samples(opened, sample_target, muxer, settings)
        frames = expected_frames(opened.info, settings)
        for first in _sample_starts(opened, settings, frames):
            samples.take(networks, first, on_progress)
        plan: dict[str, Any] = samples.estimate(frames)
        restorer, _ = networks.wait()
        return RunPlan(
            input=str(source),
            output=str(target),
            frames=frames,
            frame_rate=float(opened.info.frame_rate),
            width=width,
            height=height,
            container=muxer,
            encoder=encoder,
            segment_seconds=seconds,
            device=str(restorer.device),
            sampled_frames=samples.frames,
            free_bytes=None if str(target) == "-" else free_bytes(target.parent),
            **plan,
        )


class _Samples:
    """Restores samples and measures their time and size."""

    def __init__(self, opened: OpenedVideo, target: Path, muxer: str, settings: Settings) -> None:
        self._opened, self._target, self._muxer = opened, target, muxer
        self._settings = settings.model_copy(
            update={"overwrite": True, "handles": 0, "strict": False, "mask": None}
        )
        self.frames = self._bytes = 0
        self._seconds = 0.0

    def take(self, networks: NetworkLoader, start: float, on_progress: ProgressCallback | None) -> None:
        """Restores a sample from `start` [s] on; the time to load the networks does not count."""
        networks.wait()
        end = start + SAMPLE_FRAMES / float(self._opened.info.frame_rate)
        settings = self._settings.model_copy(update={"start": start, "end": end})
        began = time.monotonic()
        report = restore_opened(
            self._opened, self._target, settings, on_progress, muxer=self._muxer, networks=networks
        )
        self._seconds += time.monotonic() - began
        self.frames += report.frames
        for file in self._target.parent.iterdir():
            self._bytes += file.stat().st_size
            file.unlink()

    def estimate(self, frames: int | None) -> dict[str, Any]:
        """The rate, and the estimated seconds and bytes for this number of frames."""
        if not self.frames:
            return {}
        rate = self.frames / self._seconds
        if frames is None:
            return {"rate": rate}
        return {
            "rate": rate,
            "seconds": frames / rate,
            "bytes": round(self._bytes / self.frames * frames),
        }


def _sample_starts(opened: OpenedVideo, settings: Settings, frames: int | None) -> list[float]:
    """Start times of the samples [s]; none if the part is hardly longer than the samples."""
    rate = float(opened.info.frame_rate)
    begin = settings.time_range(opened.info.frame_rate)["start"] or 0.0
    if frames is None:
        return [begin]
    if frames < 2 * SAMPLE_FRAMES * len(PLACES):
        return []
    return [begin + frames / rate * place for place in PLACES]


def _encoder(opened: OpenedVideo, target: Path, muxer: str, settings: Settings) -> str:
    """The encoder's name. Raises an error for options that the encoder does not have, as the run would."""
    writer = make_output_writer(opened, target, settings, muxer)
    return writer.codec if isinstance(writer, video.VideoWriter) else target.suffix.lstrip(".").lower()
