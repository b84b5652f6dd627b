"""restore_node: Write EXR, `vidrestore restore`, Read back.

Writing uses Nuke, so it happens at once, with Nuke's own progress bar. The restoration is a process beside
Nuke; a thread follows it. Only the main thread touches nodes.
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


class NodeWishes(NamedTuple):
    """What the user wants of a run."""

    first: int
    last: int
    strength: float
    fidelity: str
    faces: str
    folder: Path
    """Results go into a folder in it, one for each run."""


class _Run(NamedTuple):
    name: str
    """Of the node: by the time the result is there, the user may have deleted it."""
    place: tuple[int, int]
    """In the node graph, beside the node."""
    wishes: NodeWishes
    source: Path
    """Pattern of what Nuke writes."""
    result: Path
    """Pattern of what comes back."""


def restore_node(
    node: Any, wishes: NodeWishes, start: Callable[[Sequence[str]], ChildCommand] = ChildCommand
) -> threading.Thread | None:
    """Restores the picture of a node over a range of frames.

    Args:
        node: Any node with a picture; it gets no knob and no connection changed.
        wishes: What the user wants.
        start: Starts vidrestore with these arguments.

    Returns:
        The thread that waits for the result; None where nothing could be started, and the user knows why.
    """
    if not 0 <= wishes.first <= wishes.last:
        nuke.message("vidrestore: the first frame must be 0 or more, and not behind the last one")
        return None
    try:
        run = _make_run(node, wishes)
    except OSError as error:
        nuke.message(f"vidrestore: cannot make a folder in {wishes.folder}: {error.strerror}")
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


def _make_run(node: Any, wishes: NodeWishes) -> _Run:
    wishes.folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = wishes.folder / f"{node.name()}_v{number}"
        with suppress(FileExistsError):
            folder.mkdir()
            break
        number += 1
    written = folder / "written"
    written.mkdir()
    name, place = str(node.name()), (node.xpos() + 120, node.ypos())
    return _Run(name, place, wishes, written / f"{name}.%04d.exr", folder / f"{name}.%04d.exr")


def _write(node: Any, run: _Run) -> None:
    """Writes the node's picture as it is: linear, cropped to its format."""
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
        nuke.execute(write, run.wishes.first, run.wishes.last, 1)
    finally:
        nuke.delete(write)
        nuke.delete(crop)


def _words(run: _Run) -> list[str]:
    wishes = run.wishes
    return [
        "restore", str(run.source), str(run.result), "--fps", f"{nuke.root().fps():g}",
        "--strength", f"{wishes.strength:g}", "--fidelity", wishes.fidelity, "--faces", wishes.faces,
    ]  # fmt: skip


def _follow(run: _Run, command: ChildCommand) -> None:
    """Shows progress until the command has ended, then brings the result back. Runs in its own thread."""
    task = nuke.ProgressTask(f"vidrestore: {run.name}")
    while command.state == "running":
        if task.isCancelled():
            command.cancel()
        task.setMessage(command.text)
        task.setProgress(int((command.share or 0.0) * 100))
        command.wait(PAUSE_SECONDS)
    del task
    shutil.rmtree(run.source.parent, ignore_errors=True)  # written by this run, and restored or not needed
    if command.state == "done":
        nuke.executeInMainThread(_read_back, args=(run,))
        return
    with suppress(OSError):
        run.result.parent.rmdir()  # empty: nothing of it is left
    if command.state == "failed":
        nuke.executeInMainThread(nuke.message, args=(f"vidrestore: {command.error}",))


def _read_back(run: _Run) -> None:
    """A Read node beside the node; a later run changes that one."""
    name, wishes = f"vidrestore_{run.name}", run.wishes
    read = nuke.toNode(name)
    if read is None or read.Class() != "Read":
        read = nuke.nodes.Read()
        read.setName(name)
        read.setXYpos(*run.place)
    read["file"].setValue(run.result.as_posix())
    for knob in ("first", "origfirst"):
        read[knob].setValue(wishes.first)
    for knob in ("last", "origlast"):
        read[knob].setValue(wishes.last)
    read["raw"].setValue(True)
    read["label"].setValue(time.strftime("restored %Y-%m-%d %H:%M"))
