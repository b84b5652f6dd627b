"""Clips that something has happened to."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from tests.support.clips import packets_of


def zero_packets(path: Path, numbers: Sequence[int]) -> Path:
    """Overwrites the video's packets of these numbers, in decoding order, with zeros."""
    return _change(path, numbers, lambda packet, _: bytes(len(packet)))


def flip_bytes(path: Path, numbers: Sequence[int]) -> Path:
    """Turns four bytes over behind the first quarter of each of these packets."""

    def flipped(packet: bytes, number: int) -> bytes:
        changed = bytearray(packet)
        for position in random.Random(number).sample(range(len(packet) // 4, len(packet)), 4):
            changed[position] ^= 0xFF
        return bytes(changed)

    return _change(path, numbers, flipped)


def noise(path: Path, start: float, count: int) -> Path:
    """Overwrites `count` bytes at the share `start` of the file."""
    content = bytearray(path.read_bytes())
    at = int(len(content) * start)
    content[at : at + count] = random.Random(1).randbytes(count)
    path.write_bytes(content)
    return path


def _change(path: Path, numbers: Sequence[int], change) -> Path:  # type: ignore[no-untyped-def]
    content = path.read_bytes()
    packets = packets_of(path, "video")[0]
    for number in numbers:
        packet = packets[number][2]
        assert content.count(packet) == 1
        content = content.replace(packet, change(packet, number))
    path.write_bytes(content)
    return path
