"""Faces are tracked without jitter and lag, from their first frame, and not after they have left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.motion import clip, face, picture, rolled, truth
from vidrestore.tracking import track
from vidrestore.tracking.opacity import PROFILE_OPACITY
from vidrestore.types import Detection, FrameFaces, TrackedFace

NOISE = 2.0


def noise(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, NOISE, (count, 5, 2))


def points(items: list[FrameFaces[TrackedFace]]) -> np.ndarray:
    return np.array([item.faces[0].landmarks for item in items])


def jitter(landmarks: np.ndarray) -> float:
    return float(np.diff(landmarks, 2, axis=0).std())


def test_jitter_of_a_still_face_falls_to_a_third() -> None:
    shake = noise(0, 100)
    out = list(track(clip(100, lambda i: [face((160, 120), noise=shake[i])])))
    raw = truth((160, 120)) + shake
    assert jitter(points(out)[10:-10]) < jitter(raw[10:-10]) / 3


def test_a_face_in_constant_motion_is_not_trailed() -> None:
    shake, speed = noise(1, 60) * 0.5, 8.0
    out = list(track(clip(60, lambda i: [face((40 + speed * i, 120), noise=shake[i])])))
    expected = np.array([truth((40 + speed * i, 120)) for i in range(60)])
    error = (points(out) - expected)[10:-8, :, 0]
    assert abs(error.mean()) < 0.3


def test_a_swaying_face_is_nearer_to_the_truth_than_what_was_measured() -> None:
    shake = noise(2, 150)
    place = [(160 + 30 * np.sin(2 * np.pi * 0.5 * i / 25), 120.0) for i in range(150)]
    out = list(track(clip(150, lambda i: [face(place[i], noise=shake[i])])))
    expected = np.array([truth(p) for p in place])
    smoothed = np.sqrt(((points(out) - expected) ** 2).mean())
    assert smoothed < 0.75 * np.sqrt((shake**2).mean())


def test_a_sudden_start_is_followed_within_a_few_frames() -> None:
    shake = noise(3, 80) * 0.5
    x = np.concatenate([np.full(40, 100.0), 100 + 10.0 * np.arange(1, 41)])
    out = list(track(clip(80, lambda i: [face((x[i], 120), noise=shake[i])])))
    error = points(out)[:, :, 0] - np.array([truth((v, 120))[:, 0] for v in x])
    assert np.abs(error[36:48].mean(1)).max() < 6.0  # less than one frame of the jump
    assert np.abs(error[50:72].mean(1)).max() < 1.5


def test_people_who_cross_keep_their_ids() -> None:
    def look(i: int) -> np.ndarray:
        canvas = np.full((240, 640), 90, np.uint8)
        for seed, x in ((7, 100 + 8 * i), (8, 500 - 8 * i)):
            patch = picture(seed, (72, 72))
            canvas[84:156, max(x - 36, 0) : x + 36] = patch[:, max(36 - x, 0) :]
        return canvas

    def places(i: int) -> list[Detection]:
        left, right = face((100 + 8 * i, 120)), face((500 - 8 * i, 124))
        occluded = abs((100 + 8 * i) - (500 - 8 * i)) < 40
        return [right] if occluded else [left, right]  # one covers the other for a moment

    out = list(track(clip(50, places, look)))
    first = {f.track_id: f.landmarks[:, 0].mean() for f in out[2].faces}
    last = {f.track_id: f.landmarks[:, 0].mean() for f in out[-1].faces}
    assert set(first) == set(last)
    ids = sorted(first, key=lambda t: first[t])
    assert sorted(last, key=lambda t: last[t]) == ids[::-1]


def test_a_face_comes_out_from_its_very_first_detection() -> None:
    out = list(track(clip(20, lambda i: [face((160, 120))] if i >= 5 else [])))
    assert [len(item.faces) for item in out] == [0] * 5 + [1] * 15


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_brief_false_alarm_never_comes_out(length: int) -> None:
    out = list(track(clip(20, lambda i: [face((160, 120))] if 7 <= i < 7 + length else [])))
    assert not any(item.faces for item in out)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_face_throughout_a_scene_comes_out_however_short_the_scene(length: int) -> None:
    out = list(track(clip(length, lambda i: [face((160, 120))])))
    assert [len(item.faces) for item in out] == [1] * length
    assert all(item.faces[0].opacity == 1.0 for item in out)


def test_a_short_gap_is_bridged_and_marked_as_such() -> None:
    out = list(track(clip(30, lambda i: [] if 12 <= i < 16 else [face((100 + 2 * i, 120))])))
    assert [len(item.faces) for item in out] == [1] * 30
    assert [item.faces[0].observed for item in out] == [not 12 <= i < 16 for i in range(30)]
    assert len({item.faces[0].track_id for item in out}) == 1
    bridged = np.array([out[i].faces[0].landmarks[:, 0].mean() for i in range(12, 16)])
    expected = np.array([truth((100 + 2 * i, 120))[:, 0].mean() for i in range(12, 16)])
    assert np.abs(bridged - expected).max() < 1.0


def test_an_object_in_front_of_a_face_is_not_painted_over() -> None:
    def look(i: int) -> np.ndarray:
        shown = picture(0).copy()
        if 13 <= i < 16:
            shown[70:170, 110:210] = picture(7)[70:170, 110:210]  # a hand before the face
        return shown

    out = list(track(clip(30, lambda i: [] if 12 <= i < 16 else [face((160, 120))], look)))
    strength = [item.faces[0].opacity if item.faces else 0.0 for item in out]
    assert strength[12] > 0  # not seen, but there
    assert strength[13:16] == [0.0, 0.0, 0.0]
    assert strength[11] < 1.0  # it did not jump there
    assert strength[25] == 1.0
    assert {item.scene for item in out} == {0}


def test_a_face_that_is_gone_is_not_painted() -> None:
    out = list(track(clip(30, lambda i: [face((160, 120))] if i < 12 else [])))
    assert [len(item.faces) for item in out] == [1] * 12 + [0] * 18


def test_a_face_that_leaves_and_returns_gets_its_id_back() -> None:
    def places(i: int) -> list[Detection]:
        return [] if 20 <= i < 50 else [face((160, 120))]

    out = list(track(clip(80, places)))
    assert out[10].faces[0].track_id == out[70].faces[0].track_id


def test_nothing_crosses_a_cut() -> None:
    out = list(track(clip(40, lambda i: [face((160, 120))], lambda i: picture(0 if i < 20 else 1))))
    assert [item.scene for item in out] == [0] * 20 + [1] * 20
    assert out[19].faces[0].track_id != out[20].faces[0].track_id
    assert [item.faces[0].opacity for item in out] == [1.0] * 40


@pytest.mark.parametrize("bars", ["letterbox", "pillarbox"])
def test_a_cut_between_black_bars_is_found(bars: str) -> None:
    def look(seed: int) -> np.ndarray:
        shown = picture(seed)
        height, width = shown.shape
        if bars == "letterbox":
            shown[: height // 7] = shown[-height // 7 :] = 16
        else:
            shown[:, : width // 6] = shown[:, -width // 6 :] = 16
        return shown

    found = 0
    for seed in range(20):
        items = track(clip(12, lambda i, s=seed: [], lambda i, s=seed: look(2 * s + (i >= 6))))  # type: ignore[misc]
        found += [item.scene for item in items] == [0] * 6 + [1] * 6
    assert found >= 19


def test_a_flash_is_no_cut() -> None:
    def look(i: int) -> np.ndarray:
        return picture(5) if i == 15 else picture(0)

    out = list(track(clip(40, lambda i: [face((160, 120))], look)))
    assert {item.scene for item in out} == {0}


def test_a_fade_to_black_and_back_is_no_cut() -> None:
    def look(i: int) -> np.ndarray:
        return (picture(0) * abs(1 - min(i, 40) / 20)).astype(np.uint8)

    assert {item.scene for item in track(clip(45, lambda i: [], look))} == {0}


def test_flicker_of_exposure_is_no_cut() -> None:
    def look(i: int) -> np.ndarray:
        return np.clip(picture(0) * (0.7 + 0.6 * (i % 2)), 0, 255).astype(np.uint8)

    assert {item.scene for item in track(clip(40, lambda i: [], look))} == {0}


def test_strength_fades_in_and_out_while_the_scene_continues() -> None:
    out = list(track(clip(40, lambda i: [face((160, 120))] if 10 <= i < 25 else [])))
    strength = [item.faces[0].opacity for item in out if item.faces]
    assert strength[0] < strength[1] < strength[2] < strength[4] == 1.0
    assert strength[-1] < strength[-2] < strength[-3] < strength[-6] == 1.0


def test_strength_never_jumps_around_a_loss() -> None:
    gone = {*range(20, 35), 50, 51}
    out = list(track(clip(70, lambda i: [] if i in gone else [face((160, 120))])))
    strength = np.array([item.faces[0].opacity if item.faces else 0.0 for item in out])
    assert strength[21] == 0
    assert strength[69] == 1
    assert np.abs(np.diff(strength)).max() <= 0.26


def test_strength_does_not_follow_one_bad_score() -> None:
    scores = [0.3 if i % 5 == 0 else 0.95 for i in range(40)]
    out = list(track(clip(40, lambda i: [face((160, 120), score=scores[i])])))
    strength = np.array([item.faces[0].opacity for item in out])
    assert np.ptp(strength[5:-8]) < 0.05


def test_a_profile_is_restored_less_than_a_frontal_face() -> None:
    def turned(i: int) -> list[Detection]:
        detection = face((160, 120))
        points = detection.landmarks.copy()
        points[2, 0] += 16 if i >= 20 else 0
        return [Detection(box=detection.box, landmarks=points, score=0.95)]

    out = list(track(clip(40, turned)))
    assert out[5].faces[0].opacity == pytest.approx(1.0)
    assert out[-5].faces[0].opacity < 0.5


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sets(st.integers(0, 3)), max_size=15), st.integers(1, 6))
def test_frames_come_out_in_order_one_for_one(present: list[set[int]], lag: int) -> None:
    items = clip(len(present), lambda i: [face((50 + 75 * k, 120)) for k in sorted(present[i])])
    out = list(track(items, lag=lag))
    assert [item.frame.index for item in out] == list(range(len(present)))
    for item, known in zip(out, present, strict=True):
        observed = [f for f in item.faces if f.observed]
        assert len(observed) <= len(known)
        assert len({f.track_id for f in item.faces}) == len(item.faces)


def test_an_endless_video_is_read_lazily() -> None:
    taken = 0

    def endless() -> Iterator[FrameFaces[Detection]]:
        nonlocal taken
        for item in clip(10**9, lambda i: [face((160, 120))]):
            taken += 1
            yield item

    stream = track(endless(), lag=6)
    for _ in range(50):
        next(stream)
    assert taken <= 50 + 6 + 4


@pytest.mark.parametrize("angle", [90, 180, 250])
def test_a_face_is_followed_as_well_at_any_roll_angle(angle: float) -> None:
    shake = noise(4, 60)
    upright = list(track(clip(60, lambda i: [face((160, 120), noise=shake[i])])))
    turned = list(track(clip(60, lambda i: [rolled(face((160, 120), noise=shake[i]), angle)])))
    assert len({item.faces[0].track_id for item in turned}) == 1
    opacities = np.array(
        [[a.faces[0].opacity, b.faces[0].opacity] for a, b in zip(upright, turned, strict=True)]
    )
    assert np.allclose(opacities[:, 0], opacities[:, 1], atol=1e-4)
    assert jitter(points(turned)[10:-10]) < 1.1 * jitter(points(upright)[10:-10])


def test_a_face_that_turns_over_in_the_picture_stays_one_track_and_is_not_trailed() -> None:
    shake = noise(5, 100) * 0.5
    out = list(track(clip(100, lambda i: [rolled(face((160, 120), noise=shake[i]), 3.6 * i)])))
    assert {face.track_id for item in out for face in item.faces} == {0}
    expected = np.array([rolled(face((160, 120)), 3.6 * i).landmarks for i in range(100)])
    assert np.abs(points(out) - expected)[10:-8].mean() < 1.0


@pytest.mark.parametrize("angle", [0, 90, 200])
def test_a_profile_whose_eyes_coincide_gets_the_least_and_stays_one_track(angle: float) -> None:
    def profile(i: int) -> Detection:
        seen = face((160 + i, 120), noise=0.5 * shake[i])
        points = seen.landmarks.copy()
        points[[0, 1]] = points[:2].mean(0) + 0.5 * shake[i, :2]
        points[[3, 4]] = points[3:].mean(0)
        points[2] += [30, 0]
        return rolled(replace(seen, landmarks=points), angle)

    shake = noise(6, 40)
    out = list(track(clip(40, lambda i: [profile(i)])))
    assert {seen.track_id for item in out for seen in item.faces} == {0}
    assert [item.faces[0].opacity for item in out] == pytest.approx([PROFILE_OPACITY] * 40)
