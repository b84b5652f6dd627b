"""Side data of frames is read without harm, whatever the frame carries."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

import vidrestore

CALLS = {
    "probe": "from vidrestore.video import probe; probe(Path(sys.argv[1]))",
    "look": "from vidrestore.video import look_at; look_at(Path(sys.argv[1]))",
    "inspect": "import vidrestore; vidrestore.inspect(sys.argv[1])",
    "restore": "import vidrestore; vidrestore.restore(sys.argv[1], sys.argv[2], overwrite=True)",
}


def _png_with_profile(path: Path, name: bytes = b"Display") -> Path:
    packed = cv2.imencode(".png", np.full((64, 80, 3), 90, np.uint8))[1].tobytes()
    body = name + b"\0\0" + zlib.compress(b"\0" * 128 + struct.pack(">I", 0))
    checksum = struct.pack(">I", zlib.crc32(b"iCCP" + body))
    path.write_bytes(packed[:33] + struct.pack(">I", len(body)) + b"iCCP" + body + checksum + packed[33:])
    return path


@pytest.mark.parametrize("call", CALLS)
def test_a_png_with_a_colour_profile_ends_no_process(tmp_path: Path, call: str) -> None:
    """The profile's name is metadata of side data, which PyAV frees although it is the frame's."""
    _png_with_profile(tmp_path / "in1.png")
    _png_with_profile(tmp_path / "in2.png", "Bildschirm · 1".encode("latin-1"))
    code = f"import gc, sys; from pathlib import Path\nfor _ in range(3): {CALLS[call]}; gc.collect()"
    for name, result in (("in1.png", "out.png"), ("in%d.png", "out%d.png")):
        if "%" in name and call in ("probe", "look"):
            continue
        command = [sys.executable, "-c", code, str(tmp_path / name), str(tmp_path / result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_pyavs_side_data_is_touched_in_one_place() -> None:
    package = Path(vidrestore.__file__).parent
    ours = r"(?<!opened)(?<!look)(?<!look_at\(source\))(?<!look_at\(self\._source\))"  # a field of that name
    touched = {
        file.name
        for file in package.rglob("*.py")
        if re.search(ours + r"\.side_data\b(?! import)", file.read_text(encoding="utf-8"))
    }
    assert touched == {"side_data.py"}
