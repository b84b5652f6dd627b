"""Lanes: which there are, and that a face becomes the same in each."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vidrestore.restoration import hands_for, lanes_for, make_restorer
from vidrestore.weights import embedded_path


@pytest.fixture
def two_threads() -> object:
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(usual)


@pytest.mark.usefixtures("two_threads")
def test_a_face_becomes_the_same_in_each_lane_and_the_threads_are_given_back() -> None:
    restorer = make_restorer(embedded_path("compact.safetensors"), device="cpu")
    faces = [np.full((256, 256, 3), 0.5, np.float32) * np.linspace(0.2, 1, 256, dtype=np.float32)[:, None]]

    def restored(faces: list[np.ndarray]) -> list[np.ndarray]:
        return [*restorer.decode(restorer.predict(restorer.encode(faces)))]

    with lanes_for(restorer) as lanes:
        assert lanes is not None
        assert lanes.count == 2
        assert torch.get_num_threads() == 1
        first, second = (lanes.submit(restored, faces) for _ in range(2))
        assert np.array_equal(first.result()[0], second.result()[0])
    assert torch.get_num_threads() == 2


def test_with_one_thread_there_are_no_lanes_and_a_processor_has_no_hands_free() -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with lanes_for(make_restorer(embedded_path("compact.safetensors"), device="cpu")) as lanes:
            assert lanes is None
        with hands_for(make_restorer(embedded_path("compact.safetensors"), device="cpu")) as hands:
            assert hands is None
    finally:
        torch.set_num_threads(usual)


@pytest.mark.usefixtures("two_threads")
def test_a_gpu_has_its_next_batch_ready_and_the_processor_lends_its_hands() -> None:
    on_gpu = SimpleNamespace(device=torch.device("cuda"), size=512)  # told apart by that alone
    with lanes_for(on_gpu) as lanes, hands_for(on_gpu) as hands:  # type: ignore[arg-type]
        assert lanes is not None
        assert lanes.count == 2
        assert hands is not None
        assert hands.count == 2
        for threads in (lanes, hands):
            # So many that share each small copy would be more threads than cores.
            assert threads.submit(lambda _: [torch.get_num_threads()], [None]).result() == [1]
    assert torch.get_num_threads() == 2


def test_apples_gpu_is_told_by_one_thread() -> None:
    with lanes_for(SimpleNamespace(device=torch.device("mps"), size=512)) as lanes:  # type: ignore[arg-type]
        assert lanes is None
