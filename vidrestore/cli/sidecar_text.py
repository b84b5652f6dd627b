"""A new sidecar as YAML, with comments that explain its entries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from vidrestore.jobs.sidecar_check import new_sidecar
from vidrestore.settings import Settings

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


def sidecar_text(source: Path, inspection: Inspection, settings: Settings) -> str:
    """The text of a sidecar for a video that was inspected with these settings."""
    empty = new_sidecar(source, inspection.frames, settings)
    values = {
        **empty.model_dump(exclude={"people", "scenes"}),
        "people": {f"p{person.id}": {"tracks": list(person.tracks)} for person in inspection.people},
        "scenes": {
            number: {"start": round(scene.start, 3)} for number, scene in enumerate(inspection.scenes)
        },
    }
    return _HEAD + yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None)
