"""The parts of the benchmarks work; their measurements are not tested."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from benchmarks import upscaling
from benchmarks.charts import write_bars
from benchmarks.detection_scenes import KINDS, AlignedCrop, KnownFace, make_scenes, paste
from benchmarks.gpu import exact_float32, faces_a_second, matrix_speed
from benchmarks.known_clips import SIZES, make_clip
from benchmarks.network import restored
from benchmarks.restorer_calls import FACES_IN, measure_memory, picture_stream
from benchmarks.timing import interleaved
from vidrestore.colour.arrays import frame_from_array
from vidrestore.detection import detect, make_detector
from vidrestore.faces.alignment import template
from vidrestore.faces.boxes import overlap
from vidrestore.faces.face_square import face_box, square_around, tilt
from vidrestore.restoration import make_restorer
from vidrestore.types import Detection
from vidrestore.video import probe, read_frames
from vidrestore.weights import embedded_path


@pytest.mark.parametrize("faces", [0, 1, 4])
def test_a_known_clip_has_the_faces_it_is_known_to_have(tmp_path: Path, faces: int) -> None:
    clip = make_clip(tmp_path / "clip.mp4", lines=480, faces=faces, frames=3)
    info = probe(clip)
    assert (info.width, info.height) == SIZES[480]
    found = [len(item.faces) for item in detect(read_frames(clip, info), make_detector("embedded"))]
    assert found == [faces] * 3


def test_alternatives_take_turns() -> None:
    order: list[str] = []
    seconds = interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert order == ["a", "b"] * 3
    assert [len(values) for values in seconds.values()] == [2, 2]


def test_bars_are_as_long_as_what_they_show(tmp_path: Path) -> None:
    write_bars(tmp_path / "chart.svg", {"A & B": [("half", 1.0, 2.0), ("whole", 4.0, None)]})
    drawn = ElementTree.parse(tmp_path / "chart.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    half, whole = (float(r.attrib["width"]) for r in drawn.findall(f"{space}rect")[1:])
    assert half == pytest.approx(whole / 4, abs=0.1)
    assert "A & B" in {text.text for text in drawn.findall(f"{space}text")}
    (limit,) = drawn.findall(f"{space}line")
    first = drawn.findall(f"{space}rect")[1]
    assert float(limit.attrib["x1"]) == pytest.approx(float(first.attrib["x"]) + whole / 2, abs=0.1)


def test_a_device_is_measured_by_batch_and_against_its_matrix_products() -> None:
    restorer = make_restorer(embedded_path("compact.safetensors"), device="cpu")
    face = np.full((256, 256, 3), 0.5, np.float32)
    speeds = faces_a_second(partial(restored, restorer), face, (1, 2), 1)
    assert list(speeds) == ["1", "2"]
    assert min(speeds.values()) > 0
    assert matrix_speed(torch.device("cpu"), torch.float32, 64, 1) > 0


def test_the_float32_baseline_of_a_gpu_uses_no_tf32() -> None:
    def allowed() -> tuple[bool, bool]:
        return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32

    before = allowed()
    assert before[0], "PyTorch's default"
    with exact_float32():
        assert allowed() == (False, False)
    assert allowed() == before


@pytest.mark.parametrize("angle", [0.0, 50.0, 180.0])
def test_a_pasted_face_lies_where_its_scene_says(angle: float) -> None:
    points = (template(256) + 16).astype(np.float32)
    rgb = np.full((288, 288, 3), 120, np.uint8)
    x, y = points[0].round().astype(int)
    rgb[y - 5 : y + 6, x - 5 : x + 6] = (255, 0, 0)
    crop = AlignedCrop(rgb=rgb, yaw=0.0, points=points)
    place = np.array([300.0, 200.0, 80.0], np.float32)
    canvas, pasted = paste(np.zeros((480, 854, 3), np.uint8), crop, place, angle)
    red = canvas[..., 0].astype(int) - canvas[..., 1] > 100
    assert np.hypot(*(pasted[0] - [axis.mean() for axis in np.nonzero(red)][::-1])) < 1
    assert np.hypot(*(square_around(pasted)[:2] - place[:2])) < 1
    seen = Detection(box=face_box(pasted), landmarks=pasted, score=1.0)
    assert KnownFace(points=pasted).is_found_by(seen)
    assert abs((tilt(pasted) - angle + 180) % 360 - 180) < 1


def test_scenes_have_as_many_faces_as_they_say_none_hiding_another() -> None:
    crop = AlignedCrop(
        rgb=np.zeros((288, 288, 3), np.uint8), yaw=0.1, points=template(288).astype(np.float32)
    )
    (scene,) = make_scenes(
        KINDS["crowd of 40"], [crop], [np.zeros((90, 160, 3), np.uint8)], lines=720, faces=40
    )
    boxes = [face_box(face.points) for face in scene.faces]
    assert len(boxes) == 40
    assert max(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]) == 0


def test_a_stream_of_small_pictures_has_faces_only_in_its_first_part(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = list(picture_stream(FACES_IN + 2, with_faces=True))
    frames = [frame_from_array(pictures[number]) for number in (0, FACES_IN - 1, FACES_IN)]
    found = [len(item.faces) for item in detect(frames, make_detector("embedded"))]
    assert found == [1, 1, 0]
    assert len({id(picture) for picture in pictures}) == len(pictures)


def test_memory_is_read_after_each_thousand_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def __enter__(self) -> Fake:
            return self

        def __exit__(self, *_: object) -> None: ...

        def frames(self, pictures: object) -> object:
            return (SimpleNamespace(faces=(1,)) for _ in pictures)  # type: ignore[attr-defined]

    readings = iter([100.0, 110.0])
    monkeypatch.setattr("vidrestore.Restorer", Fake)
    monkeypatch.setattr("benchmarks.restorer_calls._resident_mib", lambda: next(readings))
    found = measure_memory(2000, with_faces=False)
    assert found["resident_mib"] == {1000: 100.0, 2000: 110.0}
    assert found["ratio_of_last_to_first_thousand"] == 1.1
    assert found["faces_restored"] == 2000


def test_a_row_of_upscaling_has_the_values_of_all_clips_and_a_clip_is_reduced_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [{"face_psnr": 31.5, "face_ssim": 0.9}, {"face_psnr": 40.0, "face_ssim": 0.95}]
    ways = [[value] * 3 for value in values]
    first, _, last = upscaling.rows(4, ways)
    assert first == "| reduced by 4, Lanczos alone | 31.50, 40.00 | 0.9000, 0.9500 | -, - | -, - |"
    assert last.startswith("| reduced by 4, `--upscale 4` |")

    sizes: list[tuple[int, int]] = []

    def measured(result: Path, truth: Path) -> dict[str, float]:
        sizes.extend((probe(path).width, probe(path).height) for path in (result, truth))
        return {}

    monkeypatch.setattr(upscaling, "means", measured)
    clip = make_clip(tmp_path / "clip.mp4", lines=480, faces=0, frames=2)
    assert upscaling.measure_clip(clip, 4, 2) == [{}, {}, {}]
    width, height = (side // 8 * 8 for side in SIZES[480])
    assert sizes == [(width, height)] * 6
