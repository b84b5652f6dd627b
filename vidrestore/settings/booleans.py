"""Refuses true and false where a number is needed: Python counts them as 1 and 0."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationInfo
from pydantic_core import PydanticCustomError

BOOLEAN = "boolean_for_number"
"""Pydantic's error type of the refusal."""


def without_boolean(cls: type[BaseModel], value: Any, info: ValidationInfo) -> Any:
    """The value of a field, if it is no boolean in place of a number; a validator of pydantic.

    Args:
        value: The caller's value.
        info: The name of the field.

    Raises:
        PydanticCustomError: It is a boolean, and the field is a number.
    """
    if isinstance(value, bool) and _is_number(cls.model_fields[info.field_name or ""].annotation):
        raise PydanticCustomError(BOOLEAN, "must be a number")
    return value


def _is_number(annotation: Any) -> bool:
    if annotation in (int, float) or type(annotation) is int:  # or one of the values of a Literal
        return True
    return any(_is_number(inner) for inner in get_args(annotation))
