"""A node from IMAGE to IMAGE: restores pictures or short clips in memory, in ComfyUI's process."""

from __future__ import annotations

from typing import Any

import comfy.model_management
import comfy.utils
import numpy as np
import torch
from comfy_api.latest import io

from .video_node import FIDELITIES


class RestoreImages(io.ComfyNode):  # type: ignore[misc] # of ComfyUI, which has no types here
    """Restores the faces in a batch of images: frames of one clip, or unrelated pictures."""

    @classmethod
    def define_schema(cls) -> Any:
        return io.Schema(
            node_id="VidrestoreImages",
            display_name="Restore Faces (Images)",
            category="image/vidrestore",
            description="Restores faces in images or a short clip; Restore Faces (Video) is for long ones.",
            inputs=[
                io.Image.Input("images"),
                io.Boolean.Input(
                    "is_clip", default=True, tooltip="Frames of one clip in order; off: unrelated pictures."
                ),
                io.Float.Input("frame_rate", default=25.0, min=1.0, max=240.0, step=0.001),
                io.Float.Input("strength", default=1.0, min=0.0, max=1.0, step=0.05),
                io.Combo.Input("fidelity", options=FIDELITIES, default="auto"),
            ],
            outputs=[io.Image.Output(display_name="images"), io.Mask.Output(display_name="changed")],
        )

    @classmethod
    def execute(cls, images: Any, is_clip: bool, frame_rate: float, strength: float, fidelity: str) -> Any:
        try:
            from vidrestore import Restorer
        except ImportError as error:
            raise RuntimeError(
                "this node needs vidrestore in ComfyUI's own Python (pip install vidrestore there); Restore "
                f"Faces (Video) does not: {error}"
            ) from error
        pictures = [np.clip(image, 0, 1) for image in images.cpu().numpy().astype(np.float32)]
        bar, results = comfy.utils.ProgressBar(len(pictures)), []
        with Restorer(strength=strength, fidelity=_number(fidelity)) as restorer:
            stream = (
                restorer.frames(pictures, frame_rate=frame_rate) if is_clip else map(restorer.image, pictures)
            )
            for number, restored in enumerate(stream, 1):
                comfy.model_management.throw_exception_if_processing_interrupted()
                results.append(restored)
                bar.update_absolute(number, len(pictures))
        pixels = np.stack([restored.picture for restored in results])
        masks = np.stack([restored.mask for restored in results]).astype(np.float32)
        return io.NodeOutput(torch.from_numpy(pixels), torch.from_numpy(masks))


def _number(fidelity: str) -> Any:
    return fidelity if fidelity == "auto" else float(fidelity)
