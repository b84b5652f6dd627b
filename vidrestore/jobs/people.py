"""Replaces people, sizes and places in the setting `faces` by track numbers, before the video is restored.

A person is known only when the whole track has been analysed, but restoring starts earlier. So the video is
inspected first. The restoration then gets track numbers, whether it runs in one go, in segments or on
another machine.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vidrestore.errors import InputError, UsageError
from vidrestore.inspection import inspect_video
from vidrestore.jobs.known_tracks import KnownTracks
from vidrestore.jobs.likeness import likeness_sentences, tracks_like
from vidrestore.jobs.sidecar_check import check_sidecar
from vidrestore.runtime.file_kinds import expand_home
from vidrestore.settings import Settings
from vidrestore.tracking import EXCEPT, LIKE, PERSON, conditions_of, is_conditions, needs_inspection
from vidrestore.types import FloatArray, ProgressCallback, Report

if TYPE_CHECKING:
    from vidrestore.identity import FaceRecogniser
    from vidrestore.video import Input

MIN_PHOTO_FACE = 32
"""Smallest side [px] of the face in a photo that selects a person."""


def prepare_settings(
    source: Path,
    settings: Settings,
    on_progress: ProgressCallback | None = None,
    *,
    known: KnownTracks | None = None,
) -> tuple[Settings, tuple[str, ...], Input | None]:
    """Checks that the settings' sidecar belongs to this video, then does as `choose_people`.

    Args:
        source: The video.
        settings: The settings, whose `faces` may name people.
        on_progress: Called while the video is inspected.
        known: As for `choose_people`.

    Returns:
        The result of `choose_people`, and the input that was inspected, if it was: check that it is still
        the same when the video is open for restoring.
    """
    check_sidecar(source, settings)
    inspected = None
    if known is None and needs_inspection(settings.faces) and str(source) != "-":
        from vidrestore.video import describe_input

        inspected = describe_input(source, **settings.input_options())
    return *choose_people(source, settings, on_progress, known=known), inspected


def choose_people(
    source: Path,
    settings: Settings,
    on_progress: ProgressCallback | None = None,
    *,
    known: KnownTracks | None = None,
) -> tuple[Settings, tuple[str, ...]]:
    """The settings with tracks in place of people, and a sentence for each track that a photo selected.

    A photo selects no track at an identity distance of `vidrestore.identity.CHOSEN_BELOW` or more.

    Args:
        source: The video.
        settings: The settings, whose `faces` may name people, or conditions on tracks.
        on_progress: Called while the video is inspected.
        known: What an inspection with the same way of tracking has found; None: the video is inspected.

    Returns:
        The settings, and sentences for the report.

    Raises:
        UsageError: The input is a pipe, there is no such person, or the photo does not show one person.
        InputError: The video or the photo cannot be read.
    """
    if not needs_inspection(settings.faces):
        return settings, ()
    if is_conditions(names := settings.faces.removeprefix(EXCEPT)):
        conditions_of(names)  # refuses an empty region before the work
    if str(source) == "-":
        raise UsageError(
            "choosing people, sizes or places reads the video twice, and a pipe can be read only once; "
            "give a file"
        )
    photo = _photo_descriptor(settings) if settings.faces.startswith(LIKE) else None
    if known is None:
        every = settings.model_copy(update={"faces": "all"})
        known = KnownTracks.of_inspection(inspect_video(source, every, on_progress))
    if photo is not None:
        found = tracks_like(known, photo)
        sentences = likeness_sentences(found, source.name, Path(settings.faces.removeprefix(LIKE)).name)
        return _with_tracks(settings, "", [track.id for track, _ in found.chosen]), sentences
    prefix = EXCEPT if settings.faces.startswith(EXCEPT) else ""
    names = settings.faces.removeprefix(EXCEPT)
    tracks = _tracks_with(known, names) if is_conditions(names) else _tracks_named(known, names)
    return _with_tracks(settings, prefix, tracks), ()


def with_people(report: Report, sentences: tuple[str, ...]) -> Report:
    """The report with the sentences of `choose_people`."""
    return replace(report, people=sentences)


def _with_tracks(settings: Settings, prefix: str, tracks: list[int]) -> Settings:
    names = ",".join(map(str, sorted(set(tracks))))
    faces = f"{prefix}{names}" if names else "all" if prefix else "none"
    return settings.model_copy(update={"faces": faces})


def _tracks_named(known: KnownTracks, names: str) -> list[int]:
    people: dict[int, list[int]] = {}
    for track in known.tracks:
        people.setdefault(track.person, []).append(track.id)
    tracks: list[int] = []
    for name in names.split(","):
        if not name.startswith(PERSON):
            tracks.append(int(name))
        elif (number := int(name.removeprefix(PERSON))) in people:
            tracks += people[number]
        else:
            raise UsageError(f"there is no person {name} in {known.path}; vidrestore inspect lists them")
    return tracks


def _tracks_with(known: KnownTracks, conditions: str) -> list[int]:
    applies = conditions_of(conditions)
    return [track.id for track in known.tracks if applies((track.side, track.centre))]


def _photo_descriptor(settings: Settings) -> FloatArray:
    """(128,) the descriptor of the only person in the photo."""
    from vidrestore import video
    from vidrestore.detection import make_detector
    from vidrestore.faces.alignment import face_to_crop, warp_face
    from vidrestore.faces.boxes import smaller_side
    from vidrestore.faces.orientation import upright_frame
    from vidrestore.identity import make_recogniser

    path = expand_home(settings.faces.removeprefix(LIKE))
    if str(path) == "-":
        raise UsageError("the photo after like: must be a file")
    photo_input = video.open_input(path, max_pixels=settings.max_pixels)
    first = next(iter(video.read_frames(photo_input, video.probe(photo_input))), None)
    if first is None:
        raise InputError(f"no picture in {path} could be decoded; give another photo")
    frame = upright_frame(first)
    detector = make_detector(settings.detector, settings.device, min_face=MIN_PHOTO_FACE)
    faces = detector.detect(frame)
    faces = tuple(face for face in faces if smaller_side(face.box) >= MIN_PHOTO_FACE)
    if len(faces) != 1:
        what = "no face" if not faces else f"{len(faces)} faces"
        raise UsageError(f"{path} shows {what}; give a photo of one person, from the front")
    recogniser: FaceRecogniser = make_recogniser(settings.device)
    crop = warp_face(frame, face_to_crop(frame, faces[0].landmarks, 256), 256)
    descriptor: FloatArray = recogniser.describe([crop])[0]
    return descriptor
