"""Everything besides the picture comes through untouched."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import psutil  # type: ignore[import-untyped,unused-ignore]
import pytest
from av.stream import Disposition

from tests.support.clips import Clip, make_clip, packets_of
from vidrestore.video import VideoWriter, probe, read_frames

FULL = Clip(
    frames=40,
    time_base=Fraction(1, 1000),
    sounds=("aac", "libopus"),
    subtitles=True,
    attachment=b"a font" * 50,
    chapters=((0, 500, "One"), (500, 1600, "Two")),
    metadata={"title": "A film", "artist": "Somebody"},
)


def _rewrite(
    source: Path,
    output: Path,
    start: float | None = None,
    end: float | None = None,
    codec: str = "h264",
) -> list[str]:
    info = probe(source)
    with VideoWriter(output, info, codec=codec, start=start, end=end) as writer:
        for frame in read_frames(source, info, start=start, end=end):
            writer.write(frame)
    return writer.warnings


@pytest.mark.parametrize("start", [Fraction(0), Fraction(3, 2)])
def test_sound_packets_are_identical_to_the_bit_and_the_tick(tmp_path: Path, start: Fraction) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(sounds=("aac", "ac3"), start=start, frames=50))
    assert _rewrite(source, tmp_path / "output.mp4") == []
    original = packets_of(source, "audio")
    assert len(original) == 2
    assert len(original[0]) > 50
    assert packets_of(tmp_path / "output.mp4", "audio") == original


def test_everything_matroska_holds_is_carried_over(tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / "clip.mkv", FULL), tmp_path / "output.mkv"
    assert _rewrite(source, output) == []
    assert packets_of(output, "audio") == packets_of(source, "audio")
    assert packets_of(output, "subtitle") == packets_of(source, "subtitle")
    with av.open(str(source)) as original, av.open(str(output)) as result:
        assert [stream.type for stream in result.streams] == [stream.type for stream in original.streams]
        assert [s.language for s in result.streams.audio] == ["eng", "deu"]
        assert [s.disposition for s in result.streams] == [s.disposition for s in original.streams]
        assert result.streams.attachments[0].data == b"a font" * 50
        assert result.chapters() == original.chapters()
        assert (result.metadata["title"], result.metadata["ARTIST"]) == ("A film", "Somebody")


def test_streams_that_the_container_cannot_hold_are_left_out_and_named(tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / "clip.mkv", FULL), tmp_path / "output.mp4"
    (warning,) = _rewrite(source, output)
    assert "subtitle stream 3" in warning
    assert "attachment stream 4" in warning
    result = packets_of(output, "audio")
    assert [[p[2] for p in track] for track in result] == [
        [p[2] for p in track] for track in packets_of(source, "audio")
    ]


def test_webm_says_that_fonts_are_left_out(tmp_path: Path) -> None:
    clip = Clip(frames=3, attachment=b"font" * 40, codec="libvpx", time_base=Fraction(1, 1000))
    (warning,) = _rewrite(make_clip(tmp_path / "clip.mkv", clip), tmp_path / "output.webm", codec="match")
    assert "attachment stream 1 (font.ttf)" in warning


def test_dispositions_of_streams_are_kept(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mkv", FULL)
    source, output = tmp_path / "clip.mkv", tmp_path / "output.mkv"
    wanted = [Disposition.default, Disposition.original, Disposition.comment, Disposition.forced]
    with av.open(str(plain)) as original, av.open(str(source), "w") as result:
        streams = [s for s in original.streams if s.type != "attachment"]
        copies = {s.index: result.add_stream_from_template(s, opaque=True) for s in streams}
        for copy, disposition in zip(copies.values(), wanted, strict=True):
            copy.disposition = disposition
        for packet in original.demux(*streams):
            if packet.size:
                packet.stream = copies[packet.stream.index]
                result.mux(packet)
    assert _rewrite(source, output) == []
    with av.open(str(output)) as made_again:
        assert [stream.disposition for stream in made_again.streams] == wanted


@pytest.mark.parametrize(
    ("kind", "languages"), [(".mp4", ["eng", "deu", "fra"]), (".mov", ["eng", "ger", "fra"])]
)
def test_languages_are_kept_by_the_name_the_container_has_for_them(
    tmp_path: Path, kind: str, languages: list[str]
) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(frames=5, sounds=("aac", "aac", "aac")))
    assert _rewrite(source, tmp_path / f"output{kind}") == []
    with av.open(str(tmp_path / f"output{kind}")) as result:
        assert [stream.language for stream in result.streams.audio] == languages


def test_a_transport_stream_is_not_given_subtitles_it_would_call_data(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mkv", Clip(frames=5, time_base=Fraction(1, 1000), subtitles=True))
    (warning,) = _rewrite(source, tmp_path / "output.ts")
    assert "subtitle stream 1" in warning
    with av.open(str(tmp_path / "output.ts")) as result:
        assert [stream.type for stream in result.streams] == ["video"]


def test_sound_is_cut_and_shifted_together_with_the_picture(tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / "clip.mp4", Clip(sounds=("aac",), frames=75)), tmp_path / "out.mp4"
    _rewrite(source, output, start=0.4, end=2.2)
    original, result = packets_of(source, "audio")[0], packets_of(output, "audio")[0]
    expected = [
        (t - Fraction(2, 5), d, data) for t, d, data in original if Fraction(2, 5) <= t < Fraction(11, 5)
    ]
    assert [packet[0::2] for packet in result] == [packet[0::2] for packet in expected]
    info = probe(output)
    frames = list(read_frames(output, info))
    assert (frames[0].pts, len(frames)) == (0, 45)


def test_chapters_are_cut_with_the_picture(tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / "clip.mkv", FULL), tmp_path / "output.mkv"
    _rewrite(source, output, start=0.6, end=1.2)
    with av.open(str(output)) as result:
        (chapter,) = result.chapters()
    base = Fraction(chapter["time_base"] or 1)
    assert (chapter["start"] * base, chapter["end"] * base) == (Fraction(0), Fraction(3, 5))
    assert chapter["metadata"]["title"] == "Two"


def test_damaged_sound_is_left_out_and_reported(tmp_path: Path) -> None:
    clip = Clip(frames=200, gop=20, sounds=("aac",), time_base=Fraction(1, 90000))
    whole, source = make_clip(tmp_path / "whole.ts", clip), tmp_path / "clip.ts"
    content = bytearray(whole.read_bytes())
    # Not a whole number of the broadcast's packets: sound and picture are both hit.
    del content[len(content) // 2 : len(content) // 2 + 5000]
    source.write_bytes(content[20000:])
    (warning,) = _rewrite(source, tmp_path / "output.mp4")
    assert "damaged packets of the audio stream 1" in warning
    info = probe(tmp_path / "output.mp4")
    assert len(list(read_frames(info.path, info))) > 100


def _with_cover(source: Path) -> Path:
    plain = make_clip(source.with_name("plain.mp4"))
    with av.open(str(plain)) as original, av.open(str(source), "w") as result:
        video = result.add_stream_from_template(original.streams.video[0], opaque=True)
        cover = result.add_stream("png", rate=25)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame(32, 32, "rgb24")
        picture.pts = 0
        result.mux([*cover.encode(picture), *cover.encode(None)])
        for packet in original.demux(video=0):
            if packet.size:
                packet.stream = video
                result.mux(packet)
    return source


def test_a_cover_stays_a_cover(tmp_path: Path) -> None:
    source, output = _with_cover(tmp_path / "clip.mp4"), tmp_path / "out.mp4"
    assert probe(source).other_streams == ("video",)
    assert _rewrite(source, output) == []
    assert packets_of(output, "video")[1] == packets_of(source, "video")[1]
    assert probe(output).other_streams == ("video",)


def test_a_part_keeps_the_cover(tmp_path: Path) -> None:
    source, output = _with_cover(tmp_path / "clip.mp4"), tmp_path / "out.mp4"
    assert _rewrite(source, output, start=0.6) == []
    assert packets_of(output, "video")[1] == packets_of(source, "video")[1]


def test_sound_far_behind_the_picture_in_the_file_is_still_interleaved(tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / "clip.mp4", Clip(sounds=("aac",), frames=250)), tmp_path / "o.mkv"
    _rewrite(source, output)
    latest = Fraction(0)
    with av.open(str(output)) as result:
        for packet in result.demux():
            if packet.size and packet.pts is not None:
                time = packet.pts * Fraction(packet.time_base)
                assert time > latest - Fraction(1)
                latest = max(latest, time)


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    clip = Clip(size=(320, 180), frames=800, sounds=("aac",), gop=50)
    source = make_clip(tmp_path / "clip.mp4", clip)
    info = probe(source)
    process = psutil.Process()
    seen = []
    with VideoWriter(tmp_path / "output.mp4", info, preset="ultrafast") as writer:
        for frame in read_frames(source, info):
            writer.write(frame)
            if frame.index in (200, 799):
                seen.append(process.memory_info().rss)
    assert seen[1] - seen[0] < 20 * 2**20
