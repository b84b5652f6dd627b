"""What goes in comes out: one table, one row a case, each through the real command with the embedded model.

The clips hold no face, so that nothing of the picture may change either. The command runs inside this
process: starting Python and torch for each row would take minutes and show nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.clips import Clip, make_clip
from tests.support.contents import contents_of, differences
from vidrestore.cli import main

MS, TS = Fraction(1, 1000), Fraction(1, 90000)
UNEVEN = tuple(np.cumsum([0, 40, 10, 33, 70, 17, 120, 40, 5, 61]).tolist())
MASTERED = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
)
FFV1 = ("--codec", "ffv1")
X265 = ("--codec", "libx265", "--preset", "ultrafast")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A clip, the name it gets, the name it comes back under, and what may differ."""

    source: str
    clip: Clip
    target: str
    flags: tuple[str, ...] = ()
    differs: frozenset[str] = frozenset({"pixels"})
    """Fields of `Contents` that may differ, for the reason beside the case; by a lossy encoder the pixels."""
    warns: str = ""
    """Part of the one warning; nothing where there must be none."""


LOSSLESS: frozenset[str] = frozenset()
CASES = {
    # Time
    "constant rate": Case(source="a.mp4", clip=Clip(frames=10, sounds=("aac",)), target="b.mp4"),
    "variable rate": Case(source="a.mkv", clip=Clip(times=UNEVEN, time_base=MS), target="b.mp4"),
    "variable rate, fine ticks": Case(
        source="a.mp4", clip=Clip(times=UNEVEN, time_base=Fraction(1, 30000)), target="b.mov"
    ),
    "29.97": Case(
        source="a.mov",
        clip=Clip(frames=9, rate=Fraction(30000, 1001), time_base=Fraction(1, 30000), sounds=("aac",)),
        target="b.mp4",
    ),
    "a late start": Case(
        source="a.mp4", clip=Clip(frames=10, start=Fraction(3, 2), sounds=("aac",)), target="b.mov"
    ),
    "a gap of two seconds": Case(
        source="a.mkv", clip=Clip(times=(0, 40, 80, 2080, 2120), time_base=MS), target="b.mkv"
    ),
    "many b-frames": Case(source="a.mp4", clip=Clip(frames=14, b_frames=4, gop=14), target="b.mkv"),
    "an edit list that cuts the first frames off": Case(
        source="a.mp4",
        clip=Clip(frames=12, start=Fraction(-3, 25), sounds=("aac",), b_frames=0),
        target="b.mp4",
    ),
    "one frame": Case(source="a.mov", clip=Clip(frames=1), target="b.mp4"),
    # Containers
    "mov to mov": Case(
        source="a.mov",
        clip=Clip(frames=5, codec="prores_ks", pixel_format="yuv422p10le", sounds=("pcm_s16le",)),
        target="b.mov",
        flags=("--codec", "prores_ks"),
    ),
    "webm to webm": Case(
        source="a.webm",
        clip=Clip(frames=8, codec="libvpx-vp9", sounds=("libopus",), time_base=MS),
        target="b.webm",
        flags=("--codec", "libvpx-vp9"),
    ),
    "avi to mp4": Case(
        source="a.avi",
        clip=Clip(frames=8, codec="ffv1", sounds=("pcm_s16le",), time_base=Fraction(1, 25)),
        target="b.mp4",
    ),
    "avi with mp3 to mkv": Case(
        source="a.avi",
        clip=Clip(frames=8, codec="mpeg4", sounds=("mp3",), time_base=Fraction(1, 25), b_frames=0),
        target="b.mkv",
    ),
    "transport stream to mp4": Case(
        source="a.ts",
        clip=Clip(frames=12, sounds=("aac", "mp2"), start=Fraction(3, 2), time_base=TS),
        target="b.mp4",
        # MP4 holds AAC without the header of each packet, and calls all MPEG audio by one name.
        differs=frozenset({"pixels", "packets", "sounds", "kinds"}),
    ),
    "transport stream to mkv": Case(
        source="a.ts",
        clip=Clip(frames=12, sounds=("mp2",), start=Fraction(3, 2), time_base=TS),
        target="b.mkv",
    ),
    "mxf to mov": Case(
        source="a.mxf",
        clip=Clip(
            frames=8,
            codec="mpeg2video",
            pixel_format="yuv422p",
            sounds=("pcm_s16le",),
            sound_rate=48000,
            time_base=Fraction(1, 25),
        ),
        target="b.mov",
        flags=("--codec", "prores_ks"),
        # ProRes has 10 bits, MOV a time code track for what MXF states in its header, and smaller packets.
        differs=frozenset({"pixels", "pixel_format", "kinds", "languages", "packets"}),
    ),
    # Streams
    "everything matroska holds": Case(
        source="a.mkv",
        clip=Clip(
            frames=25,
            time_base=MS,
            sounds=("aac", "libopus"),
            subtitles=True,
            others=("hdmv_pgs_subtitle", "dvd_subtitle", "webvtt"),
            attachment=b"a font" * 50,
            chapters=((0, 300, "One"), (300, 1000, "Two")),
            metadata={"title": "A film"},
        ),
        target="b.mkv",
    ),
    "texts and chapters of mp4": Case(
        source="a.mp4",
        clip=Clip(frames=25, sounds=("aac", "ac3"), others=("mov_text",), chapters=((0, 300, "One"),)),
        target="b.mp4",
    ),
    "what mp4 cannot hold": Case(
        source="a.mkv",
        clip=Clip(
            frames=10,
            time_base=MS,
            sounds=("aac",),
            subtitles=True,
            others=("hdmv_pgs_subtitle",),
            attachment=b"font",
        ),
        target="b.mp4",
        differs=frozenset({"pixels", "kinds", "languages", "attachments"}),
        warns="subtitle stream 2 (srt), subtitle stream 3 (pgssub, deu), attachment stream 4",
    ),
    "data of a broadcast": Case(
        source="a.ts", clip=Clip(frames=10, time_base=TS, others=("klv",)), target="b.ts"
    ),
    "data that matroska cannot hold": Case(
        source="a.ts",
        clip=Clip(frames=10, time_base=TS, others=("klv",)),
        target="b.mkv",
        differs=frozenset({"pixels", "kinds", "languages"}),
        warns="data stream 1 (klv)",
    ),
    # Pixels, bit for bit
    **{
        name: Case(
            source="a.mkv",
            clip=Clip(frames=3, codec="ffv1", pixel_format=name, time_base=MS, colour=colour),
            target="b.mkv",
            flags=FFV1,
            differs=LOSSLESS,
        )
        for name, colour in {
            "yuv420p": (6, 6, 6, 1),
            "yuv422p": (6, 6, 6, 2),
            "yuv444p": (1, 1, 1, 1),
            "yuv420p10le": (9, 9, 16, 1),
            "yuv422p10le": (1, 1, 1, 1),
            "yuv444p12le": (9, 9, 18, 2),
            "gray": (2, 2, 2, 2),
            "gray12le": (2, 2, 2, 2),
            "yuva420p": (6, 6, 6, 1),
            "bgr0": (0, 1, 13, 2),
            "gbrp12le": (0, 9, 14, 2),
        }.items()
    },
    "png with alpha in mov": Case(
        source="a.mov",
        clip=Clip(frames=3, codec="png", pixel_format="rgba"),
        target="b.mkv",
        flags=FFV1,
        differs=frozenset({"pixel_format"}),  # the same samples, in another order
    ),
    "png with alpha stays png": Case(
        source="a.mov",
        clip=Clip(frames=3, codec="png", pixel_format="rgba"),
        target="b.mov",
        flags=("--codec", "png"),
        differs=LOSSLESS,
    ),
    "full range by its name": Case(
        source="a.avi",
        clip=Clip(
            frames=3, codec="mjpeg", pixel_format="yuvj422p", time_base=Fraction(1, 25), colour=(5, 2, 2, 2)
        ),
        target="b.mp4",
        differs=frozenset({"pixels", "pixel_format"}),  # yuvj422p is yuv422p of full range
    ),
    # Tags
    "HDR10 in h265": Case(
        source="a.mkv",
        clip=Clip(
            frames=4, codec="libx265", pixel_format="yuv420p10le", time_base=MS, colour=(9, 9, 16, 1),
            options={"preset": "ultrafast", "x265-params": f"log-level=none:{MASTERED}"},
        ),
        target="b.mp4",
        flags=X265,
    ),
    "HDR10 in h264": Case(
        source="a.mkv",
        clip=Clip(
            frames=4, codec="libx265", pixel_format="yuv420p10le", time_base=MS, colour=(9, 9, 16, 1),
            options={"preset": "ultrafast", "x265-params": f"log-level=none:{MASTERED}"},
        ),
        target="b.mkv",
    ),
    "HDR10 in the container's header": Case(
        source="a.mkv",
        clip=Clip(
            frames=4, codec="libx265", pixel_format="yuv420p10le", time_base=MS, colour=(9, 9, 16, 1),
            options={"preset": "ultrafast", "x265-params": f"log-level=none:{MASTERED}"},
        ),
        target="b.mkv",
        flags=FFV1,
        differs=frozenset({"hdr"}),  # the same values over other denominators
    ),
    "HLG": Case(
        source="a.mp4",
        clip=Clip(frames=4, pixel_format="yuv420p10le", colour=(9, 9, 18, 1)),
        target="b.mov",
    ),
    "pixel aspect and a turned picture": Case(
        source="a.mp4", clip=Clip(frames=4, pixel_aspect=Fraction(16, 15), rotation=90), target="b.mp4"
    ),
    "a mirrored picture": Case(source="a.mov", clip=Clip(frames=4, mirrored=True), target="b.mkv"),
    "interlaced": Case(
        source="a.mp4",
        clip=Clip(frames=5, options={"x264-params": "tff=1"}, field_order=2),
        target="b.mp4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_the_output_differs_from_the_input_only_where_the_case_says_so(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = make_clip(tmp_path / case.source, case.clip), tmp_path / case.target
    code = main(["restore", str(source), str(target), "--device", "cpu", "--quiet", *case.flags])
    message = capsys.readouterr().err.strip().splitlines()
    assert code == 0, message
    assert differences(contents_of(source), contents_of(target), besides=case.differs) == []
    assert len(message) == bool(case.warns), message
    assert case.warns in "".join(message)
