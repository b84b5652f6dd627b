"""A fake of the modules `nuke` and `nukescripts`, by Foundry's reference.

A Write renders black EXR files; only the main thread may touch nodes; unknown knobs raise, as in Nuke.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from vidrestore.video.exr import exr_file

KNOBS = {
    "Crop": ("box",),
    "Write": ("file", "file_type", "channels", "raw", "datatype", "compression", "autocrop"),
    "Read": ("file", "first", "last", "origfirst", "origlast", "raw", "label"),
    "Blur": (),
}


class Knob:
    def __init__(self, name: str = "", label: str = "", value: Any = None) -> None:
        self.name, self.label = name, label
        self._value = value[0] if isinstance(value, list) else value
        self.range: tuple[float, float] | None = None

    def value(self) -> Any:
        return self._value

    def setValue(self, value: Any) -> None:
        self._value = value

    def setRange(self, least: float, greatest: float) -> None:
        self.range = (least, greatest)


class Node:
    def __init__(self, host: Nuke, kind: str, inputs: Sequence[Node] = (), **values: Any) -> None:
        host.require_main_thread()
        self.host, self.kind, self.inputs = host, kind, list(inputs)
        self._name = f"{kind}{len(host.all_nodes) + 1}"
        self._knobs = {name: Knob(name) for name in KNOBS[kind]}
        self.position = (10, 20)
        for name, value in values.items():
            self[name].setValue(value)

    def __getitem__(self, name: str) -> Knob:
        self.host.require_main_thread()
        if name not in self._knobs:
            raise NameError(f"knob {name} does not exist")
        return self._knobs[name]

    def knob(self, name: str) -> Knob | None:
        return self._knobs.get(name)

    def name(self) -> str:
        return self._name

    def setName(self, name: str) -> None:
        self._name = name

    def Class(self) -> str:
        return self.kind

    def width(self) -> int:
        return 96

    def height(self) -> int:
        return 64

    def firstFrame(self) -> int:
        return 1001

    def lastFrame(self) -> int:
        return 1005

    def xpos(self) -> int:
        return self.position[0]

    def ypos(self) -> int:
        return self.position[1]

    def setXYpos(self, x: int, y: int) -> None:
        self.position = (x, y)


class ProgressTask:
    def __init__(self, host: Nuke, name: str) -> None:
        self.host, self.name = host, name
        host.shown.append(name)

    def setProgress(self, percent: int) -> None:
        assert isinstance(percent, int)
        self.host.shown.append(str(percent))

    def setMessage(self, text: str) -> None:
        self.host.shown.append(text)

    def isCancelled(self) -> bool:
        return self.host.is_cancelled


class Panel:
    def __init__(self, host: Nuke, title: str) -> None:
        self.host, self.title = host, title
        self._knobs: dict[str, Knob] = {}

    def addKnob(self, knob: Knob) -> None:
        self._knobs[knob.name] = knob

    def knobs(self) -> dict[str, Knob]:
        return self._knobs

    def showModalDialog(self) -> bool:
        return self.host.answer(self)


class Menu:
    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}

    def addMenu(self, name: str) -> Menu:
        return self.entries.setdefault(name, Menu())

    def addCommand(self, name: str, command: Callable[[], None]) -> None:
        self.entries[name] = command


class Nuke(ModuleType):
    """The module `nuke`, and what a test sees of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__("nuke")
        self.all_nodes: list[Node] = []
        self.messages: list[str] = []
        self.shown: list[str] = []
        self.is_cancelled = self.fails = False
        self.script = folder / "comp.nk"
        self.script.write_text("")
        self.selected: Node | None = None
        self.answer: Callable[[Panel], bool] = lambda panel: True
        self.pending: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self.menus = Menu()
        self.nodes = self
        self.Int_Knob = self.Double_Knob = self.String_Knob = self.File_Knob = self.Enumeration_Knob = Knob

    def require_main_thread(self) -> None:
        assert threading.current_thread() is threading.main_thread(), "nodes are the main thread's"

    def _node(self, kind: str, **values: Any) -> Node:
        self.all_nodes.append(Node(self, kind, **values))
        return self.all_nodes[-1]

    def Crop(self, **values: Any) -> Node:
        return self._node("Crop", **values)

    def Write(self, **values: Any) -> Node:
        return self._node("Write", **values)

    def Read(self, **values: Any) -> Node:
        return self._node("Read", **values)

    def Blur(self, **values: Any) -> Node:
        return self._node("Blur", **values)

    def execute(self, node: Node, first: int, last: int, step: int) -> None:
        if self.fails:
            raise RuntimeError("Cancelled")
        for frame in range(first, last + 1, step):
            light = np.full((node.height(), node.width(), 3), 0.25, np.float32)
            exr_file.save(Path(node["file"].value() % frame), light, half=True)

    def delete(self, node: Node) -> None:
        self.all_nodes.remove(node)

    def selectedNode(self) -> Node:
        if self.selected is None:
            raise ValueError("no node selected")
        return self.selected

    def toNode(self, name: str) -> Node | None:
        return next((node for node in self.all_nodes if node.name() == name), None)

    def root(self) -> Nuke:
        return self

    def name(self) -> str:
        return str(self.script)

    def fps(self) -> float:
        return 24.0

    def message(self, text: str) -> None:
        self.require_main_thread()
        self.messages.append(text)

    def menu(self, name: str) -> Menu:
        return self.menus.addMenu(name)

    def ProgressTask(self, name: str) -> ProgressTask:
        return ProgressTask(self, name)

    def PythonPanel(self, title: str) -> Panel:
        """Of `nukescripts`, which is the same object here."""
        return Panel(self, title)

    def executeInMainThread(self, call: Callable[..., None], args: tuple[Any, ...] = ()) -> None:
        self.pending.append((call, args))

    def run_pending(self) -> None:
        """What the main thread does when it is idle."""
        while self.pending:
            call, args = self.pending.pop(0)
            call(*args)
