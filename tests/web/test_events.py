"""What a job writes arrives as events, in order, until it ends; inspections are found again."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from starlette.requests import Request

from tests.web.ask import Asker
from vidrestore.web import inspections, job_runner
from vidrestore.web.event_stream import job_events
from vidrestore.web.job_process import analysis_path, file_state, frame_path, lines_path

PROGRESS = {"version": 1, "event": "progress", "stage": "restoring", "frames": 5, "total": 10}


def ended_job(ask: Asker, lines: list[dict[str, Any]]) -> int:
    job = ask.runner.store.add("restore", Path("a"), Path("b"), {})
    write_lines(ask, job.id, lines)
    ask.runner.store.update(job.id, state="done", result={"frames": 10})
    return job.id


def write_lines(ask: Asker, number: int, lines: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    lines_path(ask.runner.folder, number).write_text(text)


def events(ask: Asker, number: int) -> list[tuple[str, Any]]:
    return named(ask(f"/api/jobs/{number}/events").body.decode())


def named(text: str) -> list[tuple[str, Any]]:
    pairs = [part.split("\n") for part in text.split("\n\n")[:-1]]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in pairs]


def test_lines_of_a_job_become_events_with_their_names(ask: Asker) -> None:
    report = {"version": 1, "event": "report", "frames": 10}
    strange = {"event": "progress\n\nevent: state", "frames": 1}
    number = ended_job(ask, [PROGRESS, strange, {"event": "report", "thumbnails": "x" * 70_000}, report])
    assert events(ask, number) == [
        ("progress", PROGRESS),
        ("information", strange),
        ("report", report),
        ("state", {"state": "done", "message": ""}),
    ]


@pytest.mark.parametrize("piece_bytes", [10, 200])
def test_all_lines_of_a_long_job_are_sent_before_its_end(
    ask: Asker, monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    monkeypatch.setattr(job_runner, "_PIECE_BYTES", piece_bytes)
    report = {"version": 1, "event": "report", "frames": 10}
    number = ended_job(ask, [PROGRESS] * 20 + [report])
    assert events(ask, number) == [
        *[("progress", PROGRESS)] * 20,
        ("report", report),
        ("state", {"state": "done", "message": ""}),
    ]


class Connected:
    """A client that stays."""

    async def is_disconnected(self) -> bool:
        return False


@pytest.mark.parametrize("lines_of_second_run", [1, 2, 3, 20])
def test_an_open_stream_sends_the_second_run_of_a_killed_job_from_its_first_line(
    ask: Asker, started: list[subprocess.Popen[bytes]], lines_of_second_run: int
) -> None:
    number = ask.runner.store.add("restore", Path("a"), Path("b"), {}).id
    second = [{**PROGRESS, "frames": frames} for frames in range(lines_of_second_run)]
    report = {"version": 1, "event": "report", "frames": 10}

    def end_run(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait(30)
        ask.runner.step()

    async def follow() -> list[tuple[str, Any]]:
        stream = job_events(cast("Request", Connected()), ask.runner, number)
        ask.runner.step()
        write_lines(ask, number, [PROGRESS] * 3)
        first = [await anext(stream) for _ in range(4)]
        assert named("".join(first))[3] == ("state", {"state": "running", "message": ""})
        end_run(started[0])
        write_lines(ask, number, [*second, report])
        end_run(started[1])
        return named("".join([event async for event in stream]))

    assert asyncio.run(follow()) == [
        *[("progress", line) for line in second],
        ("report", report),
        ("state", {"state": "done", "message": ""}),
    ]


def test_a_new_frame_is_an_event_and_can_be_fetched(ask: Asker) -> None:
    number = ended_job(ask, [])
    assert ask(f"/api/jobs/{number}/frame").status == 422
    frame_path(ask.runner.folder, number).write_bytes(b"a picture")
    name, value = events(ask, number)[0]
    assert name == "frame"
    answer = ask(f"/api/jobs/{number}/frame", query={"changed": value["changed"]})
    assert (answer.body, answer.headers["content-type"]) == (b"a picture", "image/jpeg")


def test_a_job_that_is_removed_leaves_no_files(ask: Asker) -> None:
    number = ended_job(ask, [PROGRESS])
    frame_path(ask.runner.folder, number).write_bytes(b"a picture")
    assert ask(f"/api/jobs/{number}/remove", method="POST").status == 200
    assert not [path for path in ask.runner.folder.iterdir() if path.name.startswith(f"{number}.")]
    assert ask(f"/api/jobs/{number}").status == 422


def test_a_running_job_is_not_removed(ask: Asker) -> None:
    number = ended_job(ask, [])
    ask.runner.store.update(number, state="running")
    assert "cancel it first" in ask(f"/api/jobs/{number}/remove", method="POST").json["error"]


def inspected(ask: Asker, film: Path, **settings: Any) -> int:
    job = ask.runner.store.add("inspect", film, None, settings)
    analysis_path(ask.runner.folder, job.id).write_bytes(b"an analysis")
    ask.runner.store.update(job.id, state="done", result={"people": [], "of": file_state(film)})
    return job.id


def inspect_again(ask: Asker, film: Path, **settings: Any) -> int:
    """Starts an inspection by a request; returns the number of its job."""
    body = {"kind": "inspect", "input": str(film), "settings": settings}
    number: int = ask("/api/jobs", method="POST", body=body).json["id"]
    ask.runner.step()
    return number


def end_inspection(ask: Asker, number: int, process: subprocess.Popen[bytes], last: dict[str, Any]) -> None:
    write_lines(ask, number, [last])
    process.kill()
    process.wait(30)
    ask.runner.step()


def test_an_inspection_is_known_as_long_as_the_file_is_the_same(ask: Asker, root: Path) -> None:
    film = root / "film.mp4"
    assert ask("/api/people", query={"path": str(film)}).json == {"inspection": None}
    number = inspected(ask, film)
    assert ask("/api/people", query={"path": str(film)}).json["inspection"]["job"] == number
    film.write_bytes(b"another film")
    assert ask("/api/people", query={"path": str(film)}).json == {"inspection": None}


def test_a_new_inspection_replaces_the_last_one_of_its_video(
    ask: Asker, root: Path, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(inspections, "MOST_KEPT", 2)
    (root / "other.mp4").write_bytes(b"other")
    first, other = inspected(ask, root / "film.mp4"), inspected(ask, root / "other.mp4")
    again = inspect_again(ask, root / "film.mp4")
    end_inspection(ask, again, started[0], {"event": "report", "of": file_state(root / "film.mp4")})
    assert [job.id for job in ask.runner.store.all()] == [other, again]
    assert not analysis_path(ask.runner.folder, first).exists()


@pytest.mark.parametrize("end", ["cancelled", "failed", "removed while it waits"])
def test_an_inspection_without_a_result_leaves_the_last_one(
    ask: Asker, root: Path, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]], end: str
) -> None:
    monkeypatch.setattr(inspections, "MOST_KEPT", 1)
    film = root / "film.mp4"
    first = inspected(ask, film)
    if end == "removed while it waits":
        monkeypatch.setattr(ask.runner, "_start", lambda _: None)
        ask.runner.remove(inspect_again(ask, film))
    else:
        again = inspect_again(ask, film)
        end_inspection(ask, again, started[0], {"event": "error", "text": end})
        assert ask.runner.store.get(again).state == end
    assert ask("/api/people", query={"path": str(film)}).json["inspection"]["job"] == first
    assert analysis_path(ask.runner.folder, first).exists()


def test_an_inspection_replaces_only_those_with_the_same_settings(
    ask: Asker, root: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    film = root / "film.mp4"
    usual, other = inspected(ask, film), inspected(ask, film, start=0.0)
    again = inspect_again(ask, film, start=0.0)
    end_inspection(ask, again, started[0], {"event": "report", "of": file_state(film)})
    assert [job.id for job in ask.runner.store.all()] == [usual, again]
    assert not analysis_path(ask.runner.folder, other).exists()
    assert ask("/api/people", query={"path": str(film)}).json["inspection"]["job"] == usual


def test_the_oldest_inspections_are_deleted_if_there_are_too_many(
    ask: Asker, root: Path, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(inspections, "MOST_KEPT", 2)
    for name in ("a.mp4", "b.mp4"):
        (root / name).write_bytes(b"other")
    numbers = [inspected(ask, root / name) for name in ("a.mp4", "film.mp4", "b.mp4")]
    again = inspect_again(ask, root / "film.mp4")
    assert [job.id for job in ask.runner.store.all()] == [*numbers, again]
    end_inspection(ask, again, started[0], {"event": "report", "of": file_state(root / "film.mp4")})
    assert [job.id for job in ask.runner.store.all()] == [numbers[2], again]
