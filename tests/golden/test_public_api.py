"""The public names of the package with their signatures: a change is seen, and is meant.

    python -m tests.golden.test_public_api

writes them again after a change that is meant.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import vidrestore

GOLDEN = Path(__file__).with_name("public_api.txt")


def public_api() -> str:
    """One line for each public name; fields and methods of classes indented."""
    lines: list[str] = []
    for name in sorted(vidrestore.__all__):
        value = getattr(vidrestore, name)
        if inspect.isclass(value):
            lines += _class_lines(name, value)
        elif callable(value):
            lines.append(f"{name}{inspect.signature(value)}")
        else:
            lines.append(f"{name}: {type(value).__name__}")
    return "\n".join(lines) + "\n"


def _class_lines(name: str, value: type) -> list[str]:
    bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
    lines = [f"class {name}({bases})" if bases else f"class {name}"]
    if hasattr(value, "model_fields"):
        types = inspect.get_annotations(value)
        fields = value.model_fields.items()
        return [*lines, *(f"    {field}: {types[field]} = {info.default!r}" for field, info in fields)]
    for member, attribute in vars(value).items():
        if member.startswith("_") and member not in ("__init__", "__enter__", "__exit__", "__iter__"):
            continue
        if isinstance(attribute, property):
            lines.append(f"    {member}: property")
        elif isinstance(attribute, classmethod | staticmethod):
            lines.append(f"    {member}{inspect.signature(attribute.__func__)}")
        elif inspect.isfunction(attribute):
            lines.append(f"    {member}{inspect.signature(attribute)}")
    return lines


def test_the_public_names_and_signatures_are_those_of_the_golden() -> None:
    assert public_api() == GOLDEN.read_text(encoding="utf-8"), (
        "the public API has changed; if that is meant, run python -m tests.golden.test_public_api "
        "and add a line to CHANGELOG.md"
    )


def test_every_public_function_and_class_says_what_the_caller_gets() -> None:
    for name in vidrestore.__all__:
        value = getattr(vidrestore, name)
        if inspect.isfunction(value):
            text = inspect.getdoc(value) or ""
            parts = ["Args:"] if inspect.signature(value).parameters else []
            returns = inspect.signature(value).return_annotation not in (None, "None")
            parts += ["Returns:", "Raises:"] if returns else []
            assert all(part in text for part in parts), f"{name}: {[p for p in parts if p not in text]}"
        elif inspect.isclass(value):
            assert inspect.getdoc(value), name


if __name__ == "__main__":
    GOLDEN.write_text(public_api(), encoding="utf-8")
