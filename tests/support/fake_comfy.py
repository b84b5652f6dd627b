"""A stub of ComfyUI's modules, by its documents of the V3 interface and its release 0.3.64.

Schemas are checked against the arguments of `execute`, as ComfyUI calls it with keywords.
"""

from __future__ import annotations

import inspect
from io import BytesIO
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any


class InterruptProcessingException(Exception):  # noqa: N818 - its name in ComfyUI
    pass


class Socket:
    """An input or output of a node."""

    def __init__(self, kind: str, name: str, options: dict[str, Any]) -> None:
        self.kind, self.name, self.options = kind, name, options
        assert options.keys() <= {"default", "min", "max", "step", "options", "tooltip", "display_name"}
        if "options" in options:
            assert options["default"] in options["options"]


class Kind:
    """Such as io.Float: a pair of Input and Output."""

    def __init__(self, name: str) -> None:
        self.name = name

    def Input(self, name: str, **options: Any) -> Socket:
        return Socket(self.name, name, options)

    def Output(self, **options: Any) -> Socket:
        return Socket(self.name, "", options)


class Schema:
    def __init__(
        self,
        *,
        node_id: str,
        display_name: str,
        category: str,
        description: str,
        inputs: list[Socket],
        outputs: list[Socket],
        is_output_node: bool = False,
    ) -> None:
        self.node_id, self.display_name, self.category = node_id, display_name, category
        self.inputs, self.outputs, self.is_output_node = inputs, outputs, is_output_node


class NodeOutput:
    def __init__(self, *values: Any, ui: Any = None) -> None:
        assert values
        assert not any(value is None for value in values), "an error is an exception"
        self.values, self.ui = values, ui


class ComfyNode:
    @classmethod
    def run(cls, **values: Any) -> NodeOutput:
        """As ComfyUI does: with what the user did not change at its default."""
        schema = cls.define_schema()  # type: ignore[attr-defined]
        names = [socket.name for socket in schema.inputs]
        assert list(inspect.signature(cls.execute).parameters) == names  # type: ignore[attr-defined]
        defaults = {s.name: s.options["default"] for s in schema.inputs if "default" in s.options}
        result: NodeOutput = cls.execute(**{**defaults, **values})  # type: ignore[attr-defined]
        assert len(result.values) == len(schema.outputs)
        return result


class VideoFromFile:
    """A VIDEO; a file's name or its bytes, trimmed or not."""

    def __init__(self, file: str | BytesIO, *, start_time: float = 0, duration: float = 0) -> None:
        self.file, self.window = file, (start_time, duration)

    def get_stream_source(self) -> str | BytesIO:
        return self.file

    def get_active_trim_window(self) -> tuple[float, float]:
        return self.window


class ProgressBar:
    shown: list[tuple[int, int]] = []  # noqa: RUF012 - of all bars

    def __init__(self, total: int) -> None:
        self.total = total

    def update_absolute(self, value: int, total: int | None = None, preview: Any = None) -> None:
        assert 0 <= value <= (total or self.total)
        self.shown.append((value, total or self.total))


class Comfy:
    """The modules by name, and the cancel button."""

    def __init__(self, folder: Path) -> None:
        self.is_cancelled = False
        ProgressBar.shown = []
        kinds = {name: Kind(name.upper()) for name in
                 ("Video", "Image", "Mask", "String", "Float", "Boolean", "Combo")}  # fmt: skip
        io = SimpleNamespace(ComfyNode=ComfyNode, Schema=Schema, NodeOutput=NodeOutput, **kinds)
        ui = SimpleNamespace(PreviewImage=lambda image, cls: {"images": len(image), "cls": cls})
        implementations = SimpleNamespace(VideoFromFile=VideoFromFile)
        latest = _module(
            "comfy_api.latest", io=io, ui=ui, InputImpl=implementations, ComfyExtension=type("X", (), {})
        )
        management = _module(
            "comfy.model_management",
            throw_exception_if_processing_interrupted=self._interrupt,
            InterruptProcessingException=InterruptProcessingException,
        )
        tools = _module("comfy.utils", ProgressBar=ProgressBar)
        self.modules = {
            "comfy": _module("comfy", model_management=management, utils=tools),
            "comfy.model_management": management,
            "comfy.utils": tools,
            "comfy_api": _module("comfy_api", latest=latest),
            "comfy_api.latest": latest,
            "folder_paths": _module("folder_paths", get_temp_directory=lambda: str(folder / "temp")),
        }

    def _interrupt(self) -> None:
        if self.is_cancelled:
            raise InterruptProcessingException


def _module(name: str, **values: Any) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(values)
    return module
