"""Restores single frames of a video, equal to those of a whole run, to compare settings before the run.

A restored frame depends on the faces that are tracked through its scene, and on its neighbours. So the video
is analysed from the beginning (or from `start`) to the frame, which is cheap. Then only the frame and its
neighbours are restored, as in a segment. The result is the frame of a run with the same settings.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from vidrestore.errors import UsageError
from vidrestore.jobs.people import prepare_settings
from vidrestore.jobs.preview_moments import Moment, find_moments
from vidrestore.jobs.recorded_inspection import recorded_moments, recorded_tracks
from vidrestore.jobs.reread_faces import reread, with_tracked_faces
from vidrestore.jobs.segment_task import restorer_for
from vidrestore.jobs.sidecar_check import check_sidecar
from vidrestore.pipeline import open_input_video, restore_tracked_faces, without_excluded
from vidrestore.report import RunStats
from vidrestore.settings import Fidelity, Grain, Settings, make_settings
from vidrestore.settings.sidecar import FaceTreatment, Sidecar
from vidrestore.types import (
    Frame,
    FrameFaces,
    ProgressCallback,
    RestoredFace,
    TrackedFace,
)
from vidrestore.video import OpenedVideo

MAX_TIMES = 64
MAX_VARIANTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The settings that a preview compares. Values out of range raise UsageError."""

    fidelity: Fidelity
    strength: float
    grain: Grain

    def __post_init__(self) -> None:
        """Refuses what the settings of the same names do. Raises UsageError."""
        Settings(fidelity=self.fidelity, strength=self.strength, grain=self.grain)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreviewCell:
    """The frame with one variant of the settings."""

    variant: Variant
    after: Frame = field(repr=False)
    drawn: float
    """Mean share of the faces' detail that was drawn, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Preview:
    """One frame, before and after."""

    at: float
    """The requested time [s from the video's first frame]."""
    index: int
    """Number of the frame, from 0, in the part that a run with the same settings reads."""
    before: Frame = field(repr=False)
    faces: tuple[TrackedFace, ...]
    """The faces that are restored."""
    cells: tuple[PreviewCell, ...]
    """One for each variant, in their order."""


def preview_video(
    source: Path,
    times: Sequence[float],
    settings: Settings,
    variants: Sequence[Variant] | None = None,
    on_progress: ProgressCallback | None = None,
) -> tuple[Preview, ...]:
    """The frames that are shown at `times`, restored as `restore_file` does with the same settings.

    Args:
        source: A file or a sequence of pictures.
        times: Seconds from the video's first frame.
        settings: The settings of the run.
        variants: The variants to compare; None: only the settings' own.
        on_progress: Called while the video is analysed up to the last of the times.

    Returns:
        A preview for each time, in the order given; each has a cell for each variant.

    Raises:
        UsageError: there are no times, too many of them, no variants, or too many; `source` is a pipe.
        InputError: the video cannot be read, or has no frame at one of the times.
    """
    variants = (own_variant(settings),) if variants is None else _checked(variants)
    return Previewer(source, times, settings, on_progress).show(variants)


class Previewer:
    """Shows the same frames with changing variants; tracked and restored faces are cached."""

    def __init__(
        self,
        source: Path,
        times: Sequence[float],
        settings: Settings,
        on_progress: ProgressCallback | None = None,
        *,
        analysis: Path | None = None,
    ) -> None:
        """Analyses the video, unless `analysis` has the result. Errors are those of `preview_video`.

        Args:
            source: A file or a sequence of pictures.
            times: Seconds from the video's first frame.
            settings: The settings of the run.
            on_progress: Called while the video is analysed up to the last of the times.
            analysis: A file from `jobs.recorded_inspection`; None: the video is analysed.
        """
        _check(source, times)
        known = None if analysis is None else recorded_tracks(source, settings, analysis)
        prepared, _, inspected = prepare_settings(source, settings, on_progress, known=known)
        self._source, self._sidecar = source, settings.sidecar
        self._settings = prepared.model_copy(update={"sidecar": None})
        self._times = tuple(times)
        self._opened = open_input_video(source, self._settings)
        if inspected is not None:
            inspected.check_unchanged()
        found = None if analysis is None else recorded_moments(self._opened, times, self._settings, analysis)
        self._moments = found or find_moments(self._opened, times, self._settings, on_progress)
        self._restored: dict[Hashable, dict[float, list[FrameFaces[RestoredFace]]]] = {}

    def use_sidecar(self, sidecar: Sidecar | None) -> None:
        """Sets the sidecar for later calls of `show`. Raises UsageError if it is for another video."""
        check_sidecar(self._source, self._settings.model_copy(update={"sidecar": sidecar}))
        self._sidecar = sidecar

    def show(self, variants: Sequence[Variant]) -> tuple[Preview, ...]:
        """A preview for each time, with a cell for each variant. The networks run only for a new fidelity.

        Args:
            variants: The variants to compare.

        Returns:
            The previews, in the order of the times.

        Raises:
            UsageError: There are no variants, too many, or something else than variants.
        """
        variants = _checked(variants)
        restored = {
            fidelity: self._restored_faces(fidelity)
            for fidelity in dict.fromkeys(variant.fidelity for variant in variants)
        }
        by_time = {moment.at: self._preview(moment, variants, restored) for moment in self._moments}
        return tuple(by_time[at] for at in self._times)

    def _restored_faces(self, fidelity: Fidelity) -> dict[float, list[FrameFaces[RestoredFace]]]:
        """The restored faces by time. The networks run only if the fidelity of a face is new."""
        settings = make_settings(**{**dict(self._settings), "fidelity": fidelity, "sidecar": self._sidecar})
        key = (settings.network_fidelity, fidelity, _fidelities(self._moments, settings))
        if key not in self._restored:
            if len(self._restored) >= MAX_VARIANTS:
                self._restored.clear()
            self._restored[key] = {
                moment.at: _restored_items(moment, self._opened, settings) for moment in self._moments
            }
        return self._restored[key]

    def _preview(
        self,
        moment: Moment,
        variants: Sequence[Variant],
        restored: dict[Fidelity, dict[float, list[FrameFaces[RestoredFace]]]],
    ) -> Preview:
        items = restored[variants[0].fidelity][moment.at]
        shown = {face.track_id for face in items[0].faces}
        return Preview(
            at=moment.at,
            index=moment.index,
            before=_merged(self._opened, [item.frame for item in items]),
            faces=tuple(face for face in moment.faces if face.track_id in shown),
            cells=tuple(
                _cell(self._opened, restored[variant.fidelity][moment.at], variant, self._sidecar)
                for variant in variants
            ),
        )


def own_variant(settings: Settings) -> Variant:
    """The variant with the values of the settings."""
    return Variant(fidelity=settings.fidelity, strength=settings.strength, grain=settings.grain)


def _checked(variants: object) -> tuple[Variant, ...]:
    if isinstance(variants, str) or not isinstance(variants, Iterable):
        raise UsageError(f"variants must be a list of vidrestore.Variant, got {variants!r}")
    several = tuple(variants)
    for variant in several:
        if not isinstance(variant, Variant):
            raise UsageError(f"variants must be a list of vidrestore.Variant, got {variant!r} in it")
    if not 0 < len(several) <= MAX_VARIANTS:
        raise UsageError(f"a preview compares 1 to {MAX_VARIANTS} variants, got {len(several)}")
    return several


def _check(source: Path, times: Sequence[float]) -> None:
    if str(source) == "-":
        raise UsageError("a preview reads its input twice, and a pipe can be read only once; give a file")
    if not 0 < len(times) <= MAX_TIMES:
        raise UsageError(f"a preview shows 1 to {MAX_TIMES} times, got {len(times)}")


def _restored_items(
    moment: Moment, opened: OpenedVideo, settings: Settings
) -> list[FrameFaces[RestoredFace]]:
    """The original frame with its restored faces: one item, or one for each field if fields are restored."""
    from vidrestore.colour.upscale import upscale_frame

    originals: dict[bool, Frame] = {}

    def remember(items: Iterator[FrameFaces[TrackedFace]]) -> Iterator[FrameFaces[TrackedFace]]:
        for item in items:
            if item.frame.index == moment.index:
                originals[item.frame.second_field] = upscale_frame(item.frame, settings.upscale)
            yield item

    restorer = restorer_for(
        settings.model, settings.device, settings.network_fidelity, settings.precision, settings.compile
    )
    stats = RunStats(total=None, strict=False, on_progress=None)
    result: list[FrameFaces[RestoredFace]] = []
    with (
        reread(opened, moment.records) as frames,
        closing(
            restore_tracked_faces(
                remember(without_excluded(with_tracked_faces(frames, moment.records), settings)),
                restorer,
                opened.info,
                settings,
                stats,
                wanted=moment.index,
            )
        ) as restored,
    ):
        for frame, faces in restored:
            if frame.index == moment.index:
                scene = moment.scenes[int(frame.second_field)]
                result.append(FrameFaces(frame=originals[frame.second_field], faces=faces, scene=scene))
    return result


def _fidelities(moments: Sequence[Moment], settings: Settings) -> Hashable:
    """The fidelities that the sidecar changes, by scene and track; None: the face is excluded."""
    found: dict[tuple[int, int], Fidelity | None] = {}
    if settings.sidecar is None:
        return frozenset()
    for record in (record for moment in moments for record in moment.records):
        for scene, faces in zip(record.scenes, record.faces, strict=False):  # no faces: of deinterlacing
            for face in faces:
                treatment = settings.sidecar.treatment(scene, face.track_id, settings.treatment)
                fidelity = None if treatment is None else treatment.fidelity
                if fidelity != settings.fidelity:
                    found[scene, face.track_id] = fidelity
    return frozenset(found.items())


def _cell(
    opened: OpenedVideo, items: list[FrameFaces[RestoredFace]], variant: Variant, sidecar: Sidecar | None
) -> PreviewCell:
    from vidrestore.faces.compositing import composite

    default = FaceTreatment(strength=variant.strength, fidelity=variant.fidelity, grain=variant.grain)
    frames = []
    for item in items:
        if sidecar is not None:
            treated = (
                replace(face, treatment=sidecar.treatment(item.scene, face.track_id, default))
                for face in item.faces
            )
            item = replace(item, faces=tuple(treated))
        frames.append(composite(item, strength=variant.strength, grain=variant.grain))
    drawn = [face.drawn for item in items for face in item.faces]
    return PreviewCell(
        variant=variant,
        after=_merged(opened, frames),
        drawn=sum(drawn) / len(drawn) if drawn else 0.0,
    )


def _merged(opened: OpenedVideo, frames: list[Frame]) -> Frame:
    """The frame, merged from its fields if fields are restored."""
    (frame,) = opened.field_processing.merge_fields(frames)
    return frame
