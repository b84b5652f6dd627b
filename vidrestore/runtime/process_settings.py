"""Settings of the whole process: made by the command line and its worker processes, never by the library."""

from __future__ import annotations

from vidrestore.runtime.device import limit_openmp_spin
from vidrestore.runtime.malloc import keep_freed_memory, use_single_arena


def configure_process() -> None:
    """Set up this process as the command line does, for a program that does little else.

    Restoring works without it, but takes more time and memory. Call it first, before torch is imported and
    before other threads start. It changes:

    - the C library's allocator (glibc only): one heap for all threads, and freed memory is kept,
    - OpenMP: threads that wait give their core to others after a fraction of a millisecond
      (`GOMP_SPINCOUNT` in the environment, unless that or `OMP_WAIT_POLICY` is set).
    """
    limit_openmp_spin()
    use_single_arena()
    keep_freed_memory()
