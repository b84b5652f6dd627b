"""The start of the command: quick, the same in three ways, from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vidrestore.weights.catalogue import CATALOGUE, Embedded

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).with_name("vidrestore.exe" if os.name == "nt" else "vidrestore")

HEAVY = ("torch", "av", "cv2", "scipy", "facexlib", "huggingface_hub", "numpy")


def run(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("line", ["--help", "--version", "restore --help", "models --help", "train --help"])
def test_help_loads_nothing_heavy(line: str) -> None:
    program = (
        "import sys; from vidrestore.cli import main; code = main(sys.argv[1:]); "
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    done = run(sys.executable, "-c", program, *line.split())
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"


def test_an_unusable_input_is_reported_before_torch_is_loaded(tmp_path: Path) -> None:
    no_video = tmp_path / "notes.mp4"
    no_video.write_text("to be restored: reel 3")
    program = (
        "import sys; from vidrestore.cli import main; code = main(sys.argv[1:]); "
        "print('torch' in sys.modules); sys.exit(code)"
    )
    for original in ("missing.mp4", str(no_video)):
        done = run(sys.executable, "-c", program, "restore", original, str(tmp_path / "out.mp4"))
        assert (done.returncode, done.stdout.strip()) == (2, "False")
        assert done.stderr.startswith("vidrestore: error: ")


def test_importing_the_package_loads_the_standard_library_alone() -> None:
    program = (
        "import sys; before = set(sys.modules); import vidrestore; "
        "print({name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    )
    assert run(sys.executable, "-c", program).stdout.strip() == "{'vidrestore'}"


def test_help_loads_few_packages() -> None:
    """Each further package makes every command start later."""
    program = (
        "import sys; from vidrestore.cli import main; main(['--help']); "
        "names = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names); "
        "print(*sorted(names), file=sys.stderr)"
    )
    loaded = set(run(sys.executable, "-c", program).stderr.split())
    assert "typer" in loaded
    assert loaded.isdisjoint({*HEAVY, "PIL", "safetensors", "filterpy", "starlette", "huggingface_hub"})


def test_the_help_shows_examples_and_defaults() -> None:
    page = run(sys.executable, "-m", "vidrestore", "restore", "--help").stdout
    shown = " ".join(page.replace("│", " ").split())  # words wrap where the longest flag leaves no space
    assert "vidrestore restore old.mp4 new.mp4" in shown
    assert "Default: compact" in shown


def test_exit_codes_leave_the_process() -> None:
    done = run(sys.executable, "-m", "vidrestore", "restore", "a", "b", "--strength", "3")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


INTERRUPTED = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "vidrestore.cli.terminal":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
signal.signal(signal.SIGINT, signal.default_int_handler)
from vidrestore.__main__ import run
sys.exit(run())
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_an_interrupt_while_modules_load_prints_one_error_line() -> None:
    done = run(sys.executable, "-c", INTERRUPTED)
    assert (done.returncode, done.stderr) == (130, "vidrestore: error: interrupted\n")


@pytest.mark.skipif(not SCRIPT.exists(), reason="vidrestore is not installed in this environment")
def test_the_installed_command_works_from_another_folder(tmp_path: Path) -> None:
    by_script = run(str(SCRIPT), "--version", folder=tmp_path)
    by_module = run(sys.executable, "-m", "vidrestore", "--version", folder=tmp_path)
    assert by_script.returncode == 0
    assert by_script.stdout == by_module.stdout
    assert by_script.stdout.startswith("vidrestore ")


@pytest.mark.skipif(not SCRIPT.exists(), reason="vidrestore is not installed in this environment")
def test_the_installed_package_carries_its_weights(tmp_path: Path) -> None:
    listed = run(str(SCRIPT), "models", "list", folder=tmp_path).stdout
    embedded = [entry for entry in CATALOGUE if isinstance(entry.source, Embedded)]
    assert listed.split().count("embedded") == len(embedded)
    assert "missing" not in listed
