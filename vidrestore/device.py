"""The device and the precision the networks run in, chosen once. torch is imported when asked."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from vidrestore.errors import DeviceError

if TYPE_CHECKING:
    import torch

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

SPINS = 20_000
"""A fraction of a millisecond."""
_COUNTING = threading.Lock()


def resolve_device(name: str) -> torch.device:
    """The device called auto, cpu, mps, cuda or cuda:N, checked to be there.

    auto: CUDA where there is some, else Apple's GPU, else the processor. Raises DeviceError otherwise.
    """
    import torch

    if name == "auto":
        return torch.device(_best())
    kind, _, number = name.partition(":")
    if kind == "cuda":
        _check_cuda(name, int(number or 0))
    elif kind == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError("--device mps needs a Mac with an Apple GPU; try --device auto")
    elif name != "cpu":
        raise DeviceError(f"there is no device '{name}'; there are auto, cpu, mps, cuda and cuda:N")
    return torch.device(name)


def resolve_precision(device: torch.device) -> torch.dtype:
    """The fastest type of number that is accurate enough on the device.

    Never float16 on a processor: there it is several times slower than float32.
    """
    import torch

    if device.type == "cuda":
        ampere_or_later = torch.cuda.get_device_capability(device) >= (8, 0)  # older ones emulate bfloat16
        return torch.bfloat16 if ampere_or_later else torch.float16
    if device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return torch.bfloat16
    return torch.float32


def compute_with(threads: int) -> None:
    """Have this thread's tensors computed by so many threads, and leave the others of the process alone."""
    import torch

    # torch takes the number for that of all threads to come as well, the caller's own among them. A new
    # thread knows what that was, and another gives it back.
    with _COUNTING, ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as last:
        usual = first.submit(torch.get_num_threads).result()
        torch.get_num_threads()  # a thread that has not asked yet would take the usual number later on
        torch.set_num_threads(threads)
        last.submit(torch.set_num_threads, usual).result()


class OneThread:
    """Calls functions in a thread of its own, which computes their tensors alone.

    For small networks beside a large one: what they give does not depend on how many threads the caller's
    tensors are computed by, and they wait for none of them.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "alone", initializer=compute_with, initargs=(1,))

    def call(self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """What the function returns, or raises."""
        return self._thread.submit(function, *arguments, **named).result()


class Crew:
    """As many threads as the caller's tensors are computed by, each of which computes alone.

    For work that is shared out in many small parts, none of which waits for another.
    """

    def __init__(self) -> None:
        self._threads: dict[int, ThreadPoolExecutor] = {}

    def share(self, parts: Sequence[T], work: Callable[[Iterator[T]], None]) -> None:
        """Calls `work` in each thread, with an iterator that hands each of `parts` to one of them.

        Raises what `work` raises. A caller who computes alone does all of it itself.
        """
        import torch

        count = min(torch.get_num_threads(), len(parts))
        shared = iter(parts)
        if count < 2:
            work(shared)
            return
        # The crew outlives the call: a thread takes longer to begin than a part takes.
        threads = self._threads.get(count)
        if threads is None:
            threads = ThreadPoolExecutor(count, "crew", initializer=compute_with, initargs=(1,))
            self._threads[count] = threads
        for done in [threads.submit(work, shared) for _ in range(count)]:
            done.result()


def yield_while_waiting() -> None:
    """Have a network's threads soon leave the processor to others while they wait; before torch is loaded.

    They spin for long otherwise (GNU OpenMP), which the rooms that work beside the network, and other
    programs, pay for; asleep at once, a small network's threads take a third longer to meet. A user's own
    choice stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))


def _best() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _check_cuda(name: str, number: int) -> None:
    import torch

    if not torch.cuda.is_available():
        raise DeviceError(
            f"--device {name} needs an NVIDIA GPU with a working driver, and there is none; "
            "try --device auto or --device cpu"
        )
    count = torch.cuda.device_count()
    if number >= count:
        raise DeviceError(f"--device {name}: this machine has {count} CUDA device(s), numbered from 0")
