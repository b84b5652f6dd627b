"""Each piece of the table, fed through each container: carried, or named in the warning; and its page."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.stream import Disposition

import vidrestore
from tests.support.clips import Clip, make_clip
from tests.support.photos import HEIGHT, ICC, WIDTH, convert, encoded, smooth
from tests.support.scripts import load_script
from tests.support.shared import ROOT
from vidrestore.errors import InputError
from vidrestore.video import VideoWriter, make_writer, open_video
from vidrestore.video.formats import pieces
from vidrestore.video.formats.pieces import CONTAINERS, PIECES, handling
from vidrestore.video.reading import demuxer, pieces_found, stream_info
from vidrestore.video.reading.look import look_at
from vidrestore.video.reading.pieces_found import codec_tags, program
from vidrestore.video.writing import ebml, iso_profile, stream_marks

SUFFIXES = {"matroska": "mkv", "mpegts": "ts"}


def marked(
    path: Path,
    marks: dict[int, bytes],
    metadata: dict[str, str] | None = None,
    roles: Disposition = Disposition.default,
) -> Path:
    """A clip in Matroska whose header says `marks`, `metadata` and `roles` of its video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream_marks.mark(stream, "libx264", marks, 96, 64)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.metadata.update(metadata or {})
        stream.disposition = roles
        for number in range(12):
            picture = av.VideoFrame(96, 64, "yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def spherical(path: Path) -> Path:
    return marked(path, {stream_marks.SPHERICAL: ebml.element(0x7671, 1) + ebml.element(0x7672, bytes(20))})


def stereo(path: Path) -> Path:
    return marked(path, {stream_marks.STEREO: b"\1"})


def cropped(path: Path) -> Path:
    return marked(path, dict(zip(stream_marks.CROPPING, (b"\2", b"\4", b"\6", b"\x08"), strict=True)))


def with_hdr(path: Path) -> Path:
    return marked(path, {stream_marks.COLOUR: ebml.element(0x55BC, 1000) + ebml.element(0x55BD, 400)})


def with_alpha(path: Path) -> Path:
    """VP9 with transparency, in Matroska."""
    with av.open(str(path), "w") as container:
        options = {"auto-alt-ref": "0", "deadline": "realtime", "cpu-used": "8"}
        stream = container.add_stream("libvpx-vp9", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuva420p"
        stream.metadata["alpha_mode"] = "1"
        for number in range(6):
            picture = av.VideoFrame(96, 64, "yuva420p")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def with_roles(path: Path) -> Path:
    return marked(path, {}, {"title": "a track"}, Disposition.default | Disposition.hearing_impaired)


MAKERS: dict[str, Callable[[Path], Path]] = {
    "spherical": spherical,
    "stereo": stereo,
    "cropping": cropped,
    "HDR10": with_hdr,
    "roles": with_roles,
    "track titles": with_roles,
    "languages": lambda path: make_clip(path, Clip(frames=12, b_frames=0, sounds=("mp3",))),
    "chapters": lambda path: make_clip(path, Clip(frames=12, b_frames=0, chapters=((0, 200, "one"),))),
    "rotation": lambda path: make_clip(path, Clip(frames=12, b_frames=0, rotation=90)),
    "timecode": lambda path: marked(path, {}, {"timecode": "01:00:00:00"}),
}


@pytest.mark.parametrize("muxer", CONTAINERS)
@pytest.mark.parametrize("key", MAKERS)
def test_a_piece_is_carried_or_named(tmp_path: Path, key: str, muxer: str) -> None:
    source = MAKERS[key](tmp_path / "in.mkv")
    assert key in look_at(source).side_data.pieces
    check_carried_or_named(source, key, muxer)


@pytest.mark.parametrize("muxer", CONTAINERS)
@pytest.mark.parametrize(
    ("source", "key"),
    [
        (source, key)
        for source in ("mp4", "mov")
        for key in ("track titles", "roles", "languages", "chapters", "rotation", "timecode")
        if (source, key) != ("mov", "roles")  # there are none
    ],
)
def test_a_piece_of_mp4_and_mov_is_carried_or_named(
    tmp_path: Path, key: str, source: str, muxer: str
) -> None:
    path = tmp_path / f"in.{source}"
    convert(MAKERS[key](tmp_path / "first.mkv"), path)
    assert key in look_at(path).side_data.pieces
    check_carried_or_named(path, key, muxer)


def test_the_timecode_of_a_track_that_the_video_does_not_refer_to_is_kept(tmp_path: Path) -> None:
    source, target = tmp_path / "in.mov", tmp_path / "out.mov"
    convert(MAKERS["timecode"](tmp_path / "first.mkv"), source)
    source.write_bytes(source.read_bytes().replace(b"tref", b"free"))
    with av.open(str(source)) as container:
        assert "timecode" not in container.streams.video[0].metadata
        assert container.streams.data[0].metadata["timecode"] == "01:00:00:00"
    convert(source, target)
    with av.open(str(target)) as container:
        assert container.streams.video[0].metadata["timecode"] == "01:00:00:00"


def check_carried_or_named(source: Path, key: str, muxer: str) -> None:
    """Converts `source`, which holds the piece `key`, to the container; fails if it is lost silently."""
    target = source.with_name(f"out.{SUFFIXES.get(muxer, muxer)}")
    webm = {"codec": "vp9"} if muxer == "webm" else {}
    warnings = convert(source, target, **webm)
    encoder = {"webm": "libvpx-vp9", "nut": "rawvideo"}.get(muxer, "libx264")
    message = PIECES[key].name in " ".join(warnings)
    there = key in look_at(target).side_data.pieces
    how = handling(key, muxer, encoder)
    if key == "languages" and muxer == "webm":
        return  # MP3 does not go there at all, which another warning says
    if key == "HDR10" and encoder == "libx264":
        assert there  # the encoder says it in the stream, wherever that goes
    elif how == "named":
        if key != "roles":  # of which some containers keep some
            assert not there
        if not (key == "rotation" and muxer == "nut" and "do not store the rotation" in " ".join(warnings)):
            assert message, warnings
    else:
        assert there, warnings
        assert not message


@pytest.mark.parametrize(
    ("tags", "suffix", "lost"),
    [
        ({"com.apple.quicktime.make": "Apple", "title": "T"}, "mp4", []),
        ({"com.apple.quicktime.make": "Apple", "title": "T"}, "mov", []),
        ({"com.apple.quicktime.make": "Apple", "title": "T"}, "mkv", []),
        ({"com.apple.quicktime.make": "Apple", "title": "T"}, "avi", ["com.apple.quicktime.make"]),
        ({"director": "D", "title": "T"}, "mp4", ["director"]),
        ({"director": "D", "title": "T"}, "mov", []),
        ({"director": "D", "title": "T"}, "nut", []),
        ({"artist": "A", "title": "T"}, "ts", ["artist"]),
        ({"title": "T" * 200_000}, "ts", ["title"]),
        ({"title": "T" * 200_000}, "mp4", []),
        ({"artist": "A", "title": "T"}, "avi", []),
    ],
)
def test_tags_are_kept_or_named(tmp_path: Path, tags: dict[str, str], suffix: str, lost: list[str]) -> None:
    source = make_clip(tmp_path / "in.mkv", Clip(frames=5, b_frames=0, metadata=tags))
    target = tmp_path / f"out.{suffix}"
    warnings = " ".join(convert(source, target))
    with av.open(str(target)) as container:
        kept = {key.lower(): text for key, text in container.metadata.items()}
    for key, text in tags.items():
        if key in lost:
            assert key in warnings.lower()
        elif suffix != "ts":  # there it is the service's, which PyAV does not tell
            assert kept[key] == text


@pytest.mark.parametrize("suffix", ["mkv", "webm"])
def test_alpha_beside_a_stream_is_carried(tmp_path: Path, suffix: str) -> None:
    source = with_alpha(tmp_path / "in.webm")
    assert "alpha" in look_at(source).side_data.pieces
    target = tmp_path / f"out.{suffix}"
    assert convert(source, target) == []
    assert "alpha" in look_at(target).side_data.pieces
    with demuxer.open_container(target) as container:
        picture = stream_info.first_picture(container, stream_info.video_stream(container, target))
    assert picture is not None
    assert picture.format.name == "yuva420p"


def test_data_beside_chapters_is_reported_from_their_titles() -> None:
    text = (
        "  Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 96x64, 25 fps (default)\n"
        "  Stream #0:1[0x2](eng): Data: bin_data (text / 0x74786574)\n"
        "  Stream #0:2[0x3](eng): Data: none (tmcd / 0x64636D74)\n"
        "  Stream #0:3[0x4](eng): Data: bin_data (gpmd / 0x646D7067), 37 kb/s (default)\n"
    )
    assert codec_tags(text) == {0: "avc1", 1: "text", 2: "tmcd", 3: "gpmd"}


def test_programs_are_named(tmp_path: Path) -> None:
    text = "\n  Program 1 \n    Metadata:\n      service_name    : One\n      service_provider: P\n"
    assert program(text) == {"service_name": "One", "service_provider": "P"}
    assert program(text + text.replace("Program 1", "Program 2")) == {}


def test_the_page_is_what_the_table_says() -> None:
    module = load_script("docs/make_formats.py")
    assert (ROOT / "docs" / "formats.md").read_text(encoding="utf-8") == module.page(), (
        "python docs/make_formats.py"
    )


def with_profile(path: Path) -> Path:
    """A clip in MP4 whose header holds a colour profile, in the place of the colours' codes."""
    make_clip(path, Clip(frames=12, b_frames=0))
    file = bytearray(path.read_bytes())
    profile = struct.pack(">I8s", 12 + len(ICC), b"colrprof") + ICC
    parents, at = [], 0
    for name, skipped in ((b"moov", 0), (b"trak", 0), (b"mdia", 0), (b"minf", 0), (b"stbl", 0), (b"stsd", 8)):
        while file[at + 4 : at + 8] != name:
            at += struct.unpack_from(">I", file, at)[0]
        parents.append(at)
        at += 8 + skipped
    end = at + struct.unpack_from(">I", file, at)[0]
    for parent in (*parents, at):
        struct.pack_into(">I", file, parent, struct.unpack_from(">I", file, parent)[0] + len(profile))
    file[end:end] = profile
    path.write_bytes(file)
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [("out.mp4", "match"), ("out.mov", "match"), ("out.mp4", "libx265"), ("out.mov", "prores_ks"),
     ("out.mkv", "match"), ("out.mov", "mjpeg"), ("out.nut", "match"), ("out.avi", "match")],
)  # fmt: skip
def test_the_profile_of_a_video_is_carried_or_named(tmp_path: Path, name: str, codec: str) -> None:
    source = with_profile(tmp_path / "in.mp4")
    assert "ICC" in look_at(source).side_data.pieces
    warnings = " ".join(convert(source, tmp_path / name, codec=codec))
    if name.endswith(("mp4", "mov")) and codec != "mjpeg":
        assert ICC in (tmp_path / name).read_bytes()
        assert "ICC" in look_at(tmp_path / name).side_data.pieces
        assert "ICC" not in warnings
    else:
        assert "ICC profile of the video" in warnings
    with demuxer.open_container(tmp_path / name) as container:
        assert len(list(container.decode(video=0))) == 12


def test_the_profiles_of_pictures_are_named(tmp_path: Path) -> None:
    picture = encoded(smooth(3), "PNG", icc_profile=ICC)
    source = tmp_path / "in.mov"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb24"
        for number in range(3):
            packet = av.Packet(picture)
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, 25), stream
            container.mux(packet)
    assert "ICC profiles of the pictures" in " ".join(convert(source, tmp_path / "out.mov"))


def test_the_tables_of_profiles_agree() -> None:
    assert frozenset(iso_profile.CODECS) == pieces.PROFILE_ENCODERS


def test_the_table_of_marks_is_that_of_their_writer() -> None:
    assert frozenset(stream_marks.CODECS) == pieces.MARKED_ENCODERS


@pytest.mark.parametrize("key", ["cropping", "stereo", "spherical"])
def test_marks_of_the_whole_picture_follow_when_it_is_enlarged(tmp_path: Path, key: str) -> None:
    """Cropping is counted in pixels, so it grows; the others stay."""
    source, output = MAKERS[key](tmp_path / "in.mkv"), tmp_path / "out.mkv"
    vidrestore.restore(source, output, upscale=2, faces="none", device="cpu")
    with av.open(str(source)) as before, av.open(str(output)) as after:
        old, new = (stream_marks.read_marks(opened.streams.video[0]) for opened in (before, after))
    assert old
    if key == "cropping":
        grown = {id_: 2 * int.from_bytes(content, "big") for id_, content in old.items()}
        assert {id_: int.from_bytes(content, "big") for id_, content in new.items()} == grown
    else:
        assert new == old


@pytest.mark.parametrize("matrix", [(46341, 46341, 0, -46341, 46341), (131072, 0, 0, 0, 65536)])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.avi"])
def test_a_display_matrix_that_slants_or_scales_is_carried_or_named(
    tmp_path: Path, name: str, matrix: tuple[int, ...]
) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=5, rotation=90))
    file = bytearray(source.read_bytes())
    struct.pack_into(">5i", file, file.index(b"tkhd") + 44, *matrix)
    source.write_bytes(file)
    warnings = " ".join(convert(source, tmp_path / name))
    with av.open(str(tmp_path / name)) as container:
        sides = next(container.decode(video=0)).side_data
        found = [bytes(side) for side in sides if "DISPLAYMATRIX" in str(side.type)]
    kept = bool(found) and struct.unpack_from("<5i", found[0]) == matrix
    assert kept == (name == "out.mp4")
    assert kept == ("display matrix that slants or scales" not in warnings)


WARNED_BY_CONTENT = {"HDR10", "HDR10+", "Dolby Vision"}
"""Pieces whose warning depends on the metadata itself, and is shown by tests of encoders."""
OF_TRACKS = {"track titles", "languages", "roles", "timecode", "rotation"}
"""NUT gets the video alone here, so its warning depends on the track itself: see the test above."""


@pytest.mark.parametrize("muxer", CONTAINERS)
def test_the_table_decides_which_pieces_are_named(tmp_path: Path, muxer: str) -> None:
    """Each piece, as if the input held it: also those that no encoder here can make."""
    opened = open_video(make_clip(tmp_path / "in.mkv", Clip(frames=3, b_frames=0)))
    target = tmp_path / f"out.{SUFFIXES.get(muxer, muxer)}"
    for key, piece in PIECES.items():
        if piece.by_codec or key in WARNED_BY_CONTENT or (muxer == "nut" and key in OF_TRACKS):
            continue
        writer = make_writer(
            target,
            opened.output_info,
            source=opened.input,
            side_data=replace(opened.side_data, pieces=frozenset({key})),
            codec="vp9" if muxer == "webm" else "match",
        )
        assert isinstance(writer, VideoWriter)
        with pytest.raises(InputError, match="no frame"), writer:
            pass
        is_named = piece.name in " ".join(writer.warnings)
        assert is_named == (handling(key, muxer, writer.codec) == "named"), (key, writer.warnings)


def test_every_piece_that_can_be_found_is_in_the_table() -> None:
    found = {*pieces_found._IN_HEADER.values(), *pieces_found._IN_PICTURES.values()}
    assert found <= PIECES.keys()
