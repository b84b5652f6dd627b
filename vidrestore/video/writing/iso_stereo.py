"""MP4 marks stereo video by two boxes: FFmpeg writes both, but reads the second one as unknown stereo."""

from __future__ import annotations

from pathlib import Path

_STEREO, _SECOND, _UNUSED = b"st3d", b"vexu", b"free"
_HEADER = 8
_MOST_BYTES = 1 << 28


def hide_second_mark(path: Path) -> None:
    """Disables the box `vexu` where `st3d` exists, because FFmpeg would ignore the more detailed `st3d`."""
    with path.open("r+b") as file:
        at = 0
        while len(head := file.read(_HEADER)) == _HEADER:
            size = int.from_bytes(head[:4], "big")
            if size == 1:
                size = int.from_bytes(file.read(8), "big")
            if size < _HEADER:
                return
            if head[4:] == b"moov" and size < _MOST_BYTES:
                file.seek(at)
                box = file.read(size)
                found = box.find(_SECOND)
                if _STEREO in box and found > 0:
                    file.seek(at + found)
                    file.write(_UNUSED)
                return
            at += size
            file.seek(at)
