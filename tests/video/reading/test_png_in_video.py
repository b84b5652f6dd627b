"""Videos of PNG pictures: one that unpacks to far more than any real one is a damaged frame."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from collections.abc import Container
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.support.clips import Clip, make_clip
from tests.support.jobs import ENVIRONMENT
from tests.support.photos import HEIGHT, WIDTH, encoded, smooth
from vidrestore.errors import InputError
from vidrestore.video import look_at, probe, read_frames
from vidrestore.video.reading.demuxer import open_container

UNPACKED = 400
"""Megabytes."""
MOST = 600
"""Megabytes of memory of a process that reads such a file; without a limit it was 1900."""


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt"])
@pytest.mark.parametrize("place", [0, 5])
def test_a_picture_that_unpacks_to_400_mb_is_one_damaged_frame(
    tmp_path: Path, kind: bytes, place: int
) -> None:
    source, lost = _video(tmp_path / "in.mov", kind, {place}), []
    look_at(source)
    frames = list(read_frames(source, probe(source), on_lost=lambda: lost.append(1)))
    # A loss before the first frame shows in the number of frames that the container states.
    assert (len(frames), len(lost)) == ((8, 1) if place else (7, 0))
    assert _memory(source) < MOST


def test_a_video_of_oversized_png_frames_only_is_refused(tmp_path: Path) -> None:
    source = _video(tmp_path / "in.mov", b"iCCP", range(8), megabytes=70)
    with pytest.raises(InputError, match=r"no frame of .* can be decoded"):
        look_at(source)


@pytest.mark.parametrize(("megabytes", "is_examined"), [(1, True), (70, False)])
def test_a_cover_is_decoded_only_if_it_unpacks_to_little(
    tmp_path: Path, megabytes: int, is_examined: bool
) -> None:
    plain, source = make_clip(tmp_path / "plain.mp4", Clip(frames=3)), tmp_path / "clip.mp4"
    with av.open(str(plain)) as original, av.open(str(source), "w") as result:
        video = result.add_stream_from_template(original.streams.video[0], opaque=True)
        cover = result.add_stream("png", rate=25)
        cover.width, cover.height, cover.pix_fmt = WIDTH, HEIGHT, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        packet = av.Packet(_picture(b"iCCP", megabytes))
        packet.pts = packet.dts = 0
        packet.time_base, packet.stream = Fraction(1, 25), cover
        result.mux(packet)
        for packet in original.demux(video=0):
            if packet.size:
                packet.stream = video
                result.mux(packet)
    with open_container(source) as container:
        assert (container.streams.video[1].codec_context.width == WIDTH) is is_examined


def _memory(source: Path) -> int:
    """The most memory [MB] of a process that reads the video."""
    code = (
        "import sys; from pathlib import Path;"
        "from vidrestore.video import open_video, read_frames;"
        "opened = open_video(Path(sys.argv[1])); list(read_frames(opened.input, opened.info));"
        # Not ru_maxrss: it begins with the memory of the process that starts this one.
        "status = Path('/proc/self/status').read_text().split('VmHWM:')[1];"
        "print(int(status.split()[0]) // 1024)"
    )
    if sys.platform != "linux":
        pytest.skip("memory is measured as Linux counts it")
    done = subprocess.run(
        [sys.executable, "-c", code, source], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def _video(path: Path, kind: bytes, places: Container[int], megabytes: int = UNPACKED) -> Path:
    """Eight PNG pictures; those at `places` have a profile or text of so many megabytes of zeros."""
    good, bomb = encoded(smooth(3), "PNG"), _picture(kind, megabytes)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb24"
        for number in range(8):
            packet = av.Packet(bomb if number in places else good)
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, 25), stream
            container.mux(packet)
    return path


def _picture(kind: bytes, megabytes: int) -> bytes:
    """A PNG with a profile or text of so many megabytes of zeros."""
    good = encoded(smooth(3), "PNG")
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()
    body = b"x\0\1\0\0\0" + packed if kind == b"iTXt" else b"x\0\0" + packed
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    head = good.index(b"IHDR") + 4 + 13 + 4
    return good[:head] + chunk + good[head:]
