"""What torch's and accelerate's own classes would change in training: averages of gradients and of weights.

    python -m benchmarks.library_training [--rounds N]

Two processes on the CPU train a small network of two branches on batches of their own. Prints, as JSON, with
the least of several rounds:

    gradients  milliseconds of a step by `optimizer_step` and by DistributedDataParallel, and the largest
               relative difference of the gradients
    unused     whether DistributedDataParallel takes a step that trains a part of the network only
    weights    milliseconds of `update_ema` and of AveragedModel, the largest relative difference after 20
               steps, and entries that a checkpoint has with AveragedModel only
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from vidrestore.training.distributed import optimizer_step
from vidrestore.training.ema import update_ema

_PROCESSES = 2
_DECAY = 0.999


class _Network(nn.Module):
    """Two branches, as training stages have them: one of them may be left out of a step."""

    def __init__(self) -> None:
        super().__init__()
        self.first = _branch()
        self.second = _branch()

    def forward(self, picture: Tensor, with_second: bool = True) -> Tensor:
        result: Tensor = self.first(picture)
        return result + self.second(picture) if with_second else result


def _branch() -> nn.Sequential:
    widths = [3, 64, 128, 256, 256]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(8, after), nn.SiLU()]
    return nn.Sequential(*layers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder, mp.Manager() as manager:
        results = manager.dict()
        store = Path(folder, "store").as_uri()
        mp.spawn(_process, args=(store, rounds, results), nprocs=_PROCESSES)  # type: ignore[no-untyped-call]
        print(json.dumps({**results, "weights": _averages_of_weights(rounds)}, indent=1))


def _process(rank: int, store: str, rounds: int, results: Any) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", store, rank=rank, world_size=_PROCESSES)
    torch.manual_seed(0)
    ours = _Network()
    wrapped = DistributedDataParallel(copy.deepcopy(ours))
    picture = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(rank))
    seconds: dict[str, list[float]] = {"ours": [], "ddp": []}
    for _ in range(rounds):
        for name, network in (("ours", ours), ("ddp", wrapped)):
            optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
            dist.barrier()
            began = time.perf_counter()
            optimizer.zero_grad()
            network(picture).square().mean().backward()
            if name == "ours":
                optimizer_step(optimizer, network.parameters())
            else:
                optimizer.step()
            seconds[name].append(time.perf_counter() - began)
    pairs = [
        (a.grad, b.grad)
        for a, b in zip(ours.parameters(), wrapped.parameters(), strict=True)
        if a.grad is not None and b.grad is not None
    ]
    difference = max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)
    unused = _step_of_a_part(wrapped, picture)
    if rank == 0:
        least = {name: round(min(values) * 1e3, 2) for name, values in seconds.items()}
        results["gradients"] = {**least, "relative_difference": difference}
        results["unused"] = unused
    dist.destroy_process_group()


def _step_of_a_part(wrapped: DistributedDataParallel, picture: Tensor) -> str:
    """What happens at two steps that leave a branch out: `taken`, or the error."""
    try:
        for _ in range(2):
            wrapped(picture, with_second=False).square().mean().backward()
    except RuntimeError as error:
        return str(error).split(". ")[0]
    return "taken"


def _averages_of_weights(rounds: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    network = _Network()
    ours = copy.deepcopy(network)
    library = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(_DECAY))
    library.update_parameters(network)  # its first call copies
    seconds: dict[str, list[float]] = {"ours": [], "averaged_model": []}
    for _ in range(max(rounds, 20)):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(torch.randn_like(parameter), alpha=0.01)
        began = time.perf_counter()
        update_ema(ours, network, _DECAY)
        middle = time.perf_counter()
        library.update_parameters(network)
        seconds["ours"].append(middle - began)
        seconds["averaged_model"].append(time.perf_counter() - middle)
    pairs = zip(ours.parameters(), library.module.parameters(), strict=True)
    renamed = set(library.state_dict()) - set(ours.state_dict())
    return {
        **{name: round(min(values) * 1e3, 2) for name, values in seconds.items()},
        "relative_difference": max(float(((a - b).abs().max() / b.abs().max()).detach()) for a, b in pairs),
        "entries_of_other_names": len(renamed),
        "entries": len(ours.state_dict()),
    }


if __name__ == "__main__":
    main()
