"""The worker pools of each device, and that the result is the same in each."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vidrestore.restoration import cpu_workers_for, make_restorer, network_workers_for
from vidrestore.weights import embedded_path


@pytest.fixture
def two_threads() -> object:
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(usual)


@pytest.mark.usefixtures("two_threads")
def test_a_face_becomes_the_same_in_each_worker_and_the_threads_are_restored() -> None:
    restorer = make_restorer(embedded_path("compact.safetensors"), device="cpu")
    faces = [np.full((256, 256, 3), 0.5, np.float32) * np.linspace(0.2, 1, 256, dtype=np.float32)[:, None]]

    def restored(faces: list[np.ndarray]) -> list[np.ndarray]:
        return [*restorer.decode(restorer.predict(restorer.encode(faces)))]

    with network_workers_for(restorer) as network_workers:
        assert network_workers is not None
        assert network_workers.count == 2
        assert torch.get_num_threads() == 1
        first, second = (network_workers.submit(restored, faces) for _ in range(2))
        assert np.array_equal(first.result()[0], second.result()[0])
    assert torch.get_num_threads() == 2


def test_with_one_thread_there_are_no_network_workers_and_a_cpu_has_no_cpu_workers() -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with network_workers_for(
            make_restorer(embedded_path("compact.safetensors"), device="cpu")
        ) as network_workers:
            assert network_workers is None
        with cpu_workers_for(
            make_restorer(embedded_path("compact.safetensors"), device="cpu")
        ) as cpu_workers:
            assert cpu_workers is None
    finally:
        torch.set_num_threads(usual)


@pytest.mark.parametrize(("gigabytes", "workers"), [(7.9, 2), (5.9, 1)])
@pytest.mark.usefixtures("two_threads")
def test_a_gpu_with_memory_has_its_next_batch_ready_and_a_pool_for_the_processor(
    gigabytes: float, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**30, int(gigabytes * 2**30)))
    on_gpu = SimpleNamespace(device=torch.device("cuda"), size=512)  # the only difference that counts
    with network_workers_for(on_gpu) as network_workers, cpu_workers_for(on_gpu) as cpu_workers:  # type: ignore[arg-type]
        assert network_workers is not None
        assert network_workers.count == workers
        assert cpu_workers is not None
        assert cpu_workers.count == 2
        for threads in (network_workers, cpu_workers):
            # So many that share each small copy would be more threads than cores.
            assert threads.submit(lambda _: [torch.get_num_threads()], [None]).result() == [1]
    assert torch.get_num_threads() == 2


def test_an_apple_gpu_has_no_network_workers() -> None:
    with network_workers_for(SimpleNamespace(device=torch.device("mps"), size=512)) as network_workers:  # type: ignore[arg-type]
        assert network_workers is None
