"""Attacks on the service that are refused: hosts, origins, tokens, sizes, paths, links, races, settings."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from tests.web.ask import HOST, TOKEN, Asker
from vidrestore.errors import InputError, UsageError
from vidrestore.web import media
from vidrestore.web.access import MAX_BODY_BYTES
from vidrestore.web.file_roots import FileRoots, OutsideError
from vidrestore.web.job_runner import JobRunner


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "below").mkdir(parents=True)
    (folder / "film.mp4").write_bytes(bytes(range(200)))
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (folder / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (folder / "out").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.mp4")
    return folder


@pytest.fixture
def ask(root: Path, tmp_path: Path) -> Asker:
    return Asker(root, tmp_path / "state")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/absent", 404), ("GET", "/api/jobs/abc", 404), ("DELETE", "/api/jobs", 405)],
)
def test_a_request_that_does_not_exist_is_refused_with_a_sentence(
    ask: Asker, method: str, path: str, status: int
) -> None:
    answer = ask(path, method=method)
    assert answer.status == status
    assert answer.json == {"error": f"{method} {path} is no request of vidrestore web"}


def test_requests_with_the_token_are_answered(ask: Asker, root: Path) -> None:
    status, headers, body = ask("/api/folders")
    assert (status, json.loads(body)["roots"]) == (200, [str(root)])
    assert "default-src 'none'" in headers["content-security-policy"]
    status, _, body = ask("/api/folders", query={"path": str(root)})
    assert [entry["name"] for entry in json.loads(body)["entries"]] == ["below", "film.mp4"]


def test_a_range_of_a_file_is_that_range(ask: Asker, root: Path) -> None:
    query = {"path": str(root / "film.mp4")}
    status, headers, body = ask("/api/media", query=query, headers={"range": "bytes=10-19"})
    assert (status, body, headers["content-range"]) == (206, bytes(range(10, 20)), "bytes 10-19/200")
    assert ask("/api/media", query=query, headers={"range": "bytes=500-"})[0] == 416
    assert ask("/api/media", query=query)[2] == bytes(range(200))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example:8765"}, 403),  # a name that was made to lead here: DNS rebinding
        ({"host": "127.0.0.1:80"}, 403),
        ({"host": ""}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": f"http://[{HOST}"}, 403),
        ({"origin": f"https://{HOST}"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "", "cookie": "vidrestore_token=wrong"}, 401),
        ({"content-length": str(MAX_BODY_BYTES + 1)}, 413),
        ({"content-length": "-1"}, 413),
    ],
)
def test_requests_with_a_wrong_host_origin_token_or_size_are_refused(
    ask: Asker, headers: dict[str, str], status: int
) -> None:
    assert ask("/api/jobs", headers=headers)[0] == status
    assert ask("/api/jobs", method="POST", body={}, headers=headers)[0] == status


def test_a_token_in_the_url_opens_only_the_page_and_is_removed_from_the_url(ask: Asker) -> None:
    status, headers, _ = ask("/", query={"token": TOKEN}, headers={"authorization": ""})
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=strict" in headers["set-cookie"]
    assert ask("/api/jobs", query={"token": TOKEN}, headers={"authorization": ""})[0] == 401


def test_a_body_that_grows_beyond_its_limit_is_not_read(ask: Asker) -> None:
    status, _, body = ask("/api/jobs", method="POST", raw=b" " * (MAX_BODY_BYTES + 1))
    assert status == 422
    assert "too large" in json.loads(body)["error"]


@pytest.mark.parametrize(
    "path",
    ["{root}/../secret.mp4", "{root}/link.mp4", "{root}/out/secret.mp4", "{root}/below/../../secret.mp4",
     "/etc/passwd", "film.mp4", "{root}/pipe.mp4", "{root}/below", "{root}/film.mp4\0.png", "{root}-x/a.mp4",
     "//etc/passwd", "{root}/missing.mp4"],
)  # fmt: skip
def test_no_path_leads_out_of_the_folders(ask: Asker, root: Path, path: str) -> None:
    text = path.format(root=root)
    for endpoint in ("/api/media", "/api/video"):
        status, _, body = ask(endpoint, query={"path": text})
        assert status == 403
        assert body != b"secret"
    job = {"input": text, "output": str(root / "new.mp4")}
    assert ask("/api/jobs", method="POST", body=job)[0] == 403
    assert ask("/api/preview", method="POST", body={"path": text, "at": 0})[0] == 403


@pytest.mark.parametrize(
    "target", ["{root}/../new.mp4", "{root}/out/new.mp4", "{root}/link.mp4", "/tmp/new.mp4"]
)
def test_outputs_outside_the_folders_are_refused(ask: Asker, root: Path, target: str) -> None:
    job = {"input": str(root / "film.mp4"), "output": target.format(root=root)}
    assert ask("/api/jobs", method="POST", body=job)[0] == 403


def test_an_output_that_replaces_its_input_is_refused(ask: Asker, root: Path) -> None:
    job = {"input": str(root / "film.mp4"), "output": str(root / "film.mp4")}
    assert ask("/api/jobs", method="POST", body=job)[0] == 422


@pytest.mark.parametrize(
    "settings",
    [{"model": "/etc/passwd"}, {"detector": "retinaface_resnet50=/etc/passwd"}, {"overwrite": True},
     {"restart": True}, {"mask": "/tmp/mask.mkv"}, {"engine": "ray"}, {"workers": 1000}, {"strength": 7},
     {"no": 1}, {"faces": "like:/etc/passwd"}, {"sidecar": "/etc/passwd"}, {"faces": ["all"]}, [1]],
)  # fmt: skip
def test_settings_reach_no_file_and_no_machine(ask: Asker, root: Path, settings: Any) -> None:
    job = {"input": str(root / "film.mp4"), "output": str(root / "new.mp4"), "settings": settings}
    status, _, body = ask("/api/jobs", method="POST", body=job)
    assert status in (403, 422)
    assert json.loads(body)["error"]


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"x": 1}', b"[" * 100_000, b"\xff"])
def test_a_malformed_request_gets_an_error_message(ask: Asker, raw: bytes) -> None:
    status, _, body = ask("/api/jobs", method="POST", raw=raw)
    assert status in (403, 422)
    assert json.loads(body)["error"]


def test_a_folder_replaced_by_a_link_after_its_check_is_refused(root: Path) -> None:
    (root / "below" / "a.mp4").write_bytes(b"mine")
    roots = FileRoots([root])
    path = roots.check(str(root / "below" / "secret.mp4"))
    (root / "below" / "a.mp4").unlink()
    (root / "below").rmdir()
    (root / "below").symlink_to(root.parent)
    with pytest.raises(OutsideError):
        roots.open_file(str(path))


def test_a_full_queue_refuses_further_jobs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrestore.web.job_store.MAX_WAITING", 2)
    runner = JobRunner(tmp_path)
    for _ in range(2):
        runner.store.add("restore", root / "film.mp4", root / "x.mp4", {})
    with pytest.raises(UsageError, match="waiting"):
        runner.store.add("restore", root / "film.mp4", root / "x.mp4", {})


@pytest.mark.parametrize("path", ["/api/jobs/99999999999999999999999", "/api/jobs/7"])
def test_a_job_that_does_not_exist_gives_an_error_message(ask: Asker, path: str) -> None:
    status, _, body = ask(path)
    assert status == 422
    assert json.loads(body)["error"].startswith("there is no job")


def test_names_that_are_no_unicode_do_not_hide_the_others(ask: Asker, root: Path) -> None:
    try:
        (root / os.fsdecode(b"\xff.mp4")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes Unicode only")
    status, _, body = ask("/api/folders", query={"path": str(root)})
    assert status == 200
    assert [entry["name"] for entry in json.loads(body)["entries"]] == ["below", "film.mp4"]
    job = {"input": str(root / "\ud800.mp4"), "output": str(root / "new.mp4")}
    assert ask("/api/jobs", method="POST", body=job)[0] in (403, 422)


@pytest.mark.parametrize("is_near", [True, False])
def test_no_frame_is_read_from_a_playlist(root: Path, is_near: bool) -> None:
    """Playlists and session descriptions would reach the network."""
    playlist = root / "list.mp4"
    playlist.write_text("#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:1/x.ts\n")
    with pytest.raises(InputError, match="only names other files"):
        media._frame(playlist, 0.0, 200, is_near, None)
