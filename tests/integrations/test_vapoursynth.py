"""The filter in VapourSynth itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

vs = pytest.importorskip("vapoursynth", reason="VapourSynth is an extra: pip install vidrestore[vapoursynth]")

from tests.support.footage import Footage, face_pictures, make_footage  # noqa: E402
from tests.support.shared import ROOT  # noqa: E402
from vidrestore.cli import main  # noqa: E402
from vidrestore.errors import UsageError  # noqa: E402
from vidrestore.integrations.vapoursynth.clip_info import colour_tags, pixel_format  # noqa: E402
from vidrestore.integrations.vapoursynth.conversion import frame_from_planes, write_planes  # noqa: E402
from vidrestore.vapoursynth import restore  # noqa: E402

core = vs.core
LIMIT_SECONDS = 600
FORMATS = (
    *("GRAY8", "GRAY10", "GRAY16", "GRAYS", "RGB24", "RGB30", "RGB48", "RGBH", "RGBS"),
    *("YUV410P8", "YUV411P8", "YUV440P8", "YUV420P8", "YUV422P8", "YUV444P8"),
    *("YUV420P10", "YUV422P12", "YUV444P16", "YUV444PH", "YUV420PS", "YUV444PS"),
)
needs_source = pytest.mark.skipif(
    not hasattr(core, "bs"), reason="needs BestSource: pip install vapoursynth-bestsource"
)


def planes_of(clip: Any, number: int) -> list[NDArray[Any]]:
    """The samples of a frame, as bytes are compared; with a limit, so that a deadlock fails."""
    with clip.get_frame_async(number).result(LIMIT_SECONDS) as frame:
        return [np.array(frame[plane]) for plane in range(frame.format.num_planes)]


def same(one: list[NDArray[Any]], other: list[NDArray[Any]]) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


def clip_of(pictures: tuple[NDArray[np.uint8], ...]) -> Any:
    """A clip of RGB pictures."""
    height, width = pictures[0].shape[:2]
    blank = core.std.BlankClip(width=width, height=height, format=vs.RGB24, length=len(pictures))

    def fill(n: int, f: Any) -> Any:
        filled = f.copy()
        for plane in range(3):
            np.copyto(np.asarray(filled[plane]), pictures[n][..., plane])
        return filled

    return blank.std.ModifyFrame(clips=[blank], selector=fill)


def faces_as(name: str, count: int = 2) -> Any:
    """The sample's face in a format."""
    clip, form = clip_of(face_pictures(count)), getattr(vs, name)
    is_rgb = core.get_video_format(form).color_family == vs.RGB
    return clip.resize.Bicubic(format=form) if is_rgb else clip.resize.Bicubic(format=form, matrix_s="170m")


@pytest.mark.parametrize("name", FORMATS)
def test_a_face_is_restored_in_every_format_and_nothing_else_changes(name: str) -> None:
    clip = faces_as(name)
    restored = restore(clip, device="cpu")
    assert restored.format.id == clip.format.id
    for before, after in zip(planes_of(clip, 0), planes_of(restored, 0), strict=True):
        changed = before.view(f"u{before.itemsize}") != after.view(f"u{after.itemsize}")
        height, width = changed.shape
        assert changed.any()
        # The face is in the middle; of its change there is nothing at the borders.
        assert not changed[:, -width // 10 :].any()
        assert not changed[-height // 20 :].any()


@pytest.mark.parametrize("name", FORMATS)
def test_samples_of_every_format_survive_conversion_into_a_frame_and_back(name: str) -> None:
    clip = faces_as(name, 1)
    with clip.get_frame(0) as frame:
        before = frame_from_planes(frame, 0, clip.fps)
        copied = frame.copy()
        write_planes(before, before, copied)
        assert same([np.array(p) for p in copied], [np.array(p) for p in frame])


def test_floats_outside_of_zero_to_one_and_no_numbers_stay_as_they_are() -> None:
    clip = core.std.BlankClip(format=vs.RGBS, width=16, height=16, length=1)
    with clip.get_frame(0) as blank:
        frame = blank.copy()
    values = np.resize(np.array([-0.0, 5.5, -3, np.inf, -np.inf, np.nan], np.float32), (16, 16))
    for plane in range(3):
        np.copyto(np.asarray(frame[plane]), values)
    before = frame_from_planes(frame, 0, clip.fps)
    write_planes(before, before, frame)
    assert all(np.array(plane).tobytes() == values.tobytes() for plane in frame)


@needs_source
def test_frames_are_those_of_the_command(tmp_path: Path) -> None:
    source = make_footage(tmp_path / "in.mkv", face_pictures(24), Footage())
    result = tmp_path / "out.mkv"
    assert main(["restore", str(source), str(result), "--codec", "ffv1", "--device", "cpu"]) == 0
    clip = core.bs.VideoSource(str(source), cachemode=0)
    restored = restore(clip, device="cpu")
    with av.open(str(result)) as container:
        expected = [
            [np.ascontiguousarray(_plane(plane)) for plane in picture.planes]
            for picture in container.decode(video=0)
        ]
    results = [planes_of(restored, number) for number in range(24)]
    assert [same(*pair) for pair in zip(results, expected, strict=True)] == [True] * 24
    assert not same(results[0], planes_of(clip, 0))
    core.clear_cache()
    assert [same(planes_of(restored, number), expected[number]) for number in (20, 3, 2, 15)] == [True] * 4


def test_properties_stay() -> None:
    clip = faces_as("YUV420P8", 1).std.SetFrameProps(_SARNum=12, _SARDen=11, scene="one")
    with restore(clip, device="cpu").get_frame(0) as frame:
        assert dict(frame.props) == dict(clip.get_frame(0).props)
        assert frame.props["_SARNum"] == 12


@pytest.mark.parametrize("threads", [1, 4])
def test_the_filter_works_with_one_thread_and_with_four(threads: int) -> None:
    usual = core.num_threads
    core.num_threads = threads
    try:
        clip = faces_as("YUV420P8", 6)
        restored = restore(clip, device="cpu", temporal=0)
        requests = [restored.get_frame_async(number) for number in range(6)]
        for request in requests:
            request.result(LIMIT_SECONDS).close()
    finally:
        core.num_threads = usual


@pytest.mark.parametrize(
    ("props", "name", "is_full", "matrix"),
    [
        ({"_Range": 1, "_Matrix": 1}, "YUV420P8", True, 1),
        ({"_Range": 0, "_Matrix": 9}, "YUV420P10", False, 9),
        ({"_ColorRange": 0}, "YUV420P8", True, 2),
        ({"_ColorRange": 1}, "RGB24", False, 0),
        ({}, "YUV444P8", False, 2),
        ({}, "RGB24", True, 0),
        ({}, "YUV444PS", True, 2),
    ],
)
def test_colour_is_read_from_the_properties(
    props: dict[str, int], name: str, *, is_full: bool, matrix: int
) -> None:
    tags = colour_tags(props, core.get_video_format(getattr(vs, name)))
    assert (tags.full_range, tags.matrix) == (is_full, matrix)


@pytest.mark.parametrize(("location", "siting"), [(None, 0), (0, 1), (1, 2), (2, 3), (5, 6)])
def test_the_place_of_chroma_is_read(location: int | None, siting: int) -> None:
    props = {} if location is None else {"_ChromaLocation": location}
    assert colour_tags(props, core.get_video_format(vs.YUV420P8)).siting == siting


def test_a_format_of_more_than_16_bits_is_refused() -> None:
    with pytest.raises(UsageError, match="Gray32 is not supported"):
        pixel_format(core.get_video_format(vs.GRAY32))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"codec": "ffv1"}, "codec: the script decides this"),
        ({"strength": 3}, "strength"),
        ({"faces": "p0"}, "can be chosen only by the command"),
        ({"model": "missing.safetensors"}, "missing.safetensors"),
    ],
)
def test_an_invalid_setting_raises_an_error_of_vapoursynth(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(vs.Error, match=sentence):
        restore(core.std.BlankClip(format=vs.YUV420P8), **settings)


def test_a_clip_whose_format_changes_is_refused() -> None:
    clips = [core.std.BlankClip(format=vs.YUV420P8, width=width, length=1) for width in (64, 128)]
    with pytest.raises(vs.Error, match="changes its format or size"):
        restore(core.std.Splice(clips, mismatch=True))


def test_an_interlaced_frame_is_refused_and_says_what_to_do() -> None:
    clip = core.std.BlankClip(format=vs.YUV420P8, width=64, height=64, length=2).std.SetFieldBased(2)
    with pytest.raises(vs.Error, match=r"frame 0 is marked as interlaced: deinterlace .*SetFieldBased"):
        restore(clip, device="cpu").get_frame_async(0).result(LIMIT_SECONDS)


@needs_source
def test_beyond_the_limit_of_memory_it_neither_hangs_nor_changes_the_limit() -> None:
    clip = clip_of(face_pictures(16))
    expected = [planes_of(restore(clip, device="cpu"), number) for number in range(6)]
    limit = core.max_cache_size
    core.max_cache_size = 1
    try:
        blank = core.std.BlankClip(width=640, height=480, format=vs.RGB24, length=8, keep=False)
        held = [blank.get_frame(number) for number in range(8)]
        assert core.used_cache_size > 2**20
        restored = restore(clip, device="cpu")
        found = [planes_of(restored, number) for number in range(6)]
        assert core.max_cache_size == 1
    finally:
        core.max_cache_size = limit
    for frame in held:
        frame.close()
    assert all(same(one, other) for one, other in zip(expected, found, strict=True))


def test_vspipe_writes_the_same_frames(tmp_path: Path) -> None:
    vspipe = Path(sys.executable).with_name("vspipe.exe" if os.name == "nt" else "vspipe")
    if not vspipe.exists():
        pytest.skip("this VapourSynth comes without vspipe")
    source = make_footage(tmp_path / "in.mkv", face_pictures(6), Footage())
    script = tmp_path / "script.vpy"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import vapoursynth as vs\nfrom vidrestore.vapoursynth import restore\n"
        f"restore(vs.core.bs.VideoSource({str(source)!r}, cachemode=0), device='cpu').set_output()\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "APPDATA": str(tmp_path)}
    for command in (
        [sys.executable, "-m", "vapoursynth", "config"],
        [str(vspipe), str(script), str(tmp_path / "out.yuv")],
    ):
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
    restored = restore(core.bs.VideoSource(str(source), cachemode=0), device="cpu")
    expected = b"".join(plane.tobytes() for number in range(6) for plane in planes_of(restored, number))
    assert (tmp_path / "out.yuv").read_bytes() == expected


def _plane(plane: Any) -> NDArray[np.uint8]:
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
