"""The filter: returns a clip with restored faces, in the clip's own format."""

from __future__ import annotations

from typing import Unpack

import vapoursynth as vs

from vidrestore.detection import make_detector
from vidrestore.errors import UsageError, VidrestoreError
from vidrestore.integrations.vapoursynth.analysis import Analysis
from vidrestore.integrations.vapoursynth.cache_limit import CacheLimit
from vidrestore.integrations.vapoursynth.clip_info import clip_info, frame_rate
from vidrestore.integrations.vapoursynth.conversion import frame_from_planes, write_planes
from vidrestore.integrations.vapoursynth.restored_frames import RestoredFrames
from vidrestore.jobs.segment_task import context_frames
from vidrestore.pipeline import restore_tracked
from vidrestore.report import RunStats
from vidrestore.runtime.openmp import import_torch
from vidrestore.settings import Settings, make_settings
from vidrestore.settings.keywords import FaceKeywords, SettingsKeywords
from vidrestore.tracking import needs_inspection
from vidrestore.tracking.selection import named_tracks
from vidrestore.types import Frame
from vidrestore.weights import model_path

_FOR_FILES = SettingsKeywords.__annotations__.keys() - FaceKeywords.__annotations__.keys()
_KEPT_BEHIND = 8
"""Results that stay available, in addition to one for each of the host's threads."""


def restore(
    clip: vs.VideoNode, *, model: str = "compact", device: str = "auto", **settings: Unpack[FaceKeywords]
) -> vs.VideoNode:
    """The clip with its faces restored, in its own format, with its own properties.

    If the frames are requested in order, they equal those of `vidrestore restore` with the same settings.
    Samples outside faces do not change.

    Args:
        clip: A progressive clip with a constant format: RGB, YUV or grey, of up to 16 bits or of floats.
        model: Name of the model, as in the command.
        device: auto, cpu, cuda or mps, as in the command.
        settings: The fields of `vidrestore.Settings` that concern faces: strength, fidelity, grain, temporal,
            deflicker, faces, min_face, detector, batch.

    Raises:
        vapoursynth.Error: A setting, the format or the weights cannot be used.
    """
    import_torch()
    from vidrestore.restoration import make_restorer

    try:
        checked = _checked(model, device, settings)
        info = clip_info(clip)
        detector = make_detector(checked.detector, checked.device, min_face=checked.min_face)
        restorer = make_restorer(
            model_path(checked.model), device=checked.device, fidelity=checked.network_fidelity
        )
    except VidrestoreError as error:
        raise _as_host_error(error) from error
    rate, cache_limit = frame_rate(clip), CacheLimit(vs.core.core)

    def read(number: int) -> Frame:
        with cache_limit.lifted(), clip.get_frame(number) as frame:
            return frame_from_planes(frame, number, rate)

    frames = RestoredFrames(
        clip.num_frames,
        read=read,
        analysis=lambda first, queue: Analysis(first, queue, detector, checked),
        restore=lambda items: restore_tracked(items, restorer, info, checked, _new_stats()),
        context=context_frames(checked),
        kept=vs.core.num_threads + _KEPT_BEHIND,
        may_jump=not named_tracks(checked.faces),
    )

    def select(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        try:
            result = frames.get(n)
            changed = f.copy()
            write_planes(result, frame_from_planes(f, n, rate), changed)
        except VidrestoreError as error:
            raise _as_host_error(error) from error
        return changed

    return clip.std.ModifyFrame(clips=[clip], selector=select)


def _checked(model: str, device: str, settings: FaceKeywords) -> Settings:
    if unfit := sorted(_FOR_FILES & settings.keys()):
        raise UsageError(f"{', '.join(unfit)}: the script decides this, not the filter")
    checked = make_settings(model=model, device=device, **settings)
    if needs_inspection(checked.faces):
        raise UsageError("people, sizes and positions of faces can be chosen only by the command, for files")
    return checked


def _new_stats() -> RunStats:
    return RunStats(total=None, strict=False, on_progress=None)


def _as_host_error(error: VidrestoreError) -> vs.Error:
    return vs.Error(f"vidrestore: {error}")
