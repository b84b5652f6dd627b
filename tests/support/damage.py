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


def flip_timestamp(path: Path, number: int, bit: int, *, stream: int = 0xE0, dts: bool = True) -> Path:
    """Turns a bit of the time over in PES packet `number` of a transport stream: video (0xE0), sound (0xC0).

    `dts` False: of the presentation time alone.
    """
    content = bytearray(path.read_bytes())
    found = -1
    for start in range(0, len(content) - 187, 188):
        if not content[start + 1] & 0x40:
            continue  # no PES packet begins here
        head = start + 4 + (1 + content[start + 4] if content[start + 3] & 0x20 else 0)
        if content[head : head + 3] != b"\0\0\1" or content[head + 3] != stream:
            continue
        found += 1
        if found == number:
            has_dts = content[head + 7] & 0x40
            for at in (head + 9, head + 14) if has_dts and dts else (head + 9,):
                _flip_time(content, at, bit)
            path.write_bytes(content)
            return path
    raise AssertionError(f"there are only {found + 1} packets")


def _flip_time(content: bytearray, at: int, bit: int) -> None:
    """Of 33 bits: three in the first byte, fifteen in the next two, fifteen in the last two."""
    if bit >= 30:
        content[at] ^= 1 << (bit - 30 + 1)
        return
    pair, place = (at + 1, bit - 15) if bit >= 15 else (at + 3, bit)
    value = int.from_bytes(content[pair : pair + 2], "big") ^ 1 << (place + 1)
    content[pair : pair + 2] = value.to_bytes(2, "big")


def _change(path: Path, numbers: Sequence[int], change) -> Path:  # type: ignore[no-untyped-def]
    content = path.read_bytes()
    packets = packets_of(path, "video")[0]
    for number in numbers:
        packet = packets[number][2]
        assert content.count(packet) == 1
        content = content.replace(packet, change(packet, number))
    path.write_bytes(content)
    return path
