"""The container of the output, by its name or by --container."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.support.clips import Clip, make_clip
from tests.support.rewriting import SMALL, rewrite_with_match
from vidrestore.errors import OutputError, UsageError, VidrestoreError
from vidrestore.video import probe, read_frames
from vidrestore.video.formats.containers import choose_container


@pytest.mark.parametrize(
    ("container", "format_"),
    [
        *(("mkv", "matroska,webm"), ("mov", "mov,mp4,m4a,3gp,3g2,mj2"), ("mp4", "mov,mp4,m4a,3gp,3g2,mj2")),
        *(("nut", "nut"), ("y4m", "yuv4mpegpipe"), ("ts", "mpegts"), ("MPEGTS", "mpegts")),
    ],
)
def test_the_container_may_be_given_apart_from_the_name(tmp_path: Path, container: str, format_: str) -> None:
    source, output = make_clip(tmp_path / "in.mp4", SMALL), tmp_path / "out.bin"
    rewrite_with_match(source, output, container=container)
    with av.open(str(output)) as result:
        assert result.format.name == format_
        assert len(list(result.decode(video=0))) == 3


@pytest.mark.parametrize("container", ["aac", "nothing", "png"])
def test_an_unknown_container_is_reported(tmp_path: Path, container: str) -> None:
    source = make_clip(tmp_path / "in.mp4", SMALL)
    with pytest.raises(UsageError, match=container):
        rewrite_with_match(source, tmp_path / "out.mkv", container=container)


@pytest.mark.parametrize(
    "container",
    [
        *("hls", "dash", "hds", "smoothstreaming", "segment", "ssegment", "tee", "fifo", "webm_chunk"),
        *("rtp", "rtp_mpegts", "rtsp", "sap", "whip", "asf_stream", "null", "fbdev", "v4l2"),
        *("md5", "hash", "streamhash", "framemd5", "framehash", "crc", "framecrc", "uncodedframecrc"),
        *("mkvtimestamp_v2", "webm_dash_manifest", "ffmetadata", "chromaprint"),
        *("mp3", "flac", "aiff", "ico"),
    ],
)
def test_a_container_that_does_not_store_video_in_one_file_is_refused(tmp_path: Path, container: str) -> None:
    with pytest.raises(UsageError, match=f"{container}.*; try mp4, mkv, mov, webm or nut$"):
        choose_container(tmp_path / "out.bin", container)


def test_each_container_that_is_accepted_makes_one_file_that_can_be_read(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", SMALL)
    written = {}
    names = {name for names in av.format.formats_available for name in names.split(",")}
    for name in sorted(names - {"rawvideo"}):  # raw video does not say its size
        output = tmp_path / "out" / f"{name}.bin"
        output.parent.mkdir(exist_ok=True)
        try:
            rewrite_with_match(source, output, container=name)
        except VidrestoreError:  # refused, or no encoder here fits it
            continue
        assert [output] == list(output.parent.iterdir()), name
        written[name] = len(list(read_frames(output, probe(output))))
        output.unlink()
    assert set(written.values()) == {3}
    assert {"mp4", "matroska", "avi", "mxf_opatom", "vcd", "svcd"} <= set(written)


@pytest.mark.parametrize(
    ("codec", "suffix", "advised"),
    [
        ("dnxhr", ".mkv", ".mov"),
        ("dnxhr", ".mp4", ".mov"),
        ("prores", ".mp4", ".mov"),
        ("utvideo", ".mkv", ".avi"),
        ("h264", ".webm", ".mkv"),
    ],
)
def test_a_codec_that_is_requested_and_does_not_fit_is_reported_where_it_does(
    tmp_path: Path, codec: str, suffix: str, advised: str
) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=2, size=(256, 128)))
    with pytest.raises(OutputError, match=rf"\{suffix} files cannot hold .* that ends in \{advised}$"):
        rewrite_with_match(source, tmp_path / f"out{suffix}", codec=codec)
    rewrite_with_match(source, tmp_path / f"out{advised}", codec=codec)


@pytest.mark.parametrize("kind", [".mp4", ".mov"])
def test_the_index_of_mp4_and_mov_is_at_the_start_of_the_file(tmp_path: Path, kind: str) -> None:
    source, output = make_clip(tmp_path / "in.mp4", SMALL), tmp_path / f"out{kind}"
    rewrite_with_match(source, output)
    content = output.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
