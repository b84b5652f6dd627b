"""A sidecar as YAML, with comments that explain its entries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from vidrestore.jobs.sidecar_check import new_sidecar
from vidrestore.settings import Settings
from vidrestore.settings.sidecar import Sidecar

if TYPE_CHECKING:
    from vidrestore.inspection import Inspection

_HEAD = """\
# How each person of this video is restored: vidrestore restore INPUT OUTPUT --sidecar THIS_FILE
#
# To a person, to a scene, or to a person in a scene, add any of:
#   strength: 0.6      0 to 1
#   fidelity: auto     auto, or above 0 to 1; 1 draws nothing
#   grain: auto        auto, or 0 to 1
#   restore: false     do not restore
# A person in a scene is written as:  people: {p0: {strength: 0.6}}
# Entries of a person in a scene override those of the scene, which override those of the person.
"""


def new_sidecar_text(source: Path, inspection: Inspection, settings: Settings) -> str:
    """The text of a new sidecar.

    Args:
        source: The video.
        inspection: Its inspection.
        settings: The settings of the inspection.
    """
    empty = new_sidecar(source, inspection.frames, settings)
    people = {f"p{person.id}": {"tracks": list(person.tracks)} for person in inspection.people}
    scenes = {number: {"start": round(scene.start, 3)} for number, scene in enumerate(inspection.scenes)}
    values = empty.model_dump()
    values["video"] |= {
        "tracks": max((track.id + 1 for track in inspection.tracks), default=0),
        "scenes": len(scenes),
    }
    return sidecar_text(Sidecar.model_validate({**values, "people": people, "scenes": scenes}))


def sidecar_text(sidecar: Sidecar) -> str:
    """The text of a sidecar file."""
    values = sidecar.model_dump(exclude={"people", "scenes"})
    values["people"] = {
        name: _without_missing(person.model_dump(mode="json")) for name, person in sidecar.people.items()
    }
    values["scenes"] = {
        number: _without_missing(scene.model_dump(mode="json")) for number, scene in sidecar.scenes.items()
    }
    return _HEAD + yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None)


def _without_missing(values: dict[str, object]) -> dict[str, object]:
    """The values that say something."""
    found: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            value = {key: _without_missing(inner) for key, inner in value.items()}
        if value is not None and value != {}:
            found[name] = value
    return found
