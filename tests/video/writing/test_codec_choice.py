"""Which encoder, container and profile an output gets, by name or by the input's own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.support.clips import Clip, make_clip, packets_of
from tests.support.rewriting import SMALL, rewrite_with_match
from vidrestore.errors import DeviceError
from vidrestore.video import VideoWriter, probe, read_frames
from vidrestore.video.formats.pixel_formats import describe_format
from vidrestore.video.writing.codec_choice import is_lossless, rate_limit
from vidrestore.video.writing.encoders import choose_encoding, encoder_name, quality_options

FRAME, MILLISECOND = Fraction(1, 25), Fraction(1, 1000)

QUIET = {"x265-params": "log-level=none:pools=1"}


def _encoding_of(path: Path) -> tuple[str, str | None, str]:
    info = probe(path)
    return info.codec, info.profile, info.pixel_format.name


KEPT: dict[str, tuple[str, Clip]] = {
    "h264": (".mp4", SMALL),
    "h264 4:2:2 10": (".mp4", replace(SMALL, pixel_format="yuv422p10le")),
    "hevc 10": (".mp4", replace(SMALL, codec="libx265", pixel_format="yuv420p10le", options=QUIET)),
    "vp9": (".webm", replace(SMALL, codec="libvpx-vp9", time_base=MILLISECOND)),
    "vp8": (".webm", replace(SMALL, codec="libvpx", time_base=MILLISECOND)),
    "av1 10": (
        ".mkv",
        replace(SMALL, codec="libsvtav1", pixel_format="yuv420p10le", time_base=MILLISECOND),
    ),
    "prores hq": (
        ".mov",
        replace(SMALL, codec="prores_ks", pixel_format="yuv422p10le", options={"profile": "3"}),
    ),
    "prores lt": (
        ".mov",
        replace(SMALL, codec="prores_ks", pixel_format="yuv422p10le", options={"profile": "1"}),
    ),
    "dnxhr hqx": (
        ".mov",
        replace(
            SMALL,
            size=(256, 128),
            codec="dnxhd",
            pixel_format="yuv422p10le",
            options={"profile": "dnxhr_hqx"},
        ),
    ),
    "ffv1": (".mkv", replace(SMALL, codec="ffv1", time_base=MILLISECOND)),
    "utvideo": (".avi", replace(SMALL, codec="utvideo", time_base=FRAME)),
    "huffyuv": (".avi", replace(SMALL, codec="huffyuv", pixel_format="yuv422p", time_base=FRAME)),
    "png": (".mov", replace(SMALL, codec="png", pixel_format="rgb24")),
    "v210": (".mov", replace(SMALL, codec="v210", pixel_format="yuv422p10le", time_base=FRAME)),
    "rawvideo": (".avi", replace(SMALL, codec="rawvideo", time_base=FRAME)),
    "mjpeg": (".avi", replace(SMALL, codec="mjpeg", pixel_format="yuvj420p", time_base=FRAME)),
    "mpeg4": (".avi", replace(SMALL, codec="mpeg4", time_base=FRAME)),
    "mpeg2": (".ts", replace(SMALL, codec="mpeg2video", time_base=FRAME)),
}


@pytest.mark.parametrize("name", KEPT)
def test_match_keeps_codec_profile_and_pixels(tmp_path: Path, name: str) -> None:
    kind, clip = KEPT[name]
    source, output = make_clip(tmp_path / f"in{kind}", clip), tmp_path / f"out{kind}"
    writer = rewrite_with_match(source, output)
    assert _encoding_of(output) == _encoding_of(source)
    assert writer.warnings == []
    assert [f.pts for f in read_frames(output, probe(output))] == [
        f.pts for f in read_frames(source, probe(source))
    ]


LOSSLESS_ELSEWHERE = [
    ("utvideo", ".mkv", "ffv1"),
    ("huffyuv", ".mov", "h264"),
    ("png", ".mkv", "ffv1"),
    ("v210", ".mkv", "ffv1"),
    ("rawvideo", ".mkv", "ffv1"),
    ("ffv1", ".mov", "h264"),
    ("ffv1", ".nut", "rawvideo"),
    ("utvideo", ".mp4", "h264"),
    ("ffv1", ".mp4", "ffv1"),
]


@pytest.mark.parametrize(("name", "kind", "codec"), LOSSLESS_ELSEWHERE)
def test_a_lossless_video_stays_lossless_in_another_container(
    tmp_path: Path, name: str, kind: str, codec: str
) -> None:
    own, clip = KEPT[name]
    source, output = make_clip(tmp_path / f"in{own}", clip), tmp_path / f"out{kind}"
    rewrite_with_match(source, output)
    assert probe(output).codec == codec
    for a, b in zip(read_frames(source, probe(source)), read_frames(output, probe(output)), strict=True):
        for plane, expected in zip(b.planes, a.planes, strict=True):
            np.testing.assert_array_equal(plane, expected)


@pytest.mark.parametrize(
    ("name", "kind", "codec", "why"),
    [
        ("h264", ".webm", "vp9", "webm cannot hold libx264"),
        ("hevc 10", ".webm", "av1", "webm cannot hold libx265"),
        ("prores hq", ".mp4", "h264", "mp4 cannot hold prores_ks"),
        ("dnxhr hqx", ".mkv", "h264", "matroska cannot hold dnxhd"),
    ],
)
def test_a_codec_that_the_container_cannot_hold_is_replaced_with_one_warning(
    tmp_path: Path, name: str, kind: str, codec: str, why: str
) -> None:
    own, clip = KEPT[name]
    source, output = make_clip(tmp_path / f"in{own}", clip), tmp_path / f"out{kind}"
    (warning,) = rewrite_with_match(source, output).warnings
    assert why in warning
    assert _encoding_of(output)[::2] == (codec, probe(source).pixel_format.name)


def test_a_codec_without_an_encoder_becomes_h264_with_one_warning(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.avi", replace(SMALL, codec="mpeg4", time_base=FRAME))
    info = replace(probe(source), codec="vc1")
    with VideoWriter(tmp_path / "out.mp4", info, codec="match") as writer:
        for frame in read_frames(source, info):
            writer.write(frame)
    assert writer.warnings == ["the video becomes libx264: there is no encoder for vc1 here"]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (".mp4", "the video becomes png: mp4 cannot hold tiff; few players show it"),
        (".mkv", "the video becomes ffv1: matroska cannot hold tiff"),
    ],
)
def test_a_tiff_with_16_bits_keeps_them_in_a_video_with_one_warning(
    tmp_path: Path, kind: str, sentence: str
) -> None:
    source, output = tmp_path / "in.tiff", tmp_path / f"out{kind}"
    pixels = np.random.default_rng(0).integers(0, 65536, (64, 96, 3)).astype(np.uint16)
    assert cv2.imwrite(str(source), pixels)
    writer = rewrite_with_match(source, output)
    assert sentence in writer.warnings
    (frame,), (expected,) = (list(read_frames(path, probe(path))) for path in (output, source))
    for plane, kept in zip(frame.planes, expected.planes, strict=True):
        np.testing.assert_array_equal(plane, kept)


def test_prores_4444_keeps_its_alpha_and_10_bits_with_a_warning(tmp_path: Path) -> None:
    clip = replace(SMALL, codec="prores_ks", pixel_format="yuva444p10le", options={"profile": "4"})
    source, output = make_clip(tmp_path / "in.mov", clip), tmp_path / "out.mov"
    (warning,) = rewrite_with_match(source, output).warnings
    assert "yuva444p12le was converted to yuva444p10le" in warning
    assert _encoding_of(output) == ("prores", "4444", "yuva444p12le")


def test_a_matched_rate_is_limited_and_a_quality_that_is_requested_is_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    source = tmp_path / "in.mp4"
    with av.open(str(source), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25, options={"crf": "38", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv420p"
        for _ in range(100):
            noise = rng.integers(0, 255, (192, 256, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, "rgb24")))
        container.mux(stream.encode(None))
    info = probe(source)
    limit = rate_limit(info)
    assert limit is not None
    assert info.bit_rate is not None
    assert limit == round(max(2 * info.bit_rate, 0.2 * 256 * 192 * 25))
    rewrite_with_match(source, tmp_path / "matched.mp4")
    rewrite_with_match(source, tmp_path / "asked.mp4", crf=16.0)
    matched, asked = (probe(tmp_path / f"{name}.mp4").bit_rate or 0 for name in ("matched", "asked"))
    assert matched < 1.3 * limit < asked


def test_an_intra_only_video_stays_intra_only(tmp_path: Path) -> None:
    clip = replace(SMALL, frames=6, pixel_format="yuv422p10le")
    source, output = make_clip(tmp_path / "in.mp4", clip), tmp_path / "out.mp4"
    info = replace(probe(source), profile="High 4:2:2 Intra")
    with VideoWriter(output, info, codec="match") as writer:
        for frame in read_frames(source, info):
            writer.write(frame)
    with av.open(str(output)) as result:
        assert all(packet.is_keyframe for packet in result.demux(video=0) if packet.size)


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        *(("h264", "libx264"), ("H265", "libx265"), ("hevc", "libx265"), ("av1", "libsvtav1")),
        *(("vp9", "libvpx-vp9"), ("prores", "prores_ks"), ("dnxhr", "dnxhd"), ("ffv1", "ffv1")),
        *(("mpeg2", "mpeg2video"), ("libx264", "libx264"), ("prores_aw", "prores_aw")),
    ],
)
def test_common_names_mean_the_best_encoder(name: str, encoder: str) -> None:
    assert encoder_name(name) == encoder


@pytest.mark.parametrize(
    ("codec", "option"),
    [
        *(("libx264", "crf"), ("libx265", "crf"), ("libsvtav1", "crf"), ("libvpx-vp9", "crf")),
        *(("h264_nvenc", "cq"), ("hevc_nvenc", "cq"), ("mjpeg", "global_quality"), ("mpeg2video", "flags")),
    ],
)
def test_quality_is_stated_in_the_encoders_own_terms(codec: str, option: str) -> None:
    assert option in quality_options(codec, None, None)


@pytest.mark.parametrize("codec", ["h264_nvenc", "hevc_nvenc", "av1_nvenc"])
def test_the_quality_of_nvenc_is_not_limited_to_its_default_rate(codec: str) -> None:
    options = quality_options(codec, None, "slow")
    assert (options["rc"], options["b"], options["preset"]) == ("vbr", "0", "slow")
    assert float(quality_options(codec, 25, None)["cq"]) == 25


@pytest.mark.parametrize(
    ("codec", "frames", "expected"),
    [
        ("h264_nvenc", "yuv420p", ("yuv420p", True)),
        ("hevc_nvenc", "yuv420p10le", ("p010le", True)),
        ("av1_nvenc", "yuv420p10le", ("p010le", True)),
        ("hevc_nvenc", "yuv444p", ("yuv444p", True)),
    ],
)
def test_nvenc_takes_the_samples_as_they_are(
    codec: str, frames: str, expected: tuple[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrestore.video.writing.encoders._check_device", lambda codec: None)
    encoding = choose_encoding(codec, describe_format(frames), 128, 96)
    assert (encoding.pixel_format, encoding.exact) == expected


@pytest.mark.parametrize("codec", ["h264_nvenc", "hevc_nvenc", "av1_nvenc", "h264_qsv"])
def test_an_encoder_without_its_device_is_reported(tmp_path: Path, codec: str) -> None:
    trial: Any = av.CodecContext.create(codec, "w")
    trial.width = trial.height = 256
    trial.pix_fmt, trial.time_base = "nv12" if "qsv" in codec else "yuv420p", FRAME
    try:
        trial.open()
    except (av.FFmpegError, OSError):
        pass
    else:
        pytest.skip(f"this machine has what {codec} needs")
    with pytest.raises(DeviceError, match=f"{codec} needs an .* GPU"):
        rewrite_with_match(make_clip(tmp_path / "in.mp4", SMALL), tmp_path / "out.mp4", codec=codec)


@pytest.mark.parametrize(
    ("codec", "lossless"),
    [("ffv1", True), ("utvideo", True), ("png", True), ("h264", False), ("prores", False), ("none", False)],
)
def test_lossless_codecs_are_known(codec: str, lossless: bool) -> None:
    assert is_lossless(codec) is lossless


@pytest.mark.parametrize(
    ("pixel_format", "expected"),
    [
        ("yuv420p", ("dnxhd", "DNXHR HQ", "yuv422p")),
        ("yuv422p10le", ("dnxhd", "DNXHR HQX", "yuv422p10le")),
        ("yuv444p", ("dnxhd", "DNXHR 444", "yuv444p10le")),
    ],
)
def test_dnxhr_takes_any_size_in_the_profile_of_its_pixels(
    tmp_path: Path, pixel_format: str, expected: tuple[str, str, str]
) -> None:
    clip = replace(SMALL, size=(256, 128), pixel_format=pixel_format)
    source, output = make_clip(tmp_path / "in.mp4", clip), tmp_path / "out.mov"
    rewrite_with_match(source, output, codec="dnxhr")
    assert _encoding_of(output) == expected


def test_broadcast_clips_keep_their_times_in_encoders_of_constant_rate(tmp_path: Path) -> None:
    clip = Clip(codec="mpeg2video", time_base=FRAME, start=Fraction(7, 5), sounds=("mp2",))
    source, output = make_clip(tmp_path / "in.ts", clip), tmp_path / "out.ts"
    rewrite_with_match(source, output)
    for kind in ("video", "audio"):
        original, result = packets_of(source, kind)[0], packets_of(output, kind)[0]
        first = original[0][0] - result[0][0]  # the muxer may move all streams alike
        assert [packet[0] for packet in original] == [packet[0] + first for packet in result]
