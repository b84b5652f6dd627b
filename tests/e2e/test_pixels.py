"""Real faces in every kind of picture: the face changes as it should, and nothing outside its mask does.

Through `vidrestore.restore` with the embedded model; the encoder is lossless.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import vidrestore
from tests.support.footage import FACE, Footage, face_pictures, interlaced, make_footage, panned
from vidrestore.faces import compositing
from vidrestore.faces.crop_place import CropPlace
from vidrestore.types import FloatArray, Frame, Report
from vidrestore.video import probe, read_frames

pytestmark = pytest.mark.slow

COUNT = 5
Pair = tuple[list[Frame], list[Frame]]
Masks = dict[int, NDArray[np.bool_]]
TURNED = {
    "a quarter turn": Footage(rotation=90),
    "upside down": Footage(rotation=180),
    "three quarters, 10 bit 4:2:2": Footage(rotation=270, pixel_format="yuv422p10le"),
    "mirrored": Footage(mirrored=True),
    "turned and mirrored": Footage(rotation=90, mirrored=True),
}
_BT709_TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""ITU-R BT.2087, linear light."""
WHITE = 203.0
"""cd/m2 of diffuse white."""


def read(path: Path) -> list[Frame]:
    return list(read_frames(path, probe(path)))


def restored(folder: Path, pictures: Sequence[NDArray[Any]], footage: Footage, **how: Any) -> Report:
    source = make_footage(folder / "source.mkv", pictures, footage)
    return vidrestore.restore(source, folder / "restored.mkv", codec="ffv1", device="cpu", **how)


@pytest.fixture(scope="module")
def upright(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pair]:
    """The plain upright SDR video in a pixel format, before and after, restored once."""

    @cache
    def make(pixel_format: str) -> Pair:
        folder = tmp_path_factory.mktemp("upright")
        report = restored(folder, face_pictures(COUNT), Footage(pixel_format=pixel_format))
        assert (report.faces, report.tracks) == (COUNT, 1)
        return read(folder / "source.mkv"), read(folder / "restored.mkv")

    return make


@pytest.fixture
def masks(monkeypatch: pytest.MonkeyPatch) -> Masks:
    """For each frame index, which pixels lie under the mask of a face, as compositing lays it."""
    found: Masks = defaultdict(lambda: np.zeros(0, bool))
    add = compositing._add_weighted_change

    def noting(
        frame: Frame,
        planes: Any,
        delta: FloatArray,
        weight: FloatArray,
        noise: Any,
        place: CropPlace,
    ) -> None:
        under = found.get(frame.index, np.zeros((frame.height, frame.width), bool))
        # A change that is masked already comes with the same weight everywhere.
        changes = (weight > 0) & (np.abs(delta).max(axis=2) > 0)
        under[place.rows, place.columns] |= changes
        found[frame.index] = under
        add(frame, planes, delta, weight, noise, place)

    monkeypatch.setattr(compositing, "_add_weighted_change", noting)
    return found


def outside(mask: NDArray[np.bool_], shift: tuple[int, int]) -> NDArray[np.bool_]:
    """Where no luma sample of a chroma cell lies under the mask."""
    across, down = 1 << shift[0], 1 << shift[1]
    height, width = mask.shape
    return ~mask.reshape(height // down, down, width // across, across).any((1, 3))


@pytest.mark.parametrize(
    ("pixel_format", "colour"),
    [("yuv420p", (6, 6, 6, 1)), ("yuv422p10le", (1, 1, 1, 1)), ("bgr0", (0, 1, 13, 2))],
)
@pytest.mark.parametrize("scan_type", ["progressive", "interlaced"])
def test_outside_the_masks_every_sample_is_the_decoded_one(
    tmp_path: Path, masks: Masks, pixel_format: str, colour: tuple[int, int, int, int], scan_type: str
) -> None:
    pictures = face_pictures(COUNT) if scan_type == "progressive" else interlaced(panned(8))
    report = restored(tmp_path, pictures, Footage(pixel_format=pixel_format, colour=colour))
    before, after = read(tmp_path / "source.mkv"), read(tmp_path / "restored.mkv")
    assert report.faces == report.frames == len(before) == len(after) == len(masks)
    for a, b in zip(before, after, strict=True):
        assert a.format == b.format
        assert 0.1 < masks[a.index].mean() < 0.9
        for number, (original, result) in enumerate(zip(a.planes, b.planes, strict=True)):
            away = outside(masks[a.index], a.format.chroma_shift if number in (1, 2) else (0, 0))
            if a.format.family == "rgb":
                away = ~masks[a.index]
            np.testing.assert_array_equal(result[away], original[away])
        assert (a.planes[0] != b.planes[0])[masks[a.index]].mean() > 0.5


@pytest.mark.parametrize("footage", TURNED.values(), ids=list(TURNED))
def test_a_turned_or_mirrored_video_is_restored_as_the_upright_one_is(
    tmp_path: Path, footage: Footage, upright: Callable[[str], Pair]
) -> None:
    turned = restored(tmp_path, face_pictures(COUNT), footage)
    assert (turned.faces, turned.tracks) == (COUNT, 1)
    original, wanted = upright(footage.pixel_format)
    result = read(tmp_path / "restored.mkv")
    unit = 1 << (wanted[0].format.bit_depth - 8)
    for a, b, c in zip(wanted, result, original, strict=True):
        back = np.rot90(b.planes[0], footage.rotation // 90)
        shown = (back[:, ::-1] if footage.mirrored else back).astype(float)
        changed = np.abs(a.planes[0].astype(float) - c.planes[0]) > 4 * unit
        off = np.abs(shown - a.planes[0])
        moved = np.abs(a.planes[0].astype(float) - c.planes[0])
        assert changed.sum() > 300
        assert off[changed].mean() < 0.25 * moved[changed].mean()


@pytest.mark.parametrize(("transfer", "encode"), [(16, "pq"), (18, "hlg")], ids=["pq", "hlg"])
def test_hdr_is_restored_as_its_sdr_rendering_and_stays_hdr(
    tmp_path: Path, masks: Masks, transfer: int, encode: str, upright: Callable[[str], Pair]
) -> None:
    as_sdr = upright("yuv444p12le")
    light = [_light(picture) for picture in face_pictures(COUNT)]
    masks.clear()
    codes = [np.rint(_CODES[encode](_to_bt2020(x)) * 65535).astype(np.uint16) for x in light]
    footage = Footage(pixel_format="yuv444p12le", colour=(9, 9, transfer, 1))
    as_hdr = restored(tmp_path, codes, footage)
    assert (as_hdr.faces, as_hdr.tracks) == (COUNT, 1)
    assert probe(tmp_path / "restored.mkv").colour.transfer == transfer
    before, after = read(tmp_path / "source.mkv"), read(tmp_path / "restored.mkv")
    x0, y0, x1, y1 = FACE
    for a, b, c, d in zip(before, after, *as_sdr, strict=True):
        away = ~masks[a.index]
        for original, result in zip(a.planes, b.planes, strict=True):
            np.testing.assert_array_equal(result[away], original[away])
        # As light on a screen the face is the one that the SDR video's became.
        shown, wanted, original = (
            picture[y0:y1, x0:x1]
            for picture in (
                _as_sdr(_rgb(b, 0.2627, 0.0593), encode),
                _rgb(d, 0.299, 0.114),
                _rgb(c, 0.299, 0.114),
            )
        )
        moved = np.abs(wanted - original)
        changed = moved.max(axis=2) > 0.02
        assert changed.sum() > 300
        assert np.abs(shown - wanted)[changed].mean() < 0.35 * moved[changed].mean()


@pytest.mark.parametrize("top_first", [True, False])
def test_each_field_of_an_interlaced_video_is_restored_as_its_own_moment(
    tmp_path: Path, top_first: bool
) -> None:
    (tmp_path / "moments").mkdir()
    moments = panned(16, 2)
    restored(tmp_path / "moments", moments, Footage())
    report = restored(tmp_path, interlaced(moments, top_first=top_first), Footage())
    assert (report.frames, report.faces, report.tracks) == (8, 8, 1)
    assert "is interlaced, although" in report.warnings[0]
    info = probe(tmp_path / "restored.mkv")
    assert info.field_order == ("top" if top_first else "bottom")
    result, wanted = read(tmp_path / "restored.mkv"), read(tmp_path / "moments" / "restored.mkv")
    for frame in result:
        first = 0 if top_first else 1
        for moment, line in ((0, first), (1, 1 - first)):
            field = frame.planes[0][line::2].astype(float)
            own, other = (
                wanted[2 * frame.index + n].planes[0][line::2].astype(float) for n in (moment, 1 - moment)
            )
            # Of its own moment, not of the other one: fields mixed up are what combs are.
            assert np.abs(field - own).mean() < 0.4 * np.abs(field - other).mean()


def test_an_interlaced_video_becomes_progressive_on_request(tmp_path: Path) -> None:
    moments = panned(8)
    report = restored(tmp_path, interlaced(moments), Footage(field_order=2), deinterlace="bwdif")
    assert (report.frames, report.faces, report.warnings) == (4, 4, ())
    assert not probe(tmp_path / "restored.mkv").interlaced
    before, after = read(tmp_path / "source.mkv"), read(tmp_path / "restored.mkv")
    assert [frame.pts for frame in after] == [frame.pts for frame in before]
    assert _combing(after) < 0.5 * _combing(before)


def test_inspect_names_interlacing_and_telecine(tmp_path: Path) -> None:
    film = panned(8)
    pulled = []
    for number in (0, 4):
        a, b, c, d = film[number : number + 4]
        pulled += [a, b, interlaced([b, c])[0], interlaced([c, d])[0], d]
    assert vidrestore.inspect(make_footage(tmp_path / "telecined.mkv", pulled)).telecined
    video = vidrestore.inspect(make_footage(tmp_path / "interlaced.mkv", interlaced(panned(20))))
    assert (video.field_order, video.telecined) == ("top", False)
    progressive = vidrestore.inspect(make_footage(tmp_path / "progressive.mkv", film))
    assert (progressive.interlaced, progressive.telecined) == (False, False)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1", "ffv1"])
@pytest.mark.parametrize("siting", ["left", "center", "topleft"])
def test_the_chroma_siting_of_the_input_is_read_used_and_written(
    tmp_path: Path, codec: str, siting: str
) -> None:
    footage = Footage(options={"chroma_sample_location": siting})
    source, target = make_footage(tmp_path / "source.mkv", face_pictures(1), footage), tmp_path / "out.mkv"
    vidrestore.restore(source, target, codec=codec, device="cpu")
    code = {"left": 1, "center": 2, "topleft": 3}[siting]
    assert probe(source).colour.siting == code
    assert read(source)[0].colour.siting == code
    assert probe(target).colour.siting == code


def _light(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Linear light of BT.709 primaries [cd/m2], as a screen with a gamma of 2.4 shows the picture."""
    return (picture / 255.0) ** 2.4 * WHITE


def _to_bt2020(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return light @ _BT709_TO_BT2020.T


def _pq(light: NDArray[np.float64]) -> NDArray[np.float64]:
    y = (light / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375


def _hlg(light: NDArray[np.float64]) -> NDArray[np.float64]:
    scene = (light / 1000) ** (1 / 1.2)
    upper = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-6)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper)


def _as_sdr(rgb: NDArray[np.float64], decode: str) -> NDArray[np.float64]:
    """The other way: codes of BT.2020 in PQ or HLG -> codes of BT.709 with a gamma of 2.4."""
    if decode == "pq":
        root = np.clip(rgb, 0, 1) ** (1 / 78.84375)
        light = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (
            1 / 0.1593017578125
        ) * 10000
    else:
        upper = (np.exp((rgb - 0.55991073) / 0.17883277) + 0.28466892) / 12
        light = np.where(rgb <= 0.5, np.clip(rgb, 0, None) ** 2 / 3, upper) ** 1.2 * 1000
    back = light @ np.linalg.inv(_BT709_TO_BT2020).T
    return np.clip(back / WHITE, 0, None) ** (1 / 2.4)


def _rgb(frame: Frame, red: float, blue: float) -> NDArray[np.float64]:
    """(h, w, 3) of a 12-bit 4:4:4 frame of limited range whose luma weighs red and blue so."""
    y, cb, cr = (plane.astype(float) / 16 for plane in frame.planes)
    y, cb, cr = (y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224
    r, b = y + 2 * (1 - red) * cr, y + 2 * (1 - blue) * cb
    return np.stack([r, (y - red * r - blue * b) / (1 - red - blue), b], axis=2)


_CODES = {"pq": _pq, "hlg": _hlg}


def _combing(frames: Sequence[Frame]) -> float:
    """How much more lines differ from their neighbours than from the lines after next."""
    luma = [frame.planes[0].astype(float) for frame in frames]
    near = np.mean([np.abs(x[1:-1] - (x[:-2] + x[2:]) / 2).mean() for x in luma])
    far = np.mean([np.abs(x[2:-2] - (x[:-4] + x[4:]) / 2).mean() for x in luma])
    return float(near / far)


def test_the_test_footage_has_the_stated_rotation_and_mirroring(tmp_path: Path) -> None:
    """These tests could pass on clips without combs or rotation; then they would show nothing."""
    path = make_footage(tmp_path / "clip.mkv", face_pictures(1), Footage(rotation=90, mirrored=True))
    assert (probe(path).rotation, probe(path).orientation.mirrored) == (90, True)
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0))
    assert (picture.width, picture.height) == (128, 144)
