"""Docstrings of exported functions: the first line says what the caller gets, then arguments and errors.

Where any function lists its arguments, they are its parameters, in their order.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "vidrestore"
PACKAGES = (
    "colour", "faces", "in_memory", "inspection", "jobs", "pipeline", "restoration", "runtime", "tracking",
    "training", "types", "video", "weights", "web",
)  # fmt: skip
"""Packages that follow the rule; add others as they are completed."""
FEW_ARGUMENTS = 2
"""A function with at most so many may explain them in its first sentence."""
NOT_RAISED = {"NotImplementedError", "FileExistsError", "AssertionError", "KeyboardInterrupt"}


def files() -> list[Path]:
    return [file for name in PACKAGES for file in sorted((PACKAGE / name).rglob("*.py"))]


def exported(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def problems(function: ast.FunctionDef) -> Iterator[str]:
    text = ast.get_docstring(function) or ""
    if not text:
        yield "has no docstring"
        return
    arguments = len(function.args.args) + len(function.args.kwonlyargs)
    if arguments > FEW_ARGUMENTS and "Args:" not in text:
        yield "does not explain its arguments (Args:)"
    if _raises(function) and "Raises" not in text:
        yield "does not name its errors (Raises:)"


def _raises(function: ast.FunctionDef) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            name = ast.unparse(node.exc.func)
            if name.endswith("Error") and name not in NOT_RAISED:
                return True
    return False


@pytest.mark.parametrize("file", files(), ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_exported_functions_explain_their_arguments_and_errors(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = [f"{function.name} {problem}" for function in exported(tree) for problem in problems(function)]
    assert not found, f"{file.name}: {'; '.join(found)}"


def documented(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str] | None:
    """The names under Args; None: the docstring has no such section."""
    section = re.search(r"^Args:\n((?:(?: .*)?\n?)*)", ast.get_docstring(function) or "", re.MULTILINE)
    return None if section is None else re.findall(r"^    (\w+):", section[1], re.MULTILINE)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    given = function.args
    all_of_them = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [one.arg for one in all_of_them if one is not None and one.arg not in ("self", "cls")]


def all_files() -> list[Path]:
    return [file for name in ("vidrestore", "benchmarks") for file in sorted((ROOT / name).rglob("*.py"))]


@pytest.mark.parametrize("file", all_files(), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_documented_arguments_are_the_parameters(file: Path) -> None:
    functions = [
        node
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    found = [
        f"{function.name} has {parameters(function)}, documented are {names}"
        for function in functions
        if (names := documented(function)) is not None and names != parameters(function)
    ]
    assert not found, "; ".join(found)
