"""The state of a face between alignment and compositing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from torch import Tensor

from vidrestore.restoration.face_estimate import FaceEstimate, FusedFace
from vidrestore.restoration.generator import FaceCodes, FaceFeatures
from vidrestore.restoration.neighbours import FrameValues, with_track_neighbours
from vidrestore.restoration.tensor_pictures.pictures import (
    TensorAlignedFace,
    TensorEstimate,
    TensorFused,
    TensorPicture,
)
from vidrestore.runtime.pipeline_threads import map_in_batches
from vidrestore.runtime.worker_threads import WorkerPool
from vidrestore.types import AlignedFace, FloatArray, Frame, FrameFaces

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceState:
    """A face with the results of the steps so far."""

    aligned: AlignedFace
    distance: int = 0
    """Distance in frames from the only wanted frame; 0 if all frames are wanted."""
    picture: FloatArray | Tensor
    """The aligned picture (S, S, 3) with stabilised brightness, or (3, S, S) on a device."""
    estimate: FaceEstimate | TensorEstimate | None = None
    features: FaceFeatures | None = None
    codes: FaceCodes | None = None
    generated: FloatArray | TensorPicture | None = None
    """The drawn face (G, G, 3); G is the size of the generator."""
    fused: FusedFace | TensorFused | None = None
    neighbours: tuple[tuple[int, Any], ...] = ()
    """Values with which the next step blends: pairs of a distance in frames and a neighbour's features or
    codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameStates:
    """A frame and the states of its faces."""

    frame: Frame
    faces: tuple[FaceState, ...]
    scene: int


def start_states(
    items: Iterable[FrameFaces[AlignedFace]], wanted: int | None = None
) -> Iterator[FrameStates]:
    """The frames with their faces before the first step. `wanted`: index of the only frame to restore."""
    for item in items:
        distance = 0 if wanted is None else abs(item.frame.index - wanted)
        faces = tuple(_start_state(face, distance) for face in item.faces)
        yield FrameStates(frame=item.frame, faces=faces, scene=item.scene)


def compute_in_batches(
    items: Iterable[FrameStates],
    select: Callable[[FaceState], P | None],
    run: Callable[[list[P]], Iterable[R]],
    store: Callable[[FaceState, R], FaceState],
    *,
    batch: int,
    max_frames: int,
    workers: WorkerPool | None,
) -> Iterator[FrameStates]:
    """Runs a step of the network on the faces of all frames, in batches.

    Args:
        items: Frames in order.
        select: Returns the input of the step for a face; None leaves the face out.
        run: The step.
        store: Returns a face with the result of the step.
        batch: Faces per batch, from any frames and tracks.
        max_frames: Limit of frames that wait for a full batch.
        workers: Threads that run the step; None: the caller's thread.
    """

    def inputs(item: FrameStates) -> list[P]:
        return [value for face in item.faces if (value := select(face)) is not None]

    for item, results in map_in_batches(
        items, inputs, run, batch=batch, max_items=max_frames, workers=workers
    ):
        if results:
            left = iter(results)
            faces = tuple(face if select(face) is None else store(face, next(left)) for face in item.faces)
            item = replace(item, faces=faces)
        yield item


def states_with_neighbours(
    items: Iterable[FrameStates], radius: int
) -> Iterator[tuple[FrameStates, list[list[tuple[int, FaceState]]]]]:
    """Each frame, `radius` frames late, with the faces of its tracks in other frames of the same scene.

    Each comes with its distance in frames, which is positive for later frames.
    """
    searched = (
        FrameValues(
            frame=item,
            scene=item.scene,
            values=[(face.aligned.track_id, face) for face in item.faces],
        )
        for item in items
    )
    for found, neighbours in with_track_neighbours(searched, radius):
        yield found.frame, neighbours


def _start_state(face: AlignedFace, distance: int) -> FaceState:
    if isinstance(face, TensorAlignedFace):
        assert face.gain == 1, "brightness is stabilised on the CPU only"
        return FaceState(aligned=face.without_crop(), distance=distance, picture=face.crop)
    return FaceState(aligned=face, distance=distance, picture=_stabilised(face))


def _stabilised(face: AlignedFace) -> FloatArray:
    return face.image if face.gain == 1 else np.minimum(face.image * np.float32(face.gain), 1)
