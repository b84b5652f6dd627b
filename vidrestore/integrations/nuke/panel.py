"""The panel that asks for the range of frames and the settings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import nuke
import nukescripts

from .node_restoration import NodeSettings, restore_node

FIDELITIES = ["auto", "0", "0.5", "1"]


def ask_and_restore() -> None:
    """Ask for the settings, and restore the selected node while the user continues to work."""
    try:
        node = nuke.selectedNode()
    except ValueError:
        nuke.message("vidrestore: select the node whose picture is to be restored")
        return
    panel = _panel(node)
    if panel.showModalDialog():
        restore_node(node, _settings(panel))


def _panel(node: Any) -> Any:
    panel = nukescripts.PythonPanel("vidrestore: restore the faces of " + node.name())
    for knob in (
        nuke.Int_Knob("first", "first frame"),
        nuke.Int_Knob("last", "last frame"),
        nuke.Double_Knob("strength", "strength"),
        nuke.Enumeration_Knob("fidelity", "fidelity", FIDELITIES),
        nuke.String_Knob("faces", "faces", "all"),
        nuke.File_Knob("folder", "folder of results"),
    ):
        panel.addKnob(knob)
    knobs = panel.knobs()
    knobs["first"].setValue(int(node.firstFrame()))
    knobs["last"].setValue(int(node.lastFrame()))
    knobs["strength"].setRange(0, 1)
    knobs["strength"].setValue(1)
    knobs["folder"].setValue(_usual_folder().as_posix())
    return panel


def _settings(panel: Any) -> NodeSettings:
    values = {name: knob.value() for name, knob in panel.knobs().items()}
    return NodeSettings(
        first=int(values["first"]),
        last=int(values["last"]),
        strength=float(values["strength"]),
        fidelity=str(values["fidelity"]),
        faces=str(values["faces"]).strip() or "all",
        folder=Path(values["folder"]),
    )


def _usual_folder() -> Path:
    """Next to the script if it was saved, else in the temporary folder."""
    script = nuke.root().name()
    folder = Path(script).parent if Path(script).is_file() else Path(tempfile.gettempdir())
    return folder / "vidrestore"
