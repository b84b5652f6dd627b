"""The public names, and what importing costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import vidrestore
from vidrestore import errors

ROOT = Path(__file__).parents[1]

AT_ONCE = (
    "types",
    "errors",
    "settings",
    "api",
    "cli",
    "weights",
    "runtime.device",
    "runtime.pipeline_threads",
    "faces.alignment",
    "colour.yuv_rgb",
    "video",
    "tracking",
    "detection",
    "pipeline",
    "jobs",
)


def test_all_names_can_be_imported_and_are_listed() -> None:
    for name in vidrestore.__all__:
        assert getattr(vidrestore, name) is not None
    assert dir(vidrestore) == sorted(vidrestore.__all__)


def test_every_error_class_is_public() -> None:
    classes = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert classes <= set(vidrestore.__all__)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="restoer"):
        vidrestore.restoer  # noqa: B018 - the access is what is tested


def test_stages_can_be_imported_without_torch() -> None:
    modules = [f"vidrestore.{name}" for name in AT_ONCE]
    program = (
        "import sys\nfrom importlib import import_module\n"
        f"for name in {modules}:\n"
        "    import_module(name)\n"
        "    heavy = [m for m in ('torch', 'facexlib') if m in sys.modules]\n"
        "    assert not heavy, f'{name} loads {heavy}'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
