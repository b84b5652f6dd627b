"""Restores the parts of media that an edit uses, and writes the edit with references to both versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidrestore.errors import InputError, OutputError, UsageError, VidrestoreError
from vidrestore.integrations.edit.media_files import RESTORED_KEY
from vidrestore.integrations.edit.plan import EditPart, EditPlan, make_plan
from vidrestore.integrations.edit.record import MediaRecord, RestoredFile, digest
from vidrestore.integrations.edit.relink import add_restored_reference, show
from vidrestore.integrations.edit.timeline_file import check_timeline_target, read_timeline, write_timeline
from vidrestore.integrations.edit.used_clips import find_used_clips
from vidrestore.runtime.file_kinds import absolute, first_shared, kind_of
from vidrestore.settings import Settings
from vidrestore.types import Progress

DEFAULT_HANDLES = 24
_NAMED = 3
"""Largest number of reasons in an error's sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediumOutcome:
    """The outcome for one medium."""

    name: str
    """Name of the restored file, or of the skipped clip or medium."""
    state: Literal["restored", "up to date", "failed", "skipped"]
    message: str = ""
    """Why it failed or was skipped."""
    frames: int = 0
    faces: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EditProgress:
    """Progress of `restore_edit`."""

    number: int
    """Number of the medium, from 1."""
    total: int
    name: str
    file: Progress | None
    """Progress within the medium; None before and after its restoration."""
    outcome: MediumOutcome | None
    """None until the medium is finished."""


def restore_edit(
    source: Path,
    target: Path,
    media: Path,
    settings: Settings,
    *,
    handles: int = DEFAULT_HANDLES,
    active: Literal["restored", "original"] = "restored",
    on_progress: Callable[[EditProgress], None] = lambda _: None,
) -> tuple[MediumOutcome, ...]:
    """Restore the media of an edit, and write the timeline with the restored media to `target`.

    Args:
        source: The timeline's file.
        target: The file of the new timeline.
        media: The folder for restored media; created if it does not exist.
        settings: Settings of the restoration; `start` and `end` are not used.
        handles: Frames that are restored before and after each used range.
        active: The reference that the clips show.
        on_progress: Called regularly, and with each outcome.

    Returns:
        The outcome of each medium, those that were skipped first.

    Raises:
        InputError: The timeline cannot be read, or no clip of it can be restored.
        OutputError: The timeline or the media cannot be written.
        UsageError: The settings enlarge the media, which a timeline would show at another scale.
    """
    if settings.upscale != 1:
        raise UsageError(
            "the media of an edit keep their size, as its clips are framed for it: leave out upscale"
        )
    source, target, media = absolute(source), absolute(target), absolute(media)
    timeline = read_timeline(source)
    check_timeline_target(source, target, overwrite=settings.overwrite)
    used = list(find_used_clips(timeline))
    plan = make_plan(used, source.parent, handles=handles, container=settings.container)
    _require_parts(source, plan)
    _make_folder(media)
    record = MediaRecord(media)
    _check_targets(plan, media, record, overwrite=settings.overwrite)
    outcomes = [
        MediumOutcome(name=name, state="skipped", message=why) for name, why in sorted(plan.skipped.items())
    ]
    total = len(outcomes) + len(plan.parts)
    for number, outcome in enumerate(outcomes, 1):
        on_progress(EditProgress(number=number, total=total, name=outcome.name, file=None, outcome=outcome))
    for number, (name, part) in enumerate(plan.parts.items(), len(outcomes) + 1):

        def report(file: Progress | None, outcome: MediumOutcome | None = None) -> None:
            on_progress(
                EditProgress(number=number, total=total, name=name, file=file, outcome=outcome)  # noqa: B023
            )

        outcome, restored = _restore_part(name, part, media, settings, record, report)
        if restored is not None:
            for clip, medium in part.clips:
                add_restored_reference(clip, medium, part, restored, media / name, target.parent)
        outcomes.append(outcome)
        report(None, outcome)
    for item in used:
        show(item.clip, restored=active == "restored")
    write_timeline(timeline, target, overwrite=settings.overwrite)
    return tuple(outcomes)


def settings_of(part: EditPart, settings: Settings, *, overwrite: bool) -> Settings:
    """The settings for a part: its range, without settings that its kind of medium does not have."""
    changes: dict[str, object] = {"overwrite": overwrite, "start": None, "end": None, "mask": None}
    is_sequence = part.source.first_number is not None
    if is_sequence or part.source.is_still:
        changes |= {"container": None, "codec": "match", "crf": None, "preset": None, "segment": None}
    if is_sequence:
        changes["fps"] = part.fps
    if not part.is_whole:
        if part.first:
            changes["start"] = float(part.start_seconds)
        if part.end_seconds is not None and part.end != part.source.frames:
            changes["end"] = float(part.end_seconds)
    return settings.model_copy(update=changes)


def _restore_part(
    name: str,
    part: EditPart,
    media: Path,
    settings: Settings,
    record: MediaRecord,
    report: Callable[[Progress], None],
) -> tuple[MediumOutcome, RestoredFile | None]:
    from vidrestore.api import restore

    try:
        wanted = settings_of(part, settings, overwrite=settings.overwrite or record.knows(name))
        made_of = digest(_inputs_of(part, wanted))
        done = record.find(name, made_of)
        if done is not None:
            return MediumOutcome(name=name, state="up to date", frames=done.frames, faces=done.faces), done
        output = _output_of(part, media / name)
        if part.source.first_number is not None:
            _make_folder(output.parent)
        given = {key: value for key, value in wanted if value is not None and key in wanted.model_fields_set}
        result = restore(part.source.path, output, on_progress=report, **given)
        first_number = None if part.source.first_number is None else part.source.first_number + part.first
        done = record.add(name, made_of, frames=result.frames, faces=result.faces, first_number=first_number)
    except VidrestoreError as error:
        return MediumOutcome(name=name, state="failed", message=str(error)), None
    return MediumOutcome(name=name, state="restored", frames=done.frames, faces=done.faces), done


def _output_of(part: EditPart, target: Path) -> Path:
    """The output of a part: `target`, or pictures with the medium's names in the folder `target`."""
    return target if part.source.first_number is None else target / part.source.path.name


def _inputs_of(part: EditPart, settings: Settings) -> dict[str, str]:
    """Everything that the result depends on, by name."""
    from vidrestore.jobs.fingerprint import fingerprint, identify, with_absolute_paths
    from vidrestore.video.formats.image_sequence import parse_pattern

    settings = with_absolute_paths(settings)
    if part.source.first_number is None:
        return fingerprint(part.source.path, settings)
    pattern = parse_pattern(part.source.path)
    end = part.source.frames if part.end is None else part.end
    numbers = range(part.source.first_number + part.first, part.source.first_number + (end or 1))
    values = fingerprint(pattern.path(numbers[0]), settings)
    for number in numbers[1:]:
        values |= {f"{key} {number}": value for key, value in identify(pattern.path(number)).items()}
    return values


def _require_parts(source: Path, plan: EditPlan) -> None:
    if not plan.parts:
        why = "; ".join(f"{name}: {why}" for name, why in sorted(plan.skipped.items())[:_NAMED])
        raise InputError(
            f"no clip of {source.name} can be restored" + (f": {why}" if why else ": it shows none")
        )


def _make_folder(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise OutputError(f"the folder {folder.parent} does not exist; create it or choose another")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror or error}") from error


def _check_targets(plan: EditPlan, media: Path, record: MediaRecord, *, overwrite: bool) -> None:
    """Raise OutputError where a restored medium would replace an original or a file of another program."""
    from vidrestore.video.formats.image_sequence import existing_files

    outputs = {_output_of(part, media / name) for name, part in plan.parts.items()}
    there = [file for output in outputs for file in existing_files(output)]
    originals = {part.source.path for part in plan.parts.values()}
    shared = first_shared(there, (file for original in originals for file in existing_files(original)))
    if shared is not None:
        raise OutputError(f"{shared} is one of the edit's own media; choose another folder for --media")
    for name in plan.parts:
        target = media / name
        if _is_taken(target) and not overwrite and not record.knows(name):
            raise OutputError(
                f"{target} exists already and was not made by vidrestore edit; choose another folder for "
                "--media or add --overwrite"
            )


def _is_taken(target: Path) -> bool:
    """Whether there is something at `target`, other than the empty folder of an interrupted sequence."""
    if kind_of(target) != "folder":
        return kind_of(target) != "missing"
    return any(not entry.name.startswith(".") for entry in target.iterdir())


__all__ = ["DEFAULT_HANDLES", "RESTORED_KEY", "EditProgress", "MediumOutcome", "restore_edit"]
