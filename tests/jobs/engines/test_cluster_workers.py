"""Workers of a cluster share all cores of its machines, and have one GPU each where there are GPUs."""

from __future__ import annotations

from typing import Any

from vidrestore.jobs.engines.cluster_workers import WorkerPlace, plan_workers


def node(name: str, cores: float, gpus: int = 0, *, alive: bool = True) -> dict[str, Any]:
    return {"NodeID": name, "Alive": alive, "Resources": {"CPU": cores, "GPU": float(gpus)}}


def of(
    nodes: list[dict[str, Any]], wanted: int | None = None, *, on_gpus: bool = True
) -> list[tuple[Any, ...]]:
    return [(p.node, p.cores, p.gpus) for p in plan_workers(nodes, wanted, on_gpus=on_gpus)]


def test_each_gpu_has_a_worker_with_its_share_of_the_cores() -> None:
    nodes = [node("a", 16, 2), node("b", 6, 1), node("c", 64)]
    assert sorted(of(nodes)) == [("a", 8.0, 1), ("a", 8.0, 1), ("b", 6.0, 1)]


def test_without_gpus_each_machine_has_a_worker_with_all_its_cores() -> None:
    assert of([node("a", 16), node("b", 6), node("head", 0)]) == [("a", 16.0, 0), ("b", 6.0, 0)]
    assert of([node("a", 16, 4)], on_gpus=False) == [("a", 16.0, 0)]


def test_machines_that_are_lost_have_no_worker() -> None:
    assert of([node("a", 4), node("b", 4, alive=False)]) == [("a", 4.0, 0)]


def test_a_cluster_without_machines_is_asked_for_workers_of_one_core() -> None:
    assert of([]) == of([node("head", 0)]) == [("", 1.0, 0)]
    assert len(of([], 3)) == 3


def test_a_wanted_number_is_spread_over_the_machines() -> None:
    assert sorted(of([node("a", 8), node("b", 2)], 4)) == [
        ("a", 4.0, 0), ("a", 4.0, 0), ("b", 1.0, 0), ("b", 1.0, 0),
    ]  # fmt: skip
    assert of([node("a", 2)], 4) == [("a", 0.5, 0)] * 4
    assert of([node("a", 8, 2)], 3) == [("a", 2.0, 0.5)] * 3  # they share the GPUs


def test_workers_with_equal_resources_are_different_workers() -> None:
    places = plan_workers([node("a", 4)], 2, on_gpus=False)
    assert len(set(places)) == 2
    assert isinstance(places[0], WorkerPlace)
