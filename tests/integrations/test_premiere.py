"""The plugin of Premiere, on a fake of its modules in Node; skipped where there is no Node."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import Clip, make_clip
from tests.support.jobs import frames_of
from vidrestore.integrations import job_folder
from vidrestore.integrations.install import install

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="needs Node to run the plugin")
SECONDS = 300
FAKE = Path(__file__).with_name("fake_premiere.js")


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    (tmp_path / "plugins").mkdir()
    install("premiere", tmp_path / "plugins")
    return tmp_path / "plugins" / "vidrestore"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are at once done: the source is copied. Where it is no video, they fail."""

    def run_job(folder: Path) -> str:
        words = (folder / "arguments.txt").read_text("utf-8").splitlines()
        if Path(words[1]).read_bytes() == b"no video":
            return job_folder._end(folder, "failed", "it is no video")
        shutil.copy(words[1], words[2])
        return job_folder._end(folder, "done", "done")

    monkeypatch.setattr(job_folder, "run_job", run_job)


@contextmanager
def watching(home: Path) -> Iterator[None]:
    """What `vidrestore integrations watch` does, in a thread."""
    ended = threading.Event()
    jobs = home / job_folder.WATCHED

    def watch() -> None:
        while not ended.is_set():
            job_folder.watch(jobs, rounds=1)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(SECONDS)


def run(plugin: Path, tmp_path: Path, *, watch: bool = True, **plan: Any) -> Any:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (home / job_folder.WATCHED).mkdir(exist_ok=True)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"home": str(home), **plan}))
    assert NODE is not None

    def start() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(NODE), str(FAKE), str(plugin), str(file)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    if watch:
        with watching(home):
            done = start()
    else:
        done = start()
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["running"] == 0
    assert result["lost"] == []
    return result


def words_of(tmp_path: Path) -> list[list[str]]:
    jobs = sorted((tmp_path / "home" / job_folder.WATCHED).glob("*/arguments.txt"))
    return [job.read_text("utf-8").splitlines() for job in jobs]


def clip(path: Path, *, start: float = 10.0, begin: float = 0.4, seconds: float = 0.4) -> dict[str, Any]:
    if not path.exists():
        make_clip(path, Clip(frames=40))
    values = {"name": path.name, "path": str(path), "selected": True, "rate": 25}
    return {**values, "start": start, "end": start + seconds, "in": begin}


def other(start: float, end: float) -> dict[str, Any]:
    return {"name": "other", "path": "/other.mov", "start": start, "end": end, "in": 0}


@needs_node
def test_a_clip_is_restored_by_the_command_and_placed_above(plugin: Path, tmp_path: Path) -> None:
    source = clip(tmp_path / "my clip ä.mkv")
    done = run(plugin, tmp_path, video=[[source]], audio=[[source]], settings={"handles": "2"})
    result = tmp_path / "vidrestore" / "my clip ä_8-21.mkv"
    assert len(frames_of(result)) == 14
    assert done["log"] == f"{source['name']}: restored, on track V2\n"
    placed = {"name": result.name, "start": 10, "file": str(result)}
    assert done["video"][0][0]["file"] == source["path"]
    (above,) = done["video"][1]
    assert {name: above[name] for name in placed} == placed
    assert (above["end"], above["in"]) == (pytest.approx(10.4), pytest.approx(2 / 25))
    assert done["bin"] == [str(result)]
    # Its sound is on a new track, muted.
    assert [len(track) for track in done["audio"]] == [1, 1]
    assert done["muted"] == [False, True]
    assert set(done["undo"]) == {"vidrestore"}


@needs_node
@pytest.mark.usefixtures("quick")
def test_nothing_of_the_users_is_overwritten(plugin: Path, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mkv")
    done = run(
        plugin,
        tmp_path,
        video=[[source, clip(tmp_path / "a.mkv", start=30)], [other(10.2, 12)], [other(20, 22)]],
        audio=[[other(0, 5)], [other(0, 5)]],
        muted=[0],
    )
    assert [len(track) for track in done["video"]] == [2, 2, 2]
    assert done["video"][1][1]["start"] == 30  # the lowest free track
    assert done["video"][2][1]["start"] == 10
    assert [len(track) for track in done["audio"]] == [1, 1, 2]  # both on one new track
    assert done["muted"] == [True, False, True]


@needs_node
@pytest.mark.usefixtures("quick")
def test_restoring_a_clip_again_replaces_its_result_but_no_file(plugin: Path, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mkv")
    done = run(plugin, tmp_path, video=[[source]], presses=2)
    assert done["log"] == "a.mkv: restored, on track V2\na.mkv: the last result is replaced\n"
    files = [tmp_path / "vidrestore" / f"a_0-31{end}" for end in (".mkv", "_v2.mkv")]
    assert [item["file"] for item in done["video"][1]] == [str(files[1])]
    assert done["bin"] == [str(files[1])]
    assert all(file.is_file() for file in files)


@needs_node
@pytest.mark.usefixtures("quick")
def test_the_command_gets_the_range_and_the_settings(plugin: Path, tmp_path: Path) -> None:
    source = {**clip(tmp_path / "a.mkv", begin=1.001, seconds=0.5005), "rate": 23.976}
    run(plugin, tmp_path, video=[[source]], settings={"strength": "0.5", "codec": "prores", "handles": "3"})
    (last,) = words_of(tmp_path)
    assert last[:2] == ["restore", source["path"]]
    assert last[2].endswith("a_21-38.mov")
    assert float(last[4]) == pytest.approx(20.75 * 1001 / 24000, abs=1e-5)
    assert float(last[6]) == pytest.approx(38.75 * 1001 / 24000, abs=1e-5)
    assert last[7:] == ["--strength", "0.5", "--fidelity", "auto", "--faces", "all", "--codec", "prores"]


@needs_node
@pytest.mark.usefixtures("quick")
def test_a_failure_is_reported_and_the_next_clip_is_restored(plugin: Path, tmp_path: Path) -> None:
    (tmp_path / "no.mkv").write_bytes(b"no video")
    done = run(plugin, tmp_path, video=[[clip(tmp_path / "no.mkv"), clip(tmp_path / "a.mkv", start=30)]])
    assert done["log"] == "no.mkv: it is no video\na.mkv: restored, on track V2\n"


@needs_node
@pytest.mark.usefixtures("quick")
def test_a_refusal_by_premiere_is_reported(plugin: Path, tmp_path: Path) -> None:
    done = run(plugin, tmp_path, video=[[clip(tmp_path / "a.mkv")]], refuses_import=True)
    assert "is restored, but Premiere did not take it: it cannot be imported" in done["log"]
    assert (tmp_path / "vidrestore" / "a_0-31.mkv").is_file()


@needs_node
def test_a_cancelled_job_is_not_run_later(plugin: Path, tmp_path: Path) -> None:
    both = [clip(tmp_path / "a.mkv"), clip(tmp_path / "b.mkv", start=30)]
    done = run(plugin, tmp_path, watch=False, video=[both], press_cancel_at=3)
    assert done["log"] == "a.mkv: cancelled\n"
    jobs = tmp_path / "home" / job_folder.WATCHED
    job_folder.watch(jobs, rounds=1)
    (status,) = jobs.glob("*/status.txt")
    assert status.read_text().splitlines()[0] == "cancelled"
    assert not list((tmp_path / "vidrestore").iterdir())


@needs_node
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"speed": 2}, "at another speed"),
        ({"kind": "sequence"}, "not a clip of a single file"),
        ({"kind": "adjustment"}, "has no file"),
        ({"path": "/missing.mov"}, "offline"),
        ({"path": "shot.exr"}, "pictures"),
        ({"selected": False}, "select clips"),
    ],
)
def test_a_clip_that_cannot_be_restored_is_reported(
    change: dict[str, Any], sentence: str, plugin: Path, tmp_path: Path
) -> None:
    (tmp_path / "shot.exr").write_bytes(b"")
    if change.get("path") == "shot.exr":
        change = {"path": str(tmp_path / "shot.exr")}
    done = run(plugin, tmp_path, watch=False, video=[[{**clip(tmp_path / "a.mkv"), **change}]])
    assert sentence in done["log"]
    assert not words_of(tmp_path)


@needs_node
def test_invalid_handles_and_a_missing_sequence_are_reported(plugin: Path, tmp_path: Path) -> None:
    video = [[clip(tmp_path / "a.mkv")]]
    assert "handles are" in run(plugin, tmp_path, watch=False, video=video, settings={"handles": "-1"})["log"]
    assert "open a sequence" in run(plugin, tmp_path, watch=False, video=video, no_sequence=True)["log"]


def test_the_manifest_is_one_of_uxp(plugin: Path) -> None:
    manifest = json.loads((plugin / "manifest.json").read_text("utf-8"))
    assert manifest["manifestVersion"] == 5
    assert manifest["host"] == {"app": "premierepro", "minVersion": "25.6.0"}
    assert {"id", "name", "version", "entrypoints"} <= set(manifest)
    page = (plugin / manifest["main"]).read_text("utf-8")
    (script,) = re.findall(r'<script src="([^"]+)">', page)
    assert (plugin / script).is_file()
    wanted = set(re.findall(r'field\("(\w+)"\)', (plugin / script).read_text("utf-8")))
    assert wanted <= set(re.findall(r'id="(\w+)"', page))
    for file in plugin.glob("*.js"):
        for name in re.findall(r'require\("\./([^"]+)"\)', file.read_text("utf-8")):
            assert (plugin / name).is_file()
