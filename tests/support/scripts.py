"""Scripts of the repository that are in no package, loaded by their paths."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from tests.support.shared import ROOT


def load_script(path: str) -> ModuleType:
    """The module of a script; `path` is relative to the repository."""
    file = ROOT / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
