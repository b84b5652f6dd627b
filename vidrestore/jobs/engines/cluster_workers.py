"""Which workers a cluster has: on which node, and with which share of its cores and GPUs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlace:
    """The place of a worker. Workers of one node differ by `number`."""

    node: str
    """Ray's id of the node; empty: any node, also one that a cluster starts on demand."""
    number: int
    """Number of the worker on its node."""
    cores: float
    """Cores of the node that the worker gets."""
    gpus: float
    """GPUs that the worker gets: 1, a share of one, or 0."""


def plan_workers(
    nodes: Sequence[Mapping[str, Any]], wanted: int | None, *, on_gpus: bool
) -> list[WorkerPlace]:
    """The places of the workers, so that they share all cores of the nodes that they use.

    Args:
        nodes: `ray.nodes()`.
        wanted: Number of workers; None: one for each GPU, or one for each node if there are no GPUs.
        on_gpus: Whether workers may use GPUs.
    """
    alive = [node for node in nodes if node["Alive"]]
    resources = {node["NodeID"]: node.get("Resources", {}) for node in alive}
    gpus = {name: int(has.get("GPU", 0)) if on_gpus else 0 for name, has in resources.items()}
    if any(gpus.values()):
        slots = [name for name, count in gpus.items() for _ in range(count)]
    else:
        slots = [name for name, has in resources.items() if has.get("CPU", 0) >= 1]
    if not slots:  # a cluster that grows on demand may have no node yet
        return [WorkerPlace(node="", number=number, cores=1.0, gpus=0.0) for number in range(wanted or 1)]
    names = _in_turn(slots, len(slots) if wanted is None else wanted)
    on_node, seen, places = Counter(names), Counter[str](), []
    for name in names:
        cores = float(resources[name].get("CPU", 0)) / on_node[name]
        # Ray accepts fractions below one core only, and whole numbers above.
        cores = float(int(cores)) if cores >= 1 else round(cores, 3)
        share = round(1 / -(-on_node[name] // gpus[name]), 3) if gpus[name] else 0.0
        places.append(WorkerPlace(node=name, number=seen[name], cores=cores, gpus=share))
        seen[name] += 1
    return places


def _in_turn(slots: Sequence[str], count: int) -> list[str]:
    """`count` names, each slot once before any slot is used again; of several nodes one after another."""
    seen: Counter[str] = Counter()
    rounds = []
    for name in slots:
        rounds.append((seen[name], name))
        seen[name] += 1
    order = [name for _, name in sorted(rounds, key=lambda pair: pair[0])]
    return [order[index % len(order)] for index in range(count)]
