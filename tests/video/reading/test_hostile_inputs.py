"""A file that names other files, servers or pipes is refused: only what the file itself holds is read."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

import vidrestore
from tests.support.clips import Clip, make_clip
from vidrestore.errors import InputError
from vidrestore.video import open_input, probe, read_frames
from vidrestore.video.reading import demuxer

SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=video 50000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
)
LIVE = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-VERSION:3\n#EXTINF:2.0,\n{other}\n"
WHOLE = LIVE + "#EXT-X-ENDLIST\n"
DASH = (
    '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
    '<Representation id="0"><BaseURL>{other}</BaseURL></Representation></AdaptationSet></Period></MPD>\n'
)
TEXTS = {
    "an SDP description": (SDP, "SDP"),
    "a live playlist": (LIVE, "playlist"),
    "a playlist": (WHOLE, "playlist"),
    "a master playlist": ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{other}\n", "playlist"),
    "a DASH manifest": (DASH, "playlist"),
    "a concat script": ("ffconcat version 1.0\nfile '{other}'\n", "script"),
    "an RTSP reference": ("[Reference]\nRef1=rtsp://127.0.0.1/{other}\n", "not a video"),
    "FFmpeg metadata": (";FFMETADATA1\ntitle=x\n", "not a video"),
    "a drawing": ('<svg xmlns="http://www.w3.org/2000/svg"><image href="{other}"/></svg>', "not a video"),
}


def _make_pipe(path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(path)


@pytest.mark.parametrize("name", ["film.mp4", "film.m3u8", "film"])
@pytest.mark.parametrize("other", ["itself", "a pipe", "a video", "a server"])
@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_file_that_names_other_files_is_refused(
    tmp_path: Path, kind: str, other: str, name: str
) -> None:
    path = tmp_path / name
    if other == "a pipe":
        _make_pipe(tmp_path / "pipe.ts")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        named = {
            "itself": name,
            "a pipe": "pipe.ts",
            "a video": "clip.ts",
            "a server": f"http://127.0.0.1:{server.getsockname()[1]}/x.ts",
        }[other]
        if other == "a video":
            make_clip(tmp_path / "clip.ts", Clip(frames=3))
        text, message = TEXTS[kind]
        path.write_text(text.replace("{other}", named))
        with pytest.raises(InputError, match=message) as raised:
            probe(path)
        assert "\n" not in str(raised.value)
        with pytest.raises(TimeoutError):
            server.accept()


def test_restore_and_inspect_refuse_text_files_that_name_servers(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_text(SDP)
    with pytest.raises(InputError, match="SDP"):
        vidrestore.restore(path, tmp_path / "out.mp4")
    with pytest.raises(InputError, match="SDP"):
        vidrestore.inspect(path)


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    _make_pipe(path)
    with pytest.raises(InputError, match="not a regular file"):
        probe(path)


@pytest.mark.parametrize("folder", [b"shots", b"shots \xff"])
def test_a_picture_of_a_sequence_that_is_a_pipe_is_not_waited_for(tmp_path: Path, folder: bytes) -> None:
    make_clip(tmp_path / "%d.png", Clip(frames=3, codec="png", pixel_format="rgb24"))
    (tmp_path / "2.png").unlink()
    _make_pipe(tmp_path / "2.png")
    shots = tmp_path / os.fsdecode(folder)
    shots.mkdir()
    for number in range(1, 4):
        (tmp_path / f"{number}.png").rename(shots / f"{number}.png")
    video_input = open_input(shots / "%d.png")
    with pytest.raises(InputError, match="not a regular file"):
        list(read_frames(video_input, probe(video_input)))


def test_a_container_may_not_open_other_files(tmp_path: Path) -> None:
    other = make_clip(tmp_path / "other.mp4")
    path = make_clip(tmp_path / "film.mp4")
    with demuxer.open_container(path) as container, pytest.raises(PermissionError):
        container.io_open(str(other), 1, {})


def test_media_is_opened_for_reading_in_one_place() -> None:
    package = Path(vidrestore.__file__).parent
    opened = {
        file.name
        for file in package.rglob("*.py")
        for call in re.findall(r"av\.open\((.*)", file.read_text(encoding="utf-8"))
        if '"w"' not in call
    }
    assert opened == {"demuxer.py"}
