"""A node from VIDEO to VIDEO: restores from file to file in a separate process, with little memory."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import InputImpl, io

from .running_command import run_command, source_of, temporary_file

FIDELITIES = ["auto", "0", "0.25", "0.5", "0.75", "1"]
CODECS = ["match", "h264", "hevc", "av1", "prores", "ffv1"]
_CONTAINERS = {"prores": ".mov", "ffv1": ".mkv"}


class RestoreVideo(io.ComfyNode):  # type: ignore[misc] # of ComfyUI, which has no types here
    """Restores the faces in a video; sound and all other streams are kept."""

    @classmethod
    def define_schema(cls) -> Any:
        return io.Schema(
            node_id="VidrestoreVideo",
            display_name="Restore Faces (Video)",
            category="video/vidrestore",
            description="Restores the faces in a video by vidrestore, from file to file.",
            inputs=[
                io.Video.Input("video"),
                io.Float.Input("strength", default=1.0, min=0.0, max=1.0, step=0.05),
                io.Combo.Input(
                    "fidelity",
                    options=FIDELITIES,
                    default="auto",
                    tooltip="auto draws only what the footage does not show; 1 draws nothing.",
                ),
                io.String.Input(
                    "faces",
                    default="all",
                    tooltip="all, largest, tracks (0,2), people (p0).",
                ),
                io.Combo.Input("codec", options=CODECS, default="match", tooltip="match: the input's codec."),
            ],
            outputs=[io.Video.Output(display_name="video")],
        )

    @classmethod
    def execute(cls, video: Any, strength: float, fidelity: str, faces: str, codec: str) -> Any:
        source, trim = source_of(video)
        output = temporary_file(_CONTAINERS.get(codec, source.suffix))
        words = ["restore", str(source), str(output), *trim, "--strength", f"{strength:g}"]
        run_command([*words, "--fidelity", fidelity, "--faces", faces.strip() or "all", "--codec", codec])
        return io.NodeOutput(InputImpl.VideoFromFile(str(output)))
