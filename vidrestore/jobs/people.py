"""Replaces people, sizes and places in the setting `faces` by track numbers, before the video is restored.

A person is known only when the whole track has been analysed, but restoring starts earlier. So the video is
inspected first. The restoration then gets track numbers, whether it runs in one go, in segments or on
another machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vidrestore.errors import InputError, UsageError
from vidrestore.inspection import FaceTrack, Inspection, inspect_video
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
    source: Path, settings: Settings, on_progress: ProgressCallback | None = None
) -> tuple[Settings, tuple[str, ...], Input | None]:
    """Checks that the settings' sidecar belongs to this video, then does as `choose_people`.

    Args:
        source: The video.
        settings: The settings, whose `faces` may name people.
        on_progress: Called while the video is inspected.

    Returns:
        The result of `choose_people`, and the input that was inspected, if it was: check that it is still
        the same when the video is open for restoring.
    """
    check_sidecar(source, settings)
    inspected = None
    if needs_inspection(settings.faces) and str(source) != "-":
        from vidrestore.video import describe_input

        inspected = describe_input(source, **settings.input_options())
    return *choose_people(source, settings, on_progress), inspected


def choose_people(
    source: Path, settings: Settings, on_progress: ProgressCallback | None = None
) -> tuple[Settings, tuple[str, ...]]:
    """The settings with tracks in place of people, and a sentence for each track that a photo selected.

    A photo selects no track at an identity distance of `vidrestore.identity.CHOSEN_BELOW` or more.

    Args:
        source: The video.
        settings: The settings, whose `faces` may name people, or conditions on tracks.
        on_progress: Called while the video is inspected.

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
            "choosing people, sizes or places needs to read the video twice, and a pipe can be read only once"
        )
    photo = _photo_descriptor(settings) if settings.faces.startswith(LIKE) else None
    found = inspect_video(source, settings.model_copy(update={"faces": "all"}), on_progress)
    if photo is not None:
        chosen = list(_tracks_like(found, photo))
        sentences = _sentences(found, photo, Path(settings.faces.removeprefix(LIKE)).name, chosen)
        return _with_tracks(settings, "", [track.id for track, _ in chosen]), sentences
    prefix = EXCEPT if settings.faces.startswith(EXCEPT) else ""
    names = settings.faces.removeprefix(EXCEPT)
    tracks = _tracks_with(found, names) if is_conditions(names) else _tracks_named(found, names)
    return _with_tracks(settings, prefix, tracks), ()


def with_people(report: Report, sentences: tuple[str, ...]) -> Report:
    """The report with the sentences of `choose_people`."""
    return replace(report, people=sentences)


def _with_tracks(settings: Settings, prefix: str, tracks: list[int]) -> Settings:
    names = ",".join(map(str, sorted(set(tracks))))
    faces = f"{prefix}{names}" if names else "all" if prefix else "none"
    return settings.model_copy(update={"faces": faces})


def _tracks_named(found: Inspection, names: str) -> list[int]:
    people = {person.id: person.tracks for person in found.people}
    tracks: list[int] = []
    for name in names.split(","):
        if not name.startswith(PERSON):
            tracks.append(int(name))
        elif (number := int(name.removeprefix(PERSON))) in people:
            tracks += people[number]
        else:
            raise UsageError(f"there is no person {name} in {found.path}; vidrestore inspect lists them")
    return tracks


def _tracks_with(found: Inspection, conditions: str) -> list[int]:
    applies = conditions_of(conditions)
    return [track.id for track in found.tracks if applies((track.side[1], track.centre))]


def _tracks_like(found: Inspection, photo: FloatArray) -> Iterator[tuple[FaceTrack, float]]:
    """The tracks of the person in the photo, and the identity distance of each.

    Of two tracks in the same frame, only the nearer one can be that person.
    """
    from vidrestore.identity import CHOSEN_BELOW

    near = [(distance, track) for track, distance in _distances(found, photo) if distance < CHOSEN_BELOW]
    chosen: list[FaceTrack] = []
    for distance, track in sorted(near, key=lambda pair: (pair[0], pair[1].id)):
        if not any(frozenset((track.id, other.id)) in found.seen_together for other in chosen):
            chosen.append(track)
            yield track, distance


def _distances(found: Inspection, photo: FloatArray) -> list[tuple[FaceTrack, float]]:
    from vidrestore.identity import identity_distance

    return [
        (track, identity_distance(track.descriptor, photo))
        for track in found.tracks
        if track.descriptor is not None
    ]


def _sentences(
    found: Inspection, photo: FloatArray, name: str, chosen: list[tuple[FaceTrack, float]]
) -> tuple[str, ...]:
    """How certain each selected track is; without any, the distance of the nearest track."""
    from vidrestore.identity import CHOSEN_BELOW, how_sure

    if chosen:
        return tuple(
            f"track {track.id} is the person in {name}: {how_sure(distance)} (distance {distance:.2f}; the "
            f"limit is {CHOSEN_BELOW:.2f})"
            for track, distance in sorted(chosen, key=lambda pair: pair[0].id)
        )
    nearest = min(_distances(found, photo), key=lambda pair: pair[1], default=None)
    near = "" if nearest is None else f"; nearest is track {nearest[0].id} at distance {nearest[1]:.2f}"
    return (
        f"nobody in {found.path.name} is the person in {name}: no track is nearer than {CHOSEN_BELOW:.2f}"
        f"{near}",
    )


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
