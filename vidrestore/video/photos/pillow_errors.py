"""The errors that Pillow and pillow_heif raise for damaged files."""

from __future__ import annotations

import struct
from pathlib import Path

from PIL import Image

from vidrestore.errors import InputError

PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    Image.DecompressionBombError,
)


def damaged_photo(path: Path, error: Exception) -> InputError:
    """The error for a photo that Pillow cannot decode, in one line."""
    why = " ".join(str(error).replace("\\n", " ").split())
    return InputError(f"{path} is damaged or cut short: {why}; copy or export it again")
