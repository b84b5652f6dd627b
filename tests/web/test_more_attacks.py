"""More attacks: names, hosts and origins in disguise, packed and odd bodies, names of sidecars."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from tests.web.ask import HOST, TOKEN, Asker

PORT = HOST.rpartition(":")[2]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1:{}", "2130706433:{}", "0:{}", "0.0.0.0:{}", "[::1]:{}", "localhost.:{}",
     "LOCALHOST:{}", "127.0.0.1.evil.example:{}", "127.0.0.1:{}.evil.example", "me@127.0.0.1:{}",
     "127.0.0.1:{}@evil.example", "127.0.0.1:{}, evil.example", "127.0.0.1:0{}", "127.0.0.1:{}/"],
)  # fmt: skip
def test_no_other_spelling_of_the_host_is_accepted(ask: Asker, host: str) -> None:
    assert ask("/api/jobs", headers={"host": host.format(PORT)}).status == 403
    assert ask("/", query={"token": TOKEN}, headers={"host": host.format(PORT)}).status == 403


@pytest.mark.parametrize(
    "origin",
    [f"http://localhost:{int(PORT) + 1}", "http://127.0.0.1", f"https://{HOST}", f"http://{HOST}.evil.example",
     f"http://{HOST}@evil.example", f"http://evil.example#{HOST}", f"http://evil.example/{HOST}",
     f"ftp://{HOST}", f"//{HOST}", HOST, "file://", f"http://{HOST}, http://evil.example", " "],
)  # fmt: skip
@pytest.mark.parametrize("has_cookie", [True, False])
def test_another_origin_that_knows_the_token_is_refused(ask: Asker, origin: str, has_cookie: bool) -> None:
    token = {"authorization": "", "cookie": f"vidrestore_token={TOKEN}"} if has_cookie else {}
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        answer = ask("/api/jobs", method=method, headers={"origin": origin, **token})
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_of_another_port_of_this_machine_is_refused(ask: Asker, root: Path, site: str) -> None:
    """The browser sends the cookie to all ports alike, and calls them the same site."""
    body = {"input": str(root / "film.mp4"), "output": str(root / "new.mp4")}
    headers = {"authorization": "", "cookie": f"vidrestore_token={TOKEN}", "content-type": "text/plain"}
    answer = ask("/api/jobs", method="POST", body=body, headers={**headers, "sec-fetch-site": site})
    assert answer.status == 403
    assert ask.runner.store.all() == []


@pytest.mark.parametrize(
    "path",
    ["{root}/%2e%2e/secret.mp4", "{root}%2f..%2fsecret.mp4", "{root}/\uff0e\uff0e/secret.mp4",
     "{root}/..\\secret.mp4", "{root}/.. /secret.mp4", "{root}/./../secret.mp4", "{root}/x/..",
     "file://{root}/film.mp4", "~/film.mp4", "{root}/film.mp4/", "{root}/film.mp4/.",
     "{root}/film.mp4/../film.mp4", "concat:{root}/film.mp4", "/proc/self/root{root}/film.mp4",
     "/proc/self/cwd", "/dev/stdin"],
)  # fmt: skip
def test_no_spelling_of_a_path_leads_out(ask: Asker, root: Path, path: str) -> None:
    (root.parent / "secret.mp4").write_bytes(b"secret")
    text = path.format(root=root)
    if Path(text) == root / "film.mp4":
        assert ask("/api/media", query={"path": text}).body == b"a film"  # the same file, spelt otherwise
        return
    assert ask("/api/media", query={"path": text}).status == 403
    assert ask("/api/folders", query={"path": text}).status == 403


def test_with_two_paths_in_a_url_the_path_that_is_checked_is_the_one_served(ask: Asker, root: Path) -> None:
    (root.parent / "secret.mp4").write_bytes(b"secret")
    for first, second in (("film.mp4", "../secret.mp4"), ("../secret.mp4", "film.mp4")):
        paths: Any = [("path", str(root / first)), ("path", str(root / second))]
        answer = ask("/api/media", query=paths)
        assert (answer.status, answer.body == b"secret") in ((200, False), (403, False))


def test_a_packed_body_is_not_unpacked(ask: Asker) -> None:
    packed = gzip.compress(b" " * 50_000_000)
    assert len(packed) < 100_000
    answer = ask("/api/jobs", method="POST", raw=packed, headers={"content-encoding": "gzip"})
    assert answer.status == 422


@pytest.mark.parametrize(
    "wanted", [f"bytes=0-{'9' * 5000}", "bytes=" + "0-," * 2000 + "0-", "bytes=-5", "bytes=5-1", "lines=1-2"]
)
def test_odd_ranges_cost_one_answer_of_the_files_size_at_most(ask: Asker, root: Path, wanted: str) -> None:
    answer = ask("/api/media", query={"path": str(root / "film.mp4")}, headers={"range": wanted})
    assert answer.status in (200, 206, 416)
    assert len(answer.body) <= len(b"a film")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-1", "1e400", "0x10", "\uff11", "1_0", ""])
def test_odd_numbers_are_refused(ask: Asker, root: Path, number: str) -> None:
    query = {"path": str(root / "film.mp4"), "at": number}
    answer = ask("/api/frame", query=query)
    assert answer.status == 422
    assert answer.json["error"]
    assert ask("/api/preview", method="POST", raw=b'{"path": "x", "at": NaN}').status == 422


def test_an_archive_is_refused_as_a_video_under_any_name(ask: Asker, tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in ("../../evil.mkv", "/etc/evil.mkv", "evil.mkv"):
            archive.writestr(name, b"evil")
    for name in ("films.zip", "films.mkv.zip", "films.mkv"):
        answer = ask("/api/dropped", method="PUT", query={"name": name}, raw=held.getvalue())
        assert answer.status == 422
    assert list(ask.dropped.folder.iterdir()) == []
    assert list(tmp_path.rglob("evil*")) == []
    ask.media.close()


@pytest.mark.parametrize(
    "name", ["film.mp4/../../film.mp4", "link.mp4", "missing.mp4", "", "..", "notes.txt", "docker-compose",
             "film.mp4.yaml", "folder.mp4"],
)  # fmt: skip
def test_a_sidecar_is_written_beside_videos_alone(ask: Asker, root: Path, name: str) -> None:
    (root.parent / "film.mp4").write_bytes(b"another")
    (root / "link.mp4").symlink_to(root.parent / "film.mp4")
    (root / "folder.mp4").mkdir()
    for plain in ("notes.txt", "docker-compose"):
        (root / plain).write_text("mine")
    (root / "film.mp4.yaml").write_text("mine: 1\n")
    before = sorted(path.name for path in (*root.iterdir(), *root.parent.iterdir()))
    body = {"path": f"{root}/{name}", "frames": 9, "people": {}, "scenes": {}}
    assert ask("/api/sidecar", method="PUT", body=body).status in (403, 422)
    assert sorted(path.name for path in (*root.iterdir(), *root.parent.iterdir())) == before


@pytest.mark.parametrize(
    "name", ["p0\nmodel: /etc/passwd", "p0: {x: 1}", "../p0", "__proto__", "p" + "0" * 5000]
)
def test_invalid_names_of_people_in_a_sidecar_are_refused(ask: Asker, root: Path, name: str) -> None:
    body = {"path": str(root / "film.mp4"), "frames": 9, "people": {name: {"tracks": [0]}}, "scenes": {}}
    answer = ask("/api/sidecar", method="PUT", body=body)
    assert answer.status == 422
    assert len(json.dumps(answer.json)) < 1000
    assert not (root / "film.mp4.yaml").exists()
