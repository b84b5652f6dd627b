"""The script of After Effects, on a fake of its objects in Node; skipped where there is no Node."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import Clip, make_clip
from tests.support.jobs import frames_of
from vidrestore.integrations.install import install

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="needs Node to run the script")
SECONDS = 300
FAKE = Path(__file__).with_name("fake_aftereffects.js")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    (path,) = install("aftereffects", tmp_path / "scripts")
    return path


@pytest.fixture
def quick(script: Path, tmp_path: Path) -> Path:
    """The script with a job that is at once done: it copies the source, or fails where that is no video."""
    job = tmp_path / "quick_job.py"
    job.write_text(
        "import pathlib, shutil, sys\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "words = (folder / 'arguments.txt').read_text('utf-8').splitlines()\n"
        "is_video = pathlib.Path(words[1]).read_bytes() != b'no video'\n"
        "if is_video:\n"
        "    shutil.copy(words[1], words[2])\n"
        "status = 'done\\n1000\\ndone\\n' if is_video else 'failed\\n-1\\nit is no video\\n'\n"
        "(folder / 'status.txt').write_text(status)\n"
    )
    text = script.read_text(encoding="utf-8")
    start = "'\" -m ' + MODULE + ' \"'"
    assert start in text
    script.write_text(text.replace(start, f'\'" "{job.as_posix()}" "\''), encoding="utf-8")
    return script


def run(script: Path, tmp_path: Path, **plan: Any) -> Any:
    file = tmp_path / "plan.json"
    (tmp_path / "temp").mkdir(exist_ok=True)
    file.write_text(json.dumps({"temp": str(tmp_path / "temp"), **plan}))
    assert NODE is not None
    done = subprocess.run(
        [NODE, str(FAKE), str(script), str(file)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["running"], result["undo"]) == (0, 0)
    return result


def clip(tmp_path: Path, name: str) -> dict[str, Any]:
    make_clip(tmp_path / name, Clip(frames=5))
    return {"name": name, "file": str(tmp_path / name), "id": len(name)}


@needs_node
def test_the_footage_of_selected_layers_gets_its_result_as_a_proxy(script: Path, tmp_path: Path) -> None:
    layer = clip(tmp_path, "my clip ä.mkv")
    done = run(script, tmp_path, layers=[layer, layer, {"name": "solid", "file": None, "id": 3}])
    proxy = tmp_path / "vidrestore" / "my clip ä.mkv"
    assert done["proxies"] == {layer["name"]: str(proxy)}
    assert done["log"] == f"{layer['name']}: restored, as its proxy\n"
    assert len(frames_of(proxy)) == 5


@needs_node
def test_a_second_result_gets_a_new_file_name(quick: Path, tmp_path: Path) -> None:
    item = clip(tmp_path, "a.mkv")
    (tmp_path / "vidrestore").mkdir()
    (tmp_path / "vidrestore" / "a.mkv").write_bytes(b"earlier")
    done = run(quick, tmp_path, selection=[item], choices=[1])
    assert done["proxies"] == {"a.mkv": str(tmp_path / "vidrestore" / "a_v2.mkv")}
    assert (tmp_path / "vidrestore" / "a.mkv").read_bytes() == b"earlier"
    words = next((tmp_path / "temp").glob("*/arguments.txt")).read_text("utf-8").splitlines()
    assert words[3:] == ["--strength", "0.75", "--fidelity", "auto", "--faces", "all", "--codec", "match"]


@needs_node
def test_a_failure_is_reported_and_the_next_layer_is_restored(quick: Path, tmp_path: Path) -> None:
    (tmp_path / "no.mkv").write_bytes(b"no video")
    done = run(
        quick, tmp_path,
        layers=[{"name": "no.mkv", "file": str(tmp_path / "no.mkv"), "id": 1}, clip(tmp_path, "a.mkv")],
    )  # fmt: skip
    assert list(done["proxies"]) == ["a.mkv"]
    assert done["log"].startswith("no.mkv: it is no video\n")


@needs_node
def test_cancel_ends_the_run(script: Path, tmp_path: Path) -> None:
    done = run(script, tmp_path, layers=[clip(tmp_path, "a.mkv"), clip(tmp_path, "bb.mkv")], cancel_at=1)
    assert done["log"] == "a.mkv: cancelled\n"
    assert done["proxies"] == {}
    assert not list((tmp_path / "vidrestore").iterdir())


@needs_node
def test_a_refusal_by_after_effects_is_reported(quick: Path, tmp_path: Path) -> None:
    item = clip(tmp_path, "a.mkv")
    assert "did not take it" in run(quick, tmp_path, layers=[item], refuses_proxy=True)["log"]
    assert "allowed to write files" in run(quick, tmp_path, layers=[item], refuses_files=True)["log"]


@needs_node
@pytest.mark.parametrize("name", ["missing.mov", "shot.0001.exr", "photo.png"])
def test_what_is_no_video_file_is_left_out(name: str, script: Path, tmp_path: Path) -> None:
    if name != "missing.mov":
        (tmp_path / name).write_bytes(b"picture")
    item = {"name": name, "file": str(tmp_path / name), "id": 1, "still": name == "photo.png"}
    assert run(script, tmp_path, layers=[item])["log"].startswith("select layers or footage")


@needs_node
def test_the_script_is_javascript(script: Path) -> None:
    assert NODE is not None
    copy = script.with_suffix(".js")
    copy.write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([NODE, "--check", str(copy)], check=True, timeout=SECONDS)


def test_the_script_has_nothing_newer_than_extendscript(script: Path) -> None:
    """ECMAScript 3: what Node runs is not enough."""
    text = re.sub(r"/\*.*?\*/", "", script.read_text(encoding="utf-8"), flags=re.S)
    words = r"\b(let|const|class|async|JSON|forEach|map|filter|trim|Object\.keys)\b"
    for newer in (words, "=>", "`", r",\s*[}\]]", r"\?\?", r"\?\."):
        assert not re.search(newer, text), newer
