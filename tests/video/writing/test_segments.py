"""Parts encoded on their own and joined are one stream: frames, times and, where nothing is lost, samples."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.support.clips import Clip, make_clip, packets_of
from vidrestore.errors import OutputError, ProcessingError
from vidrestore.types import Frame
from vidrestore.video import (
    SegmentWriter,
    join_segments,
    open_input,
    probe,
    read_frames,
    why_not_joinable,
    why_not_segmented,
)
from vidrestore.video.formats.containers import choose_container
from vidrestore.video.reading.side_data import SideData
from vidrestore.video.writing.writer import VideoWriter

FINE = Fraction(1, 12800)
UNEVEN = [round(t * 512 * 1.13) + (t % 3) * 150 for t in range(40)]


def whole(source: Path, output: Path, **how: Any) -> Path:
    info = probe(source)
    with VideoWriter(output, info, **how) as writer:
        for frame in read_frames(source, info):
            writer.write(frame)
    return output


def joined(source: Path, output: Path, cuts: Sequence[int], **how: Any) -> Path:
    info, original = probe(source), open_input(source)
    frames = list(read_frames(source, info))
    encoding = {"crf": None, "preset": None, "width": info.width, "height": info.height} | how
    parts = []
    for number, (first, stop) in enumerate(zip([0, *cuts], [*cuts, len(frames)], strict=True)):
        parts.append(output.with_name(f"{number}.part"))
        with SegmentWriter(
            parts[-1], output, info, source=original, container=None, start=None, **encoding
        ) as writer:
            for frame in frames[first:stop]:
                writer.write(frame)
    with VideoWriter(output, info, **how) as whole_writer:
        join_segments(whole_writer, parts)
    return output


def one_part(source: Path, part: Path, output: Path, codec: str) -> SegmentWriter:
    info, original = probe(source), open_input(source)
    with SegmentWriter(
        part, output, info, source=original, container=None, start=None,
        codec=codec, crf=None, preset=None, width=info.width, height=info.height,
    ) as writer:  # fmt: skip
        for frame in read_frames(source, info):
            writer.write(frame)
    return writer


def video_packets(path: Path) -> list[tuple[int, int, int]]:
    with av.open(str(path)) as container:
        return sorted((p.pts, p.dts, p.duration) for p in container.demux(video=0) if p.size)


def samples(path: Path) -> list[Frame]:
    return list(read_frames(path, probe(path)))


def equal(one: list[Frame], other: list[Frame]) -> bool:
    return len(one) == len(other) and all(
        a.pts == b.pts and all(np.array_equal(p, q) for p, q in zip(a.planes, b.planes, strict=True))
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize(
    ("codec", "extension", "options"),
    [
        ("libx264", ".mp4", {"crf": 0}),
        ("libx264", ".mkv", {"crf": 0}),
        ("libx264", ".ts", {"crf": 0}),
        ("ffv1", ".mkv", {}),
        ("utvideo", ".avi", {}),
    ],
)
@pytest.mark.parametrize("times", [None, UNEVEN], ids=["even", "uneven"])
def test_a_lossless_stream_joined_from_parts_equals_the_one_written_whole(
    tmp_path: Path, codec: str, extension: str, options: dict[str, Any], times: list[int] | None
) -> None:
    clip = Clip(frames=40, times=times, time_base=FINE, sounds=("aac",))
    source = make_clip(tmp_path / "in.mp4", clip)
    one = whole(source, tmp_path / f"whole{extension}", codec=codec, **options)
    other = joined(source, tmp_path / f"joined{extension}", (13, 22), codec=codec, **options)
    assert video_packets(other) == video_packets(one)
    assert equal(samples(other), samples(one))
    assert packets_of(other, "audio") == packets_of(one, "audio")


@pytest.mark.parametrize(
    ("codec", "extension"),
    [
        ("libx265", ".mp4"),
        ("libsvtav1", ".mp4"),
        ("libvpx-vp9", ".webm"),
        ("prores_ks", ".mov"),
        ("mpeg2video", ".mkv"),
        ("mpeg4", ".avi"),
        ("mjpeg", ".mov"),
    ],
)
def test_every_frame_has_its_time_in_joined_parts(tmp_path: Path, codec: str, extension: str) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=40))
    one = whole(source, tmp_path / f"whole{extension}", codec=codec)
    other = joined(source, tmp_path / f"joined{extension}", (13, 22), codec=codec)
    assert [p[::2] for p in video_packets(other)] == [p[::2] for p in video_packets(one)]
    decoded, expected = samples(other), samples(one)
    assert [f.pts for f in decoded] == [f.pts for f in expected]
    differences = [
        float(np.abs(a.planes[0].astype(int) - b.planes[0].astype(int)).mean())
        for a, b in zip(decoded, expected, strict=True)
    ]
    assert max(differences) < 3


def test_a_truncated_or_damaged_part_is_refused(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=12))
    info, part, output = probe(source), tmp_path / "0.part", tmp_path / "out.mkv"
    written = one_part(source, part, output, "ffv1")
    content = part.read_bytes()
    assert (written.frames, written.bytes) == (12, len(content))
    for broken in (content[:-1], content[:-40], content[:10], content[:500] + b"?" + content[501:]):
        part.write_bytes(broken)
        with (
            pytest.raises(OutputError, match=r"0\.part is damaged"),
            VideoWriter(output, info, codec="ffv1") as writer,
        ):
            join_segments(writer, [part])
    assert not output.exists()


def test_parts_of_another_encoder_are_refused(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=12))
    info, part, output = probe(source), tmp_path / "0.part", tmp_path / "out.mkv"
    one_part(source, part, output, "libx264")
    with (
        pytest.raises(ProcessingError, match="another encoder"),
        VideoWriter(output, info, codec="ffv1") as writer,
    ):
        join_segments(writer, [part])


@pytest.mark.parametrize(
    ("source", "output", "container", "why"),
    [
        ("in.png", "out.mkv", None, "the input is pictures"),
        ("in.mp4", "-", None, "a pipe can be written only once"),
        ("in.mp4", "%03d.png", None, "the output is pictures"),
        ("in.mp4", "out.y4m", None, "yuv4mpegpipe streams have no timestamps"),
        ("in.mp4", "out.mp4", None, None),
    ],
)
def test_the_reason_why_an_output_cannot_have_segments_is_stated(
    source: str, output: str, container: str | None, why: str | None
) -> None:
    muxer = choose_container(Path(output), container)
    assert why_not_segmented(open_input(Path(source)), SideData(), Path(output), muxer) == why


def test_the_reason_why_streams_of_an_encoder_cannot_be_joined_is_stated() -> None:
    assert why_not_joinable("gif") == "it is not known whether streams of gif can be joined"
    assert why_not_joinable("libx264") is None
