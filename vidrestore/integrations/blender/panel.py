"""The panel in the sequencer's sidebar, its operators and settings."""

from pathlib import Path
from typing import Any

import bpy

from .restoration_queue import Job, RestorationQueue
from .strips import (
    StripError,
    add_placeholder,
    file_of,
    range_of,
    remove_placeholder,
    scene_of,
    selected_movies,
    show_result,
)

_POLL_SECONDS = 0.3
_MESSAGES: list[str] = []
"""The latest messages, which the panel shows."""
_KEPT_MESSAGES = 6


def _say(sentence: str) -> None:
    _MESSAGES.append(sentence)
    del _MESSAGES[:-_KEPT_MESSAGES]


def _on_done(job: Job, file: Path) -> None:
    try:
        _say(f"{show_result(job.strip, file, job.part)}: {file.name}")
    except StripError as error:
        _say(str(error))


def _on_end(job: Job, sentence: str) -> None:
    remove_placeholder(job.strip)
    _say(f"{job.source.name}: {sentence}")


QUEUE = RestorationQueue(on_done=_on_done, on_end=_on_end)


def poll() -> float | None:
    """Called by Blender's timer. Returns the seconds until the next call; None when no job is left."""
    QUEUE.step()
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "SEQUENCE_EDITOR":
                area.tag_redraw()
    return _POLL_SECONDS if QUEUE.is_busy else None


class VidrestoreSettings(bpy.types.PropertyGroup):
    """Settings of the next run, kept in the scene."""

    strength: bpy.props.FloatProperty(
        name="Strength",
        description="Weight of the restored face against the original",
        default=1.0,
        min=0.0,
        max=1.0,
    )
    decides: bpy.props.BoolProperty(
        name="Automatic fidelity",
        description="Draw only what the footage does not show",
        default=True,
    )
    fidelity: bpy.props.FloatProperty(
        name="Fidelity",
        description="0 draws whole faces, 1 draws nothing",
        default=0.5,
        min=0.0,
        max=1.0,
    )
    faces: bpy.props.EnumProperty(
        name="Faces",
        description="Which faces are restored",
        items=[("all", "All", "All faces"), ("largest", "Largest", "The largest face of each frame")],
    )
    handles: bpy.props.IntProperty(
        name="Handles",
        description="Frames of the file to restore before and behind the strip",
        default=12,
        min=0,
        max=1000,
    )
    folder: bpy.props.StringProperty(
        name="Folder",
        description="Where restored files go; empty: a folder vidrestore next to each file",
        subtype="DIR_PATH",
    )

    def words(self) -> tuple[str, ...]:
        """The command's arguments."""
        fidelity = "auto" if self.decides else f"{self.fidelity:.3g}"
        return ("--strength", f"{self.strength:.3g}", "--fidelity", fidelity, "--faces", self.faces)


class RestoreStrips(bpy.types.Operator):
    """Restore the faces of the selected movie strips; each result is placed above its strip"""

    bl_idname = "vidrestore.restore_strips"
    bl_label = "Restore Faces"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: Any) -> bool:
        return bool(context.scene and selected_movies(context))

    def execute(self, context: Any) -> set[str]:
        settings, added = scene_of(context).vidrestore, 0
        for strip in selected_movies(context):
            try:
                part, source = range_of(strip, settings.handles), file_of(strip)
            except StripError as error:
                self.report({"WARNING"}, str(error))
                continue
            folder = settings.folder and Path(bpy.path.abspath(settings.folder))
            mark = add_placeholder(strip)
            QUEUE.add(Job(mark, source, part, settings.words(), folder or source.parent / "vidrestore"))
            added += 1
        if not added:
            return {"CANCELLED"}
        if not bpy.app.timers.is_registered(poll):
            bpy.app.timers.register(poll, persistent=True)
        return {"FINISHED"}


class CancelRestoration(bpy.types.Operator):
    """Stop the running job and remove the waiting ones"""

    bl_idname = "vidrestore.cancel"
    bl_label = "Cancel"

    def execute(self, context: Any) -> set[str]:
        QUEUE.cancel()
        return {"FINISHED"}


class RestorationPanel(bpy.types.Panel):
    """Settings, progress and messages"""

    bl_idname = "SEQUENCER_PT_vidrestore"
    bl_label = "Restore Faces"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "vidrestore"

    def draw(self, context: Any) -> None:
        settings, layout = scene_of(context).vidrestore, self.layout
        layout.use_property_split = True
        for name in ("strength", "decides"):
            layout.prop(settings, name)
        row = layout.row()
        row.enabled = not settings.decides
        row.prop(settings, "fidelity")
        for name in ("faces", "handles", "folder"):
            layout.prop(settings, name)
        layout.operator(RestoreStrips.bl_idname, icon="PLAY")
        if QUEUE.is_busy:
            layout.progress(factor=QUEUE.share, text=QUEUE.text or "starting")
            layout.operator(CancelRestoration.bl_idname, icon="X")
        for sentence in _MESSAGES:
            layout.label(text=sentence)


_CLASSES = (VidrestoreSettings, RestoreStrips, CancelRestoration, RestorationPanel)


def register() -> None:
    """Add the panel to Blender. Blender calls this."""
    for kind in _CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.Scene.vidrestore = bpy.props.PointerProperty(type=VidrestoreSettings)


def unregister() -> None:
    """Cancel all jobs and remove the panel. Blender calls this."""
    QUEUE.cancel()
    if bpy.app.timers.is_registered(poll):
        bpy.app.timers.unregister(poll)
    del bpy.types.Scene.vidrestore
    for kind in reversed(_CLASSES):
        bpy.utils.unregister_class(kind)
