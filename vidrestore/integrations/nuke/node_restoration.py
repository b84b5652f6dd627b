"""Restores a node's picture: writes it as EXR, runs `vidrestore restore`, and reads the result back.

Nuke writes the files in its main thread, with its own progress bar. The restoration is a separate process; a
thread follows it. Only the main thread uses nodes.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import nuke

from ..child_command import ChildCommand

PAUSE_SECONDS = 0.2


class NodeSettings(NamedTuple):
    """The settings of a run."""

    first: int
    last: int
    strength: float
    fidelity: str
    faces: str
    folder: Path
    """Each run creates a folder for its result in this folder."""


class _Run(NamedTuple):
    name: str
    """Name of the node, which the user may delete during the run."""
    place: tuple[int, int]
    """Position of the Read node in the node graph, next to the node."""
    settings: NodeSettings
    source: Path
    """Pattern of the files that Nuke writes."""
    result: Path
    """Pattern of the restored files."""


def restore_node(
    node: Any, settings: NodeSettings, start: Callable[[Sequence[str]], ChildCommand] = ChildCommand
) -> threading.Thread | None:
    """Restore the picture of a node over a range of frames.

    Args:
        node: Any node with a picture; its knobs and connections do not change.
        settings: The settings of the run.
        start: Starts vidrestore with the given arguments.

    Returns:
        The thread that waits for the result; None where nothing was started, after a message to the user.
    """
    if not 0 <= settings.first <= settings.last:
        nuke.message("vidrestore: the first frame must be 0 or more, and not after the last one")
        return None
    try:
        run = _make_run(node, settings)
    except OSError as error:
        nuke.message(f"vidrestore: cannot make a folder in {settings.folder}: {error.strerror}")
        return None
    try:
        _write(node, run)
    except RuntimeError as error:  # an error upstream, or the user has cancelled
        shutil.rmtree(run.source.parent, ignore_errors=True)
        nuke.message(f"vidrestore: {node.name()} could not be written: {error}")
        return None
    command = start(_words(run))
    thread = threading.Thread(target=_follow, args=(run, command), name="vidrestore", daemon=True)
    thread.start()
    return thread


def _make_run(node: Any, settings: NodeSettings) -> _Run:
    settings.folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = settings.folder / f"{node.name()}_v{number}"
        with suppress(FileExistsError):
            folder.mkdir()
            break
        number += 1
    written = folder / "written"
    written.mkdir()
    name, place = str(node.name()), (node.xpos() + 120, node.ypos())
    return _Run(name, place, settings, written / f"{name}.%04d.exr", folder / f"{name}.%04d.exr")


def _write(node: Any, run: _Run) -> None:
    """Write the node's picture unchanged: linear, cropped to its format."""
    crop = nuke.nodes.Crop(inputs=[node], box=[0, 0, node.width(), node.height()])
    write = nuke.nodes.Write(inputs=[crop], file=run.source.as_posix(), file_type="exr", channels="rgb")
    try:
        for name, value in (
            ("raw", True),
            ("datatype", "16 bit half"),
            ("compression", "Zip (1 scanline)"),
            ("autocrop", False),
        ):
            knob = write.knob(name)
            if knob is not None:
                knob.setValue(value)
        nuke.execute(write, run.settings.first, run.settings.last, 1)
    finally:
        nuke.delete(write)
        nuke.delete(crop)


def _words(run: _Run) -> list[str]:
    settings = run.settings
    return [
        "restore", str(run.source), str(run.result), "--fps", f"{nuke.root().fps():g}",
        "--strength", f"{settings.strength:g}", "--fidelity", settings.fidelity, "--faces", settings.faces,
    ]  # fmt: skip


def _follow(run: _Run, command: ChildCommand) -> None:
    """Show progress until the command has ended, then read the result. Runs in its own thread."""
    task = nuke.ProgressTask(f"vidrestore: {run.name}")
    while command.state == "running":
        if task.isCancelled():
            command.cancel()
        task.setMessage(command.text)
        task.setProgress(int((command.share or 0.0) * 100))
        command.wait(PAUSE_SECONDS)
    del task
    shutil.rmtree(run.source.parent, ignore_errors=True)  # files of this run, no longer needed
    if command.state == "done":
        nuke.executeInMainThread(_read_back, args=(run,))
        return
    with suppress(OSError):
        run.result.parent.rmdir()  # removes the folder only if it is empty
    if command.state == "failed":
        nuke.executeInMainThread(nuke.message, args=(f"vidrestore: {command.error}",))


def _read_back(run: _Run) -> None:
    """Add a Read node next to the node, or change the one of an earlier run."""
    name, settings = f"vidrestore_{run.name}", run.settings
    read = nuke.toNode(name)
    if read is None or read.Class() != "Read":
        read = nuke.nodes.Read()
        read.setName(name)
        read.setXYpos(*run.place)
    read["file"].setValue(run.result.as_posix())
    for knob in ("first", "origfirst"):
        read[knob].setValue(settings.first)
    for knob in ("last", "origlast"):
        read[knob].setValue(settings.last)
    read["raw"].setValue(True)
    read["label"].setValue(time.strftime("restored %Y-%m-%d %H:%M"))
