"""The library leaves its host's process as it was; only the command line and its workers set theirs up."""

from __future__ import annotations

import ast
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.signals import skip_where_ignored

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "samples" / "old_film.mp4"

# Dependencies are imported first: what importing them changes is not ours.
_STATE = """
import ctypes, faulthandler, gc, importlib, locale, logging, multiprocessing, os, random, resource, signal
import sys, threading, warnings
from concurrent.futures import ThreadPoolExecutor

for name in ("av", "cv2", "numba", "numpy", "PIL.Image", "pillow_heif", "pydantic", "scipy.stats", "torch"):
    importlib.import_module(name)
import av.logging, cv2, numpy, torch
from PIL import Image

Image.init()

def state():
    with ThreadPoolExecutor(1) as another:
        another_threads = another.submit(torch.get_num_threads).result()
    os.umask(mask := os.umask(0))
    return {
        "environment": dict(os.environ),
        "signal handlers": [(s.name, signal.getsignal(s)) for s in signal.Signals],
        "torch threads": torch.get_num_threads(),
        "torch threads of another thread": another_threads,
        "torch threads between operations": torch.get_num_interop_threads(),
        "torch random numbers": torch.random.get_rng_state().tolist(),
        "torch numbers": (torch.get_default_dtype(), torch.get_float32_matmul_precision()),
        "torch flags": (torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled(),
                        torch.backends.cudnn.benchmark, torch.backends.mkldnn.enabled),
        "OpenCV": (cv2.getNumThreads(), cv2.useOptimized(), cv2.utils.logging.getLogLevel()),
        "FFmpeg's log": (av.logging.get_level(), av.logging.get_skip_repeated()),
        "warnings": (list(warnings.filters), warnings.showwarning),
        "logging": (logging.root.level, list(logging.root.handlers), logging.root.manager.disable,
                    logging.lastResort, logging.raiseExceptions),
        "numpy": (numpy.geterr(), numpy.get_printoptions(), repr(numpy.random.get_state())),
        "random": random.getstate(),
        "Pillow": (Image.MAX_IMAGE_PIXELS, list(Image.ID), sorted(Image.EXTENSION), sorted(Image.SAVE)),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook, sys.gettrace(), sys.getprofile()),
        "interpreter": (sys.getrecursionlimit(), sys.getswitchinterval(), gc.isenabled(), gc.get_threshold(),
                        threading.stack_size(), faulthandler.is_enabled(), list(sys.path)),
        "process": (os.getcwd(), mask, locale.setlocale(locale.LC_ALL), os.nice(0),
                    multiprocessing.get_start_method(allow_none=True),
                    resource.getrlimit(resource.RLIMIT_NOFILE)),
    }
"""

_COMPARED = """
before = state()
import vidrestore

report = vidrestore.restore(sys.argv[1], sys.argv[2] + "/out.mkv", end=0.08, device="cpu", codec="libsvtav1")
assert report.faces > 0
assert vidrestore.inspect(sys.argv[1], end=0.1).tracks
with vidrestore.Restorer(device="cpu") as restorer:
    picture = numpy.zeros((160, 160, 3), numpy.uint8)
    assert restorer.image(picture).picture.shape == picture.shape
    assert len(list(restorer.frames([picture] * 3))) == 3
    assert len(restorer.aligned([numpy.zeros((256, 256, 3), numpy.float32)])) == 1
after = state()
print([name for name in before if before[name] != after[name]])
"""

_EXR = """
before = state()
import vidrestore
from pathlib import Path
from vidrestore.video.exr import exr_file
light = numpy.full((64, 64, 3), 0.25, numpy.float32)
exr_file.save(Path(sys.argv[2]) / "in.exr", light, half=True)
Image.fromarray(numpy.zeros((64, 64, 3), numpy.uint8)).save(sys.argv[2] + "/in.png")
for name in ("exr", "png"):
    vidrestore.restore(f"{sys.argv[2]}/in.{name}", f"{sys.argv[2]}/out.{name}", fidelity=1)
after = state()
print([name for name in before if before[name] != after[name]])
"""

# Heaps of glibc, and pages that are requested from the system again for each large array.
_ALLOCATOR = """
import ctypes, resource, sys, threading
import numpy

library = ctypes.CDLL(None)
library.malloc.restype = library.fdopen.restype = ctypes.c_void_p
library.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
library.fflush.argtypes = [ctypes.c_void_p]

def pages():
    for _ in range(3):
        numpy.ones(2**23)
    start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        numpy.ones(2**23)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start

before = pages()
import vidrestore
if sys.argv[3] == "command":
    vidrestore.configure_process()
else:
    vidrestore.restore(sys.argv[1], sys.argv[2] + "/out.mkv", end=0.04, device="cpu")
after = pages()
barrier = threading.Barrier(8)
def allocate():
    barrier.wait()
    library.malloc(100_000)
    barrier.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for act in ("start", "join"):
    for thread in threads:
        getattr(thread, act)()
print(after > before / 2, flush=True)
standard_output = library.fdopen(1, b"w")
library.malloc_info(0, standard_output)
library.fflush(standard_output)
"""

_INTERRUPTED = """
import os, signal, sys
import vidrestore

def interrupt(_):
    os.kill(os.getpid(), signal.SIGINT)

before = signal.getsignal(signal.SIGINT)
try:
    vidrestore.restore(sys.argv[1], sys.argv[2] + "/out.mkv", end=0.08, fidelity=1, on_progress=interrupt)
except KeyboardInterrupt:
    print("interrupted", signal.getsignal(signal.SIGINT) is before, os.listdir(sys.argv[2]))
"""


def run(program: str, folder: Path, *words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in _OURS}
    done = subprocess.run(
        [sys.executable, "-c", program, str(SAMPLE), str(folder), *words],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


_OURS = {"GOMP_SPINCOUNT", "SVT_LOG", "OPENCV_IO_ENABLE_OPENEXR", "MALLOC_ARENA_MAX", "OMP_WAIT_POLICY",
         "OMP_NUM_THREADS"}  # fmt: skip
"""Variables that this program may set, or that change what it sets."""


@pytest.mark.skipif(os.name == "nt", reason="the state is asked of a POSIX system")
@pytest.mark.parametrize("program", [_COMPARED, _EXR], ids=["video and memory", "pictures"])
def test_a_host_is_as_it_was_after_each_call(program: str, tmp_path: Path) -> None:
    assert ast.literal_eval(run(_STATE + program, tmp_path).splitlines()[-1]) == []


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
@pytest.mark.parametrize("by", ["library", "command"])
def test_only_the_command_changes_the_allocator(by: str, tmp_path: Path) -> None:
    text = run(_ALLOCATOR, tmp_path, by)
    if by == "command":  # a host's heap may hold free memory for such arrays by chance
        assert text.startswith("False")
    assert (text.count("<heap nr=") > 1) == (by == "library")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_an_interrupt_ends_a_call_and_the_handler_is_as_it_was(tmp_path: Path) -> None:
    skip_where_ignored("SIGINT")
    assert run(_INTERRUPTED, tmp_path).strip() == "interrupted True []"


def test_the_command_sets_its_process_up(tmp_path: Path) -> None:
    program = (
        "import os, sys; from vidrestore.cli import main; main(['--version']); "
        "print(int(os.environ['GOMP_SPINCOUNT']) > 0, 'torch' in sys.modules)"
    )
    assert run(program, tmp_path).splitlines()[-1] == "True False"
