"""Loads filterpy's `KalmanFilter` from its own file, without the rest of the package.

`import filterpy.kalman` imports the whole package, and with it scipy.linalg and scipy.stats. That takes
0.9 s, and Python imports one module at a time, so the first frame would be 0.9 s later. The filter needs only
numpy. So its file is loaded alone, from the cached bytecode, and is not added to `sys.modules`: a host
program that uses filterpy gets the unchanged package.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any


@cache
def kalman_filter_class() -> Any:
    """The class `filterpy.kalman.KalmanFilter`.

    Raises:
        ImportError: filterpy is not installed.
    """
    if (package := sys.modules.get("filterpy.kalman")) is not None:
        return package.KalmanFilter
    spec = find_spec("filterpy")
    if spec is None:
        raise ImportError("filterpy is not installed: pip install filterpy")
    folder = Path(next(iter(spec.submodule_search_locations or ())))
    file, helpers = folder / "kalman" / "kalman_filter.py", folder / "common" / "helpers.py"
    if not (file.is_file() and helpers.is_file()):  # another version of filterpy: import the whole package
        from filterpy.kalman import KalmanFilter

        return KalmanFilter
    common = _run_alone("filterpy.common.helpers", helpers, {})
    stats = SimpleNamespace(logpdf=_logpdf)
    return _run_alone(
        "filterpy.kalman.kalman_filter", file, {"filterpy.common": common, "filterpy.stats": stats}
    ).KalmanFilter


def _run_alone(name: str, file: Path, replacements: Mapping[str, Any]) -> ModuleType:
    """The module in `file`; its imports of the names in `replacements` return those objects."""

    def import_(wanted: str, *arguments: Any, **named: Any) -> Any:
        return replacements[wanted] if wanted in replacements else __import__(wanted, *arguments, **named)

    module = ModuleType(name)
    module.__dict__.update(__file__=str(file), __builtins__={**vars(builtins), "__import__": import_})
    code = SourceFileLoader(name, str(file)).get_code(name)
    assert code is not None
    exec(code, module.__dict__)
    return module


def _logpdf(*arguments: Any, **named: Any) -> Any:
    """Computes a filter's likelihood, which tracking does not use."""
    from filterpy.stats import logpdf

    return logpdf(*arguments, **named)
