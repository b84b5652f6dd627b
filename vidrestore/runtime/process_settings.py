"""Settings of the whole process. The command line and its workers use them, the library itself never does."""

from __future__ import annotations

from vidrestore.runtime.malloc import keep_freed_memory, use_single_arena
from vidrestore.runtime.mps_fallback import allow_cpu_fallback
from vidrestore.runtime.openmp import limit_openmp_spin


def configure_process() -> None:
    """Sets up this process as the command line does, for a program whose main work is restoration.

    Restoring works without it, but takes more time and memory. Call it first, before torch is imported and
    before other threads start. It changes:

    - the C library's allocator (glibc only): one heap for all threads, and freed memory is kept,
    - OpenMP: waiting threads release their core after a fraction of a millisecond
      (`GOMP_SPINCOUNT` in the environment, unless that or `OMP_WAIT_POLICY` is set),
    - on macOS, `PYTORCH_ENABLE_MPS_FALLBACK`: the CPU computes what Apple's GPU lacks; a warning names it.
    """
    allow_cpu_fallback()
    limit_openmp_spin()
    use_single_arena()
    keep_freed_memory()
