"""Ways to damage a file, each drawn from a seed."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

EXTREMES = (0, 1, -1, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63))
"""Numbers at which arithmetic goes wrong."""


def mutate(content: bytes, chance: random.Random) -> bytes:
    """The content with one to three things wrong. It may be the same again, where they undo each other."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        content = chance.choice(_WAYS)(content, chance)
    return content


def _flip_bits(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 8, 64))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _flip_in_head(content: bytes, chance: random.Random) -> bytes:
    """Where the structure of most formats is."""
    head = min(len(content), 512)
    return _flip_bits(content[:head], chance) + content[head:]


def _overwrite(content: bytes, chance: random.Random) -> bytes:
    first, length = _range(content, chance)
    return content[:first] + chance.randbytes(length) + content[first + length :]


def _zero(content: bytes, chance: random.Random) -> bytes:
    first, length = _range(content, chance)
    return content[:first] + bytes(length) + content[first + length :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _delete(content: bytes, chance: random.Random) -> bytes:
    first, length = _range(content, chance)
    return content[:first] + content[first + length :]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    first, length = _range(content, chance)
    return content[: first + length] + content[first:]


def _move(content: bytes, chance: random.Random) -> bytes:
    first, length = _range(content, chance)
    rest = content[:first] + content[first + length :]
    to = chance.randrange(len(rest) + 1)
    return rest[:to] + content[first : first + length] + rest[to:]


def _put_number(content: bytes, chance: random.Random) -> bytes:
    """An extreme number of any width and order, in the place of whatever was there."""
    width, kind = chance.choice(((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
    number = chance.choice(EXTREMES) % 2 ** (8 * width)
    if len(content) < width:
        return content
    at = chance.randrange(len(content) - width + 1)
    packed = struct.pack(chance.choice("<>") + kind, number)
    return content[:at] + packed + content[at + width :]


def _range(content: bytes, chance: random.Random) -> tuple[int, int]:
    """The first byte and the length of a part, mostly a short one."""
    longest = chance.choice((4, 64, 4096, max(len(content), 1)))
    length = min(chance.randrange(longest) + 1, len(content))
    return chance.randrange(len(content) - length + 1), length


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip_bits, _flip_bits, _flip_in_head, _flip_in_head, _overwrite, _zero, _cut, _delete, _repeat, _move,
    _put_number, _put_number,
)  # fmt: skip
