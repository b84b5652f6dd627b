"""Transport and program streams accept any codec. What their readers do not recognise is not written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

import vidrestore
from tests.support.clips import Clip, make_clip
from vidrestore.errors import VidrestoreError
from vidrestore.video.formats.containers import holds

FORMATS = [".ts", ".m2ts", ".mpg", ".vob"]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("codec", ["ffv1", "libvpx-vp9", "mjpeg", "prores_ks"])
def test_video_of_a_codec_that_readers_would_not_recognise_is_encoded_in_another(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    pixels = {"mjpeg": "yuvj420p", "prores_ks": "yuv422p10le"}.get(codec, "yuv420p")
    clip = Clip(frames=4, codec=codec, pixel_format=pixels, time_base=Fraction(1, 1000))
    source, output = make_clip(tmp_path / "in.mkv", clip), tmp_path / f"out{suffix}"
    vidrestore.restore(source, output, faces="none")
    with av.open(output) as result:
        assert result.streams.video[0].codec_context.name in {"h264", "hevc", "mpeg4", "mpeg2video"}
        assert sum(1 for _ in result.decode(video=0)) == 4


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_requested_codec_that_readers_would_not_recognise_is_refused(tmp_path: Path, suffix: str) -> None:
    source, output = make_clip(tmp_path / "in.mkv", Clip(frames=2)), tmp_path / f"out{suffix}"
    with pytest.raises(VidrestoreError, match="ffv1"):
        vidrestore.restore(source, output, faces="none", codec="ffv1")
    assert not output.exists()


@pytest.mark.parametrize("codec", ["flac", "pcm_s16le", "alac"])
def test_sound_that_readers_would_not_recognise_and_attachments_are_named(tmp_path: Path, codec: str) -> None:
    clip = Clip(frames=3, sounds=("aac", codec), attachment=b"font" * 40, time_base=Fraction(1, 1000))
    source, output = make_clip(tmp_path / "in.mkv", clip), tmp_path / "out.ts"
    report = vidrestore.restore(source, output, faces="none")
    (warning,) = [text for text in report.warnings if "left out" in text]
    assert f"({codec}" in warning
    assert "attachment" in warning
    assert "aac" not in warning
    with av.open(output) as result:
        assert [s.type for s in result.streams] == ["video", "audio"]


@pytest.mark.parametrize(
    ("muxer", "encoder", "held"),
    [
        ("mpegts", "libx264", True),
        ("mpegts", "libx265", True),
        ("mpegts", "mpeg2video", True),
        ("mpegts", "libsvtav1", False),
        ("mpeg", "mpeg2video", True),
        ("mpeg", "ffv1", False),
        ("matroska", "ffv1", True),
        ("mov", "prores_ks", True),
    ],
)
def test_a_container_holds_what_its_readers_recognise(muxer: str, encoder: str, held: bool) -> None:
    assert holds(muxer, encoder) == held
