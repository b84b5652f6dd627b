"""Memory that tensors free is kept for the next ones, and its amount does not grow during a run."""

from __future__ import annotations

import mmap
import platform
import subprocess
import sys

import pytest

from vidrestore.runtime.malloc import (
    CHECK_EVERY_FRAMES,
    LEARNING_FRAMES,
    MAX_GROWTH,
    HeapTrimmer,
    resident_bytes,
)


class Process:
    """A simulated process that holds `used` bytes and a given amount of freed memory."""

    def __init__(self, used: int) -> None:
        self.used, self.kept, self.handed_back = used, 0, 0

    def resident(self) -> int:
        return self.used + self.kept

    def trim(self) -> None:
        self.kept = 0
        self.handed_back += 1


def frames(memory: HeapTrimmer, count: int) -> None:
    for _ in range(count):
        memory.step()


def test_freed_memory_is_returned_only_above_its_limit() -> None:
    process = Process(1000)
    memory = HeapTrimmer(process.resident, process.trim)
    frames(memory, CHECK_EVERY_FRAMES)
    process.kept, before = round(1000 * (MAX_GROWTH - 1)), process.handed_back
    frames(memory, 4 * CHECK_EVERY_FRAMES)
    assert process.handed_back == before
    process.kept += 1
    frames(memory, CHECK_EVERY_FRAMES - 1)
    assert process.kept > 0
    frames(memory, 1)
    assert process.resident() == 1000


def test_memory_kept_from_before_the_run_is_returned_at_once() -> None:
    process = Process(1000)
    process.kept = 500
    HeapTrimmer(process.resident, process.trim).begin()
    assert process.resident() == 1000


def test_no_later_segment_keeps_more_than_the_first_frames_did() -> None:
    process = Process(1000)
    memory = HeapTrimmer(process.resident, process.trim)
    memory.begin()
    process.kept = 30
    frames(memory, LEARNING_FRAMES)
    for used in (1000, 1020, 990, 1030):
        memory.begin()
        process.used = used
        for _ in range(100):
            process.kept += 7
            frames(memory, CHECK_EVERY_FRAMES)
            assert process.resident() <= 1030 + 7


def test_the_limit_of_kept_memory_is_learned_again_when_more_is_used() -> None:
    process = Process(1000)
    memory = HeapTrimmer(process.resident, process.trim)
    frames(memory, LEARNING_FRAMES)
    process.used = 2000
    frames(memory, CHECK_EVERY_FRAMES)
    process.kept, before = 200, process.handed_back
    frames(memory, LEARNING_FRAMES)
    assert process.handed_back == before
    process.kept = 201
    frames(memory, CHECK_EVERY_FRAMES)
    assert process.resident() == 2000


def test_a_run_that_starts_to_need_more_memory_does_not_return_it_repeatedly() -> None:
    process = Process(1000)
    memory = HeapTrimmer(process.resident, process.trim)
    frames(memory, CHECK_EVERY_FRAMES)
    process.used = 2000
    frames(memory, CHECK_EVERY_FRAMES)
    before = process.handed_back
    process.kept = 200
    frames(memory, 20 * CHECK_EVERY_FRAMES)
    assert process.handed_back == before


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such file")
def test_resident_bytes_count_what_is_written_to() -> None:
    before = resident_bytes()
    # Straight from the system: what a heap has kept is counted already.
    with mmap.mmap(-1, 2**26) as held:
        held.write(b"1" * len(held))
        assert resident_bytes() - before > 0.9 * len(held)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
def test_kept_memory_causes_fewer_page_faults() -> None:
    faults = {}
    for kept in ("False", "True"):
        run = subprocess.run(
            [sys.executable, "-c", _PAGE_FAULTS, kept], check=True, capture_output=True, text=True
        )
        faults[kept] = int(run.stdout)
    assert faults["True"] < 0.2 * faults["False"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
def test_threads_share_one_heap() -> None:
    heaps = {}
    for shared in ("False", "True"):
        run = subprocess.run([sys.executable, "-c", _HEAPS, shared], check=True, capture_output=True)
        heaps[shared] = run.stdout.count(b"<heap nr=")
    assert heaps["True"] == 1 < heaps["False"]


_HEAPS = """
import ctypes, sys, threading
from vidrestore.runtime.malloc import use_single_arena

library = ctypes.CDLL(None)
library.malloc.restype = library.fdopen.restype = ctypes.c_void_p
library.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
library.fflush.argtypes = [ctypes.c_void_p]
if sys.argv[1] == "True":
    use_single_arena()
threads = [threading.Thread(target=library.malloc, args=(100_000,)) for _ in range(8)]
for act in ("start", "join"):
    for thread in threads:
        getattr(thread, act)()
standard_output = library.fdopen(1, b"w")
library.malloc_info(0, standard_output)
library.fflush(standard_output)
"""

_PAGE_FAULTS = """
import resource, sys
import torch
from vidrestore.runtime.malloc import keep_freed_memory

def use():
    torch.empty(2**24).fill_(1)

if sys.argv[1] == "True":
    keep_freed_memory()
for _ in range(30):  # smaller tensors fill the gaps between the first ones, until the size is stable
    use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


_FRAGMENTED = """
import psutil, torch
from vidrestore.runtime.malloc import trim_heap, keep_freed_memory

keep_freed_memory()
pairs = [(torch.ones(2**18), torch.ones(2**10)) for _ in range(200)]
small = [pair[1] for pair in pairs]
del pairs
before = psutil.Process().memory_info().rss
trim_heap()
print((before - psutil.Process().memory_info().rss) // 2**20, sum(int(t.sum()) for t in small))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps memory otherwise")
def test_free_memory_between_used_blocks_is_returned_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", _FRAGMENTED], capture_output=True, text=True, check=True)
    freed, kept = map(int, done.stdout.split())
    assert freed > 100  # MiB of 200
    assert kept == 200 * 2**10
