"""The extension in Blender itself, without its windows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is missing: pip install bpy")

from tests.support.footage import Footage, face_pictures, make_footage  # noqa: E402
from tests.support.shared import ROOT  # noqa: E402
from vidrestore.cli import main  # noqa: E402
from vidrestore.integrations import child_command  # noqa: E402
from vidrestore.integrations.blender import panel, strips  # noqa: E402
from vidrestore.integrations.blender.restoration_queue import Job  # noqa: E402
from vidrestore.integrations.blender.strip_names import get, put  # noqa: E402

LIMIT_SECONDS = 600
FRAMES = 24
COMMAND_PYTHON = os.environ.get("VIDRESTORE_TEST_PYTHON", sys.executable)
"""The Python of the command; another one where Blender's own has no torch."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_footage(
        tmp_path_factory.mktemp("film") / "film.mov",
        face_pictures(FRAMES),
        Footage(codec="libx264", options={"crf": "10"}),
    )


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A scene's sequencer of 25 frames a second, in the template for video editing."""
    monkeypatch.setattr(child_command, "find_command", lambda: [COMMAND_PYTHON, "-m", "vidrestore"])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    bpy.ops.wm.read_homefile(app_template="Video_Editing", use_factory_startup=True)
    window = bpy.context.window_manager.windows[0]
    scene = window.scene
    scene.render.fps, scene.render.fps_base = 25, 1
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 144, 128, 100
    area = next(a for a in window.screen.areas if a.type == "SEQUENCE_EDITOR")
    region = next(r for r in area.regions if r.type == "WINDOW")
    panel.register()
    panel._MESSAGES.clear()
    try:
        with bpy.context.temp_override(window=window, area=area, region=region):
            yield scene.sequence_editor_create()
    finally:
        panel.unregister()


def add(editor: Any, film: Path, *, channel: int = 1, start: int = 10) -> Any:
    strip = strips.strips_of(editor).new_movie(
        name="film", filepath=str(film), channel=channel, frame_start=start
    )
    strip.select = True
    return strip


def add_at_its_own_rate(editor: Any, film: Path) -> Any:
    """A strip that plays at its file's rate in a scene of 60 frames a second, as the user's menu adds it."""
    bpy.context.scene.render.fps = 60
    bpy.ops.sequencer.movie_strip_add(
        filepath=str(film), frame_start=10, channel=1, sound=False, use_framerate=False
    )
    (strip,) = strips.strips_of(editor)
    return strip


def strip_frames(strip: Any) -> range:
    return range(get(strip, "left"), get(strip, "right"))


def run_to_end() -> None:
    """What Blender's timer does; there is none without windows."""
    limit = time.monotonic() + LIMIT_SECONDS
    while panel.poll() is not None:
        assert time.monotonic() < limit
        time.sleep(0.1)


def results(editor: Any) -> list[Any]:
    return [strip for strip in strips.strips_of(editor) if strip.get(strips.RESULT_MARK)]


def rendered(frame: int, folder: Path) -> np.ndarray:
    """(height, width, 3) 0..1: the scene at a frame, as Blender renders it."""
    scene = bpy.context.scene
    scene.frame_set(frame)
    scene.render.filepath = str(folder / f"frame{frame}.png")
    if hasattr(scene.render.image_settings, "media_type"):  # since Blender 5
        scene.render.image_settings.media_type = "IMAGE"
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.view_settings.view_transform = "Standard"
    bpy.ops.render.render(write_still=True, scene=scene.name)
    image = bpy.data.images.load(scene.render.filepath, check_existing=False)
    width, height = image.size
    pixels = np.array(image.pixels[:]).reshape(height, width, 4)[::-1, :, :3]
    bpy.data.images.remove(image)
    return pixels


def test_a_strip_is_restored_and_placed_above_with_its_range(editor: Any, film: Path, tmp_path: Path) -> None:
    strip = add(editor, film)
    put(strip, "hidden_before", 6)
    put(strip, "hidden_after", 8)
    strip.transform.scale_x = 0.5
    other = add(editor, film, channel=2)
    other.select = False
    other.mute = True
    bpy.context.scene.vidrestore.handles = 2
    bpy.context.scene.vidrestore.folder = str(tmp_path / "results")
    assert bpy.ops.vidrestore.restore_strips() == {"FINISHED"}
    (placeholder,) = results(editor)
    assert placeholder.mute
    assert placeholder.channel == 3
    assert [s.select for s in (strip, other, placeholder)] == [True, False, False]
    run_to_end()
    (result,) = results(editor)
    file = tmp_path / "results" / "film_4-17_restored.mov"
    assert Path(bpy.path.abspath(result.filepath)) == file
    assert result.name == "film (restored)"
    assert [f"film (restored): {file.name}"] == panel._MESSAGES
    assert not result.mute
    assert result.channel == 3
    assert [(get(s, "left"), get(s, "right")) for s in (result, strip)] == [(16, 26)] * 2
    assert (get(result, "content_start"), get(result, "content_frames")) == (14, 14)
    assert result.transform.scale_x == 0.5
    assert Path(strip.filepath) == film
    assert not result.get(strips.JOB_MARK)


@pytest.mark.parametrize("rate", ["frame for frame", "at the file's rate"])
def test_each_frame_stays_at_its_time_and_only_the_face_changes(
    editor: Any, film: Path, tmp_path: Path, rate: str
) -> None:
    shown = range(14, 20)
    if rate == "frame for frame":
        strip = add(editor, film)
        put(strip, "hidden_before", 4)
    else:
        if bpy.app.version >= (5, 0):
            pytest.skip("from 5.0 on Blender crashes in movie_strip_add without windows")
        shown = range(25, 45)
        strip = add_at_its_own_rate(editor, film)
        put(strip, "trimmed_before", 2)
        put(strip, "hidden_before", 15)
        assert len(list(strip_frames(strip))) > FRAMES
    bpy.context.scene.vidrestore.handles = 2
    bpy.context.scene.vidrestore.folder = str(tmp_path)
    before = {frame: rendered(frame, tmp_path) for frame in shown}
    bpy.ops.vidrestore.restore_strips()
    run_to_end()
    (result,) = results(editor)
    assert not strips.range_of(strip, 2).is_whole
    for frame, picture in before.items():
        after = rendered(frame, tmp_path)
        assert np.abs(after - picture)[40:90, 40:90].max() > 0.05  # the face
        # Away from it, what was encoded once more is nearest to what was shown at this time.
        distances = {other: np.abs(after - before[other])[:, -24:].mean() for other in before}
        assert distances[frame] < 0.01
        assert distances[frame] == min(distances.values())
    result.mute = True
    frame, picture = next(iter(before.items()))
    assert np.abs(rendered(frame, tmp_path) - picture).max() == 0


def test_restoring_a_strip_again_replaces_its_result_but_no_file(
    editor: Any, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strip = add(editor, film)
    for number in (1, 2):
        finish = pretend(film, tmp_path / f"result{number}.mov", monkeypatch)
        bpy.ops.vidrestore.restore_strips()
        finish()
        (result,) = results(editor)
        assert Path(bpy.path.abspath(result.filepath)).name == f"result{number}.mov"
    assert list(strips.strips_of(editor)) in ([strip, result], [result, strip])
    assert (tmp_path / "result1.mov").exists()


def test_results_are_not_restored_themselves(
    editor: Any, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(editor, film)
    finish = pretend(film, tmp_path / "result.mov", monkeypatch)
    bpy.ops.vidrestore.restore_strips()
    finish()
    for strip in strips.strips_of(editor):
        strip.select = bool(strip.get(strips.RESULT_MARK))
    assert not bpy.ops.vidrestore.restore_strips.poll()


def test_cancelling_removes_the_placeholder(
    editor: Any, film: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add(editor, film)
    pretend(film, tmp_path / "result.mov", monkeypatch)
    bpy.ops.vidrestore.restore_strips()
    assert len(strips.strips_of(editor)) == 2
    bpy.ops.vidrestore.cancel()
    assert [strip.name for strip in strips.strips_of(editor)] == ["film"]
    assert panel._MESSAGES[-1] == "film.mov: cancelled"


def test_a_placeholder_that_was_removed_leaves_the_file_and_says_where(
    editor: Any, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(editor, film)
    finish = pretend(film, tmp_path / "result.mov", monkeypatch)
    bpy.ops.vidrestore.restore_strips()
    (placeholder,) = results(editor)
    strips.strips_of(editor).remove(placeholder)
    finish()
    assert panel._MESSAGES[-1] == f"the strip was removed meanwhile; its result is {tmp_path / 'result.mov'}"


def test_a_strip_with_a_missing_file_is_not_restored(editor: Any, film: Path, tmp_path: Path) -> None:
    strip = add(editor, film)
    strip.filepath = str(tmp_path / "gone.mov")
    with pytest.raises(strips.StripError, match=r"there is no file .*gone\.mov"):
        strips.range_of(strip, 0)
    assert bpy.ops.vidrestore.restore_strips() == {"CANCELLED"}


def test_a_reversed_strip_is_restored_as_a_whole(editor: Any, film: Path) -> None:
    strip = add(editor, film)
    put(strip, "hidden_before", 6)
    strip.use_reverse_frames = True
    assert strips.range_of(strip, 0).is_whole


def test_the_installed_extension_is_one_for_blender(tmp_path: Path) -> None:
    """Blender's own validator, and a fresh Blender that switches it on."""
    home = tmp_path / "extensions" / "user_default"
    home.mkdir(parents=True)
    assert main(["integrations", "install", "blender", "--to", str(home)]) == 0
    validator = next(Path(bpy.utils.system_resource("SCRIPTS")).rglob("bl_pkg/cli/blender_ext.py"))
    program = (
        "import bpy\n"
        "assert bpy.ops.preferences.addon_enable(module='bl_ext.user_default.vidrestore') == {'FINISHED'}\n"
        "assert bpy.types.SEQUENCER_PT_vidrestore.bl_category == 'vidrestore'\n"
        "assert bpy.context.scene.vidrestore.words()[:2] == ('--strength', '1')\n"
        "assert bpy.ops.preferences.addon_disable(module='bl_ext.user_default.vidrestore') == {'FINISHED'}\n"
        "import os; os._exit(0)\n"  # Blender 4.2 as a module may crash while Python ends
    )
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path)}
    for command in (
        [sys.executable, str(validator), "validate", str(home / "vidrestore")],
        [sys.executable, "-c", program],
    ):
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def pretend(film: Path, result: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Jobs run no command: the returned function ends the one that waits, with a copy of the film."""
    jobs: list[Job] = []
    monkeypatch.setattr(panel.QUEUE, "add", jobs.append)
    monkeypatch.setattr(
        panel.QUEUE, "cancel", lambda: [panel._on_end(job, "cancelled") for job in jobs] and jobs.clear()
    )

    def finish() -> None:
        result.write_bytes(film.read_bytes())
        panel._on_done(jobs.pop(), result)

    return finish
