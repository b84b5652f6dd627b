"""The sidecar of a video: a file with settings for single people and scenes.

`vidrestore inspect --sidecar` writes it, and `restore --sidecar` reads it. A setting may have several values:
that of a person in a scene wins, then that of the scene, then that of the person, then that of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from vidrestore.errors import UsageError
from vidrestore.settings.booleans import without_boolean
from vidrestore.settings.error_sentence import sentence_with_place

VERSION = 1
DEFAULT_MIN_FACE = 24
"""Side of the box of the smallest face [px], for detection and restoration."""
Share = Annotated[float, Field(ge=0, le=1)]
Grain = Share | Literal["auto"]
PartFidelity = Annotated[float, Field(gt=0, le=1)] | Literal["auto"]
"""Fidelity of a person or a scene. Unlike that of the run it cannot be 0, which needs other networks."""
PersonName = Annotated[str, Field(pattern=r"^p\d{1,9}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceTreatment:
    """How one face is restored."""

    strength: float
    """Share of the restored face in the result, 0..1."""
    fidelity: float | Literal["auto"]
    grain: float | Literal["auto"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    _numbers_are_no_booleans = field_validator("*", mode="before")(without_boolean)


class Treatment(_Part):
    """Settings of a person, of a scene, or of a person in a scene; None changes nothing."""

    strength: Share | None = None
    fidelity: PartFidelity | None = None
    grain: Grain | None = None
    restore: bool | None = None
    """False: not restored."""


class PersonPart(Treatment):
    """Settings of a person in the whole video."""

    tracks: tuple[Annotated[int, Field(ge=0)], ...]


class ScenePart(Treatment):
    """Settings of a scene, and of people in it."""

    start: float | None = None
    """Start of the scene [s]; it only helps the reader."""
    people: dict[PersonName, Treatment] = {}


class VideoPart(_Part):
    """The video to which the numbers of tracks and scenes belong."""

    name: str
    bytes: int | None = None
    """None: a sequence of pictures."""
    frames: int
    tracks: Annotated[int, Field(ge=0)] | None = None
    """The numbers of tracks are below this; None: not known."""
    scenes: Annotated[int, Field(ge=0)] | None = None
    """Number of scenes; None: not known."""


class TrackingPart(_Part):
    """The settings on which the numbers of tracks and scenes depend."""

    detector: str = "embedded"
    min_face: int = DEFAULT_MIN_FACE
    deinterlace: str = "auto"
    start: float | None = None
    end: float | None = None


class Sidecar(_Part):
    """The content of a sidecar."""

    vidrestore_sidecar: Literal[1]
    """Version of the file format."""
    version: str
    """Version of the program that numbered tracks and scenes."""
    video: VideoPart
    tracking: TrackingPart = TrackingPart()
    people: dict[PersonName, PersonPart] = {}
    scenes: dict[Annotated[int, Field(ge=0)], ScenePart] = {}

    @model_validator(mode="after")
    def _people_are_known(self) -> Sidecar:
        for number, scene in self.scenes.items():
            for name in scene.people:
                if name not in self.people:
                    raise ValueError(f"scene {number} names {name}, who is missing in people")
        return self

    @model_validator(mode="after")
    def _numbers_exist(self) -> Sidecar:
        tracks, scenes = self.video.tracks, self.video.scenes
        person_of: dict[int, str] = {}
        for name, person in self.people.items():
            for track in person.tracks:
                if tracks is not None and track >= tracks:
                    raise ValueError(f"{name} has track {track}, {_existing('tracks', tracks)}")
                if person_of.setdefault(track, name) != name:
                    raise ValueError(f"track {track} belongs to {person_of[track]} and to {name}")
        for number in self.scenes:
            if scenes is not None and number >= scenes:
                raise ValueError(f"there is a setting for scene {number}, {_existing('scenes', scenes)}")
        return self

    def treatment(self, scene: int, track: int, usual: FaceTreatment) -> FaceTreatment | None:
        """How a track is restored in a scene.

        Args:
            scene: The number of the scene.
            track: The number of the track.
            usual: The values from the settings of the run.

        Returns:
            The values for this face; None: it is not restored.
        """
        values: dict[str, Any] = {}
        for part in self._parts(scene, track):
            for name in ("strength", "fidelity", "grain", "restore"):
                value = getattr(part, name)
                if value is not None:
                    values[name] = value
        if values.pop("restore", True) is False:
            return None
        return FaceTreatment(
            strength=values.get("strength", usual.strength),
            fidelity=values.get("fidelity", usual.fidelity),
            grain=values.get("grain", usual.grain),
        )

    @property
    def fidelities(self) -> set[float | str]:
        """All values of fidelity in the sidecar."""
        everything = [*self.people.values(), *self.scenes.values()]
        inner = [part for scene in self.scenes.values() for part in scene.people.values()]
        return {part.fidelity for part in (*everything, *inner) if part.fidelity is not None}

    def _parts(self, scene: int, track: int) -> Iterator[Treatment]:
        """The settings for a track in a scene; later ones win."""
        name = next((name for name, person in self.people.items() if track in person.tracks), None)
        if name is not None:
            yield self.people[name]
        if scene in self.scenes:
            yield self.scenes[scene]
            if name in self.scenes[scene].people:
                yield self.scenes[scene].people[name]


def _existing(what: str, count: int) -> str:
    return f"and the video has {what} 0 to {count - 1}" if count else f"and the video has no {what}"


def parse_sidecar(values: dict[Any, Any], file: object) -> Sidecar:
    """The sidecar from the values in its file.

    Args:
        values: The content of the YAML file.
        file: Its name, for messages.

    Raises:
        UsageError: A value is wrong; the message names its place.
    """
    if values.get("vidrestore_sidecar") != VERSION:
        raise UsageError(f"{file} is not a sidecar; vidrestore inspect --sidecar writes one")
    try:
        return Sidecar.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{file}: {sentence_with_place(error)}") from error
