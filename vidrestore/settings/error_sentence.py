"""Turns pydantic's validation errors into one sentence for the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from vidrestore.errors import shown
from vidrestore.settings.booleans import BOOLEAN

_LIMITS = {
    "greater_than_equal": ("ge", "at least"),
    "less_than_equal": ("le", "at most"),
    "greater_than": ("gt", "more than"),
}
"""Pydantic's error types for limits; the key of the limit in the error's context; the words for it."""
_TYPE_NAMES = {
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    BOOLEAN: "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
}
"""Pydantic's error types for wrong types, and what the value must be."""
_SHAPES = {
    "tuple_type": "a list such as [0, 3]",
    **dict.fromkeys(("dict_type", "model_type"), "names and values, such as 'strength: 0.8'"),
}
"""The same for entries of a file that hold other entries."""


def sentence(error: ValidationError, fields: Mapping[str, FieldInfo]) -> str:
    """The message for the first wrong value, such as `strength must be at most 1, got 7`.

    Args:
        error: Pydantic's error.
        fields: The fields of the model, by name.
    """
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    given = shown(first["input"])
    # fidelity and grain take a word or a number
    if len(first["loc"]) > 1 or (first["type"] == BOOLEAN and name in ("fidelity", "grain")):
        return f"{name} must be auto or a number from 0 to 1, got {given}"
    if first["type"] == "extra_forbidden":
        return f"there is no setting '{name}'; there are: {', '.join(sorted(fields))}"
    wanted = _wanted(first["type"], first.get("ctx", {}), fields.get(name))
    if wanted is not None:
        return f"{name} must be {wanted}, got {given}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{name}: {message}, got {given}" if name else message


def sentence_with_place(error: ValidationError) -> str:
    """The message for the first wrong value in a file, such as `people / p0 / tracks is missing`.

    Args:
        error: Pydantic's error.
    """
    first = error.errors()[0]
    kind, given = first["type"], shown(first["input"])
    *outer, last = [str(part)[:60] for part in first["loc"]] or [""]
    is_union = last == "constrained-float" or last.startswith("literal[")
    name = " / ".join(outer if is_union or last == "[key]" else [*outer, last])
    if kind == "extra_forbidden":
        return f"{' / '.join(outer) or 'it'} has no entry named {last}; check how it is written"
    if kind == "missing":
        return f"{name} is missing"
    if kind == "string_pattern_mismatch":
        return f"{name}: a person is named p0, p1 and so on"
    if is_union and kind not in _LIMITS:
        return f"{name} must be auto or a number from 0 to 1, got {given}"
    wanted = _SHAPES.get(kind) or _wanted(kind, first.get("ctx", {}), None)
    if wanted is not None:
        return f"{name} must be {wanted}, got {given}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{name}: {message}, got {given}" if name else message


def _wanted(kind: str, context: Mapping[str, Any], field: FieldInfo | None) -> str | None:
    """What the value must be; None: use pydantic's own message."""
    if kind in _LIMITS:
        key, words = _LIMITS[kind]
        return f"{words} {context[key]:,.12g}".replace(",", " ")
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "")
    if kind in ("string_pattern_mismatch", "string_type") and field is not None and _has_pattern(field):
        return " ".join((field.description or "").split()).rstrip(".")
    return _TYPE_NAMES.get(kind)


def _has_pattern(field: FieldInfo) -> bool:
    return any(getattr(constraint, "pattern", None) is not None for constraint in field.metadata)
