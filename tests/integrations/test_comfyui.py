"""The nodes of ComfyUI, on a stub of its modules."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.clips import Clip, make_clip
from tests.support.fake_comfy import Comfy, InterruptProcessingException, ProgressBar, VideoFromFile
from tests.support.jobs import frames_of
from tests.support.shared import ROOT
from vidrestore.colour.yuv_rgb import rgb_region
from vidrestore.integrations.install import install
from vidrestore.video import probe, read_frames

SAMPLE = ROOT / "samples" / "old_film.mp4"


@pytest.fixture
def comfy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Comfy]:
    stub = Comfy(tmp_path)
    for name, module in stub.modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    yield stub
    for name in [name for name in sys.modules if name.startswith("vidrestore.integrations.comfyui")]:
        del sys.modules[name]


def node(name: str) -> Any:
    from vidrestore.integrations.comfyui.extension import comfy_entrypoint

    nodes = asyncio.run(asyncio.run(comfy_entrypoint()).get_node_list())
    return {each.__name__: each for each in nodes}[name]


def fake_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *lines: dict[str, Any], end: str = ""
) -> Path:
    """Commands write these lines; the file that is returned gets their words."""
    program, words = tmp_path / "command.py", tmp_path / "words.json"
    program.write_text(
        "import json, sys, time\n"
        f"open({str(words)!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
        f"for line in {[json.dumps(line) for line in lines]!r}:\n"
        "    print(line, file=sys.stderr, flush=True)\n" + end
    )
    monkeypatch.setattr(
        "vidrestore.integrations.child_command.find_command", lambda: [sys.executable, str(program)]
    )
    return words


DONE = {"event": "report", "frames": 5}
HALF = {"event": "progress", "stage": "restoring", "frames": 5, "total": 10, "faces": 0, "eta": None}


def test_a_video_is_restored_from_file_to_file(
    comfy: Comfy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = fake_command(tmp_path, monkeypatch, DONE)
    result = node("RestoreVideo").run(video=VideoFromFile("film.mp4"), strength=0.5, faces=" p0 ")
    (video,) = result.values
    assert json.loads(words.read_text()) == [
        "restore", "film.mp4", video.get_stream_source(), "--strength", "0.5", "--fidelity", "auto",
        "--faces", "p0", "--codec", "match", "--progress", "json",
    ]  # fmt: skip
    output = Path(video.get_stream_source())
    assert (output.parent, output.suffix) == (tmp_path / "temp", ".mp4")


def test_a_trimmed_video_is_restored_in_its_part_only(
    comfy: Comfy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = fake_command(tmp_path, monkeypatch, DONE)
    video = VideoFromFile("film.mp4", start_time=2, duration=1.5)
    node("RestoreVideo").run(video=video, codec="prores")
    given = json.loads(words.read_text())
    assert given[3:7] == ["--start", "2.000000", "--end", "3.500000"]
    assert given[2].endswith(".mov")


def test_a_video_in_memory_becomes_a_file(
    comfy: Comfy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = fake_command(tmp_path, monkeypatch, DONE)
    node("RestoreVideo").run(video=VideoFromFile(BytesIO(b"film")))
    assert Path(json.loads(words.read_text())[1]).read_bytes() == b"film"


def test_an_error_of_the_command_is_raised_with_its_message(
    comfy: Comfy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = {"event": "error", "text": "film.mp4 is not a video", "exit_code": 2}
    fake_command(tmp_path, monkeypatch, error, end="sys.exit(2)")
    with pytest.raises(RuntimeError, match=r"^vidrestore: film\.mp4 is not a video$"):
        node("RestoreVideo").run(video=VideoFromFile("film.mp4"))


def test_progress_is_shown_and_cancel_ends_the_command(
    comfy: Comfy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_command(tmp_path, monkeypatch, HALF, end="sys.stdin.read()")
    interrupt = comfy.modules["comfy.model_management"].throw_exception_if_processing_interrupted

    def check() -> None:
        comfy.is_cancelled = bool(ProgressBar.shown)  # once something is shown
        interrupt()

    monkeypatch.setattr(
        comfy.modules["comfy.model_management"], "throw_exception_if_processing_interrupted", check
    )
    with pytest.raises(InterruptProcessingException):
        node("RestoreVideo").run(video=VideoFromFile("film.mp4"))
    assert ProgressBar.shown[0] == (500, 1000)


def test_images_are_restored_in_memory(comfy: Comfy) -> None:
    source = islice(read_frames(SAMPLE, probe(SAMPLE)), 3)
    frames = [np.clip(rgb_region(frame, 0, 0, 640, 480), 0, 1) for frame in source]
    images = torch.from_numpy(np.stack(frames))
    for is_clip in (True, False):
        ProgressBar.shown = []
        pixels, changed = node("RestoreImages").run(images=images, is_clip=is_clip, fidelity="1").values
        assert (pixels.shape, pixels.dtype, changed.shape) == (images.shape, torch.float32, images.shape[:3])
        where = changed.bool()
        assert where.any()
        assert not where.all()
        assert torch.equal(pixels[~where], images[~where])
        assert ProgressBar.shown[-1] == (3, 3)


def test_cancel_ends_the_work_on_images(comfy: Comfy) -> None:
    comfy.is_cancelled = True
    with pytest.raises(InterruptProcessingException):
        node("RestoreImages").run(images=torch.zeros(2, 64, 64, 3))


def test_images_without_vidrestore_in_this_python_are_an_error_with_advice(
    comfy: Comfy, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = node("RestoreImages")
    monkeypatch.setitem(sys.modules, "vidrestore", None)
    with pytest.raises(RuntimeError, match="pip install vidrestore"):
        images.run(images=torch.zeros(1, 64, 64, 3))


def test_the_faces_of_a_video_are_listed_with_their_pictures(comfy: Comfy) -> None:
    result = node("FindFaces").run(video=VideoFromFile(str(SAMPLE), duration=0.2), choose="0")
    faces, lines, pictures = result.values
    assert faces == "0"
    assert lines.startswith("0: person p0, frames 0-")
    assert pictures.shape == (lines.count("\n") + 1, 128, 128, 3)
    assert 0 < float(pictures.mean()) < 1
    assert result.ui["images"] == len(pictures)


def test_the_list_of_faces_says_when_none_are_found(
    comfy: Comfy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_command(tmp_path, monkeypatch, {"event": "report", "tracks": [], "thumbnails": {}})
    faces, lines, pictures = node("FindFaces").run(video=VideoFromFile("film.mp4"), choose=" ").values
    assert (faces, lines, pictures.shape) == ("all", "no faces found", (1, 128, 128, 3))


def test_the_installed_folder_is_a_custom_node_and_restores_a_video(comfy: Comfy, tmp_path: Path) -> None:
    """As ComfyUI loads it: the folder as a package, its name being its path."""
    (entry,) = (path for path in install("comfyui", tmp_path) if path.parent.name == "comfyui-vidrestore")
    spec = importlib.util.spec_from_file_location(
        "custom_nodes_vidrestore", entry, submodule_search_locations=[str(entry.parent)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = package
    try:
        spec.loader.exec_module(package)
        nodes = asyncio.run(asyncio.run(package.comfy_entrypoint()).get_node_list())
        restore = next(each for each in nodes if each.__name__ == "RestoreVideo")
        make_clip(tmp_path / "in.mkv", Clip(frames=5))
        (video,) = restore.run(video=VideoFromFile(str(tmp_path / "in.mkv"))).values
    finally:
        for name in [name for name in sys.modules if name.startswith(spec.name)]:
            del sys.modules[name]
    assert len(frames_of(Path(video.get_stream_source()))) == 5


def test_ids_of_nodes_are_never_changed(comfy: Comfy) -> None:
    """Saved workflows name them, and their inputs."""
    schemas = [node(name).define_schema() for name in ("RestoreVideo", "RestoreImages", "FindFaces")]
    assert {schema.node_id: [socket.name for socket in schema.inputs] for schema in schemas} == {
        "VidrestoreVideo": ["video", "strength", "fidelity", "faces", "codec"],
        "VidrestoreImages": ["images", "is_clip", "frame_rate", "strength", "fidelity"],
        "VidrestoreFindFaces": ["video", "choose"],
    }
