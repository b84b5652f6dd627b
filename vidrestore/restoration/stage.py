"""The restoration stage, AlignedFace -> RestoredFace: estimate, draw, fuse, in batches, blended over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypedDict, TypeVar, Unpack

import numpy as np
from torch import Tensor

from vidrestore.faces.colour_match import match_colour
from vidrestore.restoration.batched_blend import blend_codes, blend_features
from vidrestore.restoration.estimator import resized
from vidrestore.restoration.face_estimate import FaceEstimate
from vidrestore.restoration.face_state import (
    FaceState,
    FrameStates,
    compute_in_batches,
    start_states,
    states_with_neighbours,
)
from vidrestore.restoration.generator import FaceCodes, FaceFeatures
from vidrestore.restoration.pinned_copies import from_device
from vidrestore.restoration.restorer import FaceRestorer, drawing_amount
from vidrestore.restoration.temporal_blend import TemporalBlend
from vidrestore.restoration.tensor_pictures.memory import with_freed_memory
from vidrestore.restoration.tensor_pictures.pictures import TensorEstimate, TensorPicture
from vidrestore.runtime.pipeline_threads import map_ahead
from vidrestore.runtime.worker_threads import WorkerPool
from vidrestore.types import AlignedFace, FloatArray, FrameFaces, RestoredFace


class StageOptions(TypedDict, total=False):
    """The options of `restored_states`."""

    batch: int
    max_frames: int
    network_workers: WorkerPool | None
    cpu_workers: WorkerPool | None
    wanted: int | None


T = TypeVar("T")
"""The result of a step for a face: its estimate, features, codes or drawn picture."""
P = TypeVar("P")
R = TypeVar("R")


def restore(
    items: Iterable[FrameFaces[AlignedFace]],
    restorer: FaceRestorer[Any, Any, Any, Any],
    blend: TemporalBlend,
    **how: Unpack[StageOptions],
) -> Iterator[FrameFaces[RestoredFace]]:
    """The frames in the same order, with restored faces.

    Args:
        items: Frames with aligned faces.
        restorer: The networks.
        blend: How faces are blended over time.
        how: Batches, queues and workers, as for `restored_states`.
    """
    for item in restored_states(items, restorer, blend, **how):
        yield restored_faces(item)


def restored_states(
    items: Iterable[FrameFaces[AlignedFace]],
    restorer: FaceRestorer[Any, Any, Any, Any],
    blend: TemporalBlend,
    *,
    batch: int = 8,
    max_frames: int = 32,
    network_workers: WorkerPool | None = None,
    cpu_workers: WorkerPool | None = None,
    wanted: int | None = None,
) -> Iterator[FrameStates]:
    """The frames in the same order, with the results of all steps.

    Args:
        items: Frames with aligned faces.
        restorer: The networks.
        blend: How faces are blended over time.
        batch: Faces per batch, from any frames and tracks.
        max_frames: Limit of frames that wait before each step, which limits memory.
        network_workers: Threads that compute batches; None: the caller's thread.
        cpu_workers: Threads that average pictures; None: the caller's thread.
        wanted: Index of the only frame to restore; None: all frames. The other frames are returned without
            faces, and each step is computed only for frames on which the result depends.
    """
    step = partial(compute_in_batches, batch=batch, max_frames=max_frames, workers=network_workers)
    states = start_states(items, wanted)
    after_decoding = blend.reach_of(blend.picture_offsets)
    after_predicting = after_decoding + blend.reach_of(blend.code_offsets)
    after_encoding = after_predicting + blend.reach_of(blend.offsets)
    if restorer.estimates:
        states = step(states, _picture, restorer.estimate, _store_estimate)
        states = _blended(
            states, _estimate, blend.estimate, _store_estimate, blend.estimate_offsets, blend, cpu_workers
        )
    if restorer.generates:
        generator_input = partial(_generator_input, size=restorer.size)
        states = step(states, _within(after_encoding, generator_input), restorer.encode, _store_features)
        states = _store_neighbour_values(states, _features, blend.offsets, blend)
        features = _within(after_predicting, partial(_value_and_neighbours, value_of=_features))
        states = step(
            states, features, lambda faces: restorer.predict(blend_features(blend, faces)), _store_codes
        )
        states = _store_neighbour_values(states, _codes, blend.code_offsets, blend)
        codes = _within(after_decoding, partial(_value_and_neighbours, value_of=_codes))
        states = step(
            states, codes, lambda faces: restorer.decode(blend_codes(blend, faces)), _store_generated
        )
        states = _blended(
            states, _generated, blend.picture, _store_generated, blend.picture_offsets, blend, cpu_workers
        )
    if restorer.estimates and restorer.generates:
        fusion_input = _within(0, _fusion_input)
        states = step(states, fusion_input, restorer.fuse, lambda face, fused: replace(face, fused=fused))
    yield from states


def restored_faces(item: FrameStates) -> FrameFaces[RestoredFace]:
    """A frame with the restored faces of its final states, for compositing."""
    faces = tuple(_restored(face) for face in item.faces if face.distance == 0)
    return FrameFaces(frame=item.frame, faces=faces, scene=item.scene)


def _within(distance: int, select: Callable[[FaceState], P | None]) -> Callable[[FaceState], P | None]:
    """`select` for faces within this distance of the wanted frame; None for all others."""
    return lambda face: select(face) if face.distance <= distance else None


def _blended(
    items: Iterable[FrameStates],
    value_of: Callable[[FaceState], T | None],
    blend_values: Callable[[T, Sequence[tuple[int, T]]], T],
    store: Callable[[FaceState, T], FaceState],
    offsets: tuple[int, ...],
    blend: TemporalBlend,
    workers: WorkerPool | None,
) -> Iterator[FrameStates]:
    """The frames, with one value of each face blended with that of its neighbours."""

    def blend_frame(pair: tuple[FrameStates, list[list[tuple[int, FaceState]]]]) -> FrameStates:
        item, neighbours = pair
        faces = []
        for face, others in zip(item.faces, neighbours, strict=True):
            own = value_of(face)
            if own is not None:
                around = [(away, value) for away, other in others if (value := value_of(other)) is not None]
                face = store(face, blend_values(own, around))
            faces.append(face)
        return replace(item, faces=tuple(faces))

    yield from map_ahead(
        states_with_neighbours(items, offsets[-1] if blend.strength else 0), blend_frame, workers
    )


def _store_neighbour_values(
    items: Iterable[FrameStates],
    value_of: Callable[[FaceState], T | None],
    offsets: tuple[int, ...],
    blend: TemporalBlend,
) -> Iterator[FrameStates]:
    """The frames, with the values with which the next step blends each face in `FaceState.neighbours`."""
    for item, neighbours in states_with_neighbours(items, offsets[-1] if blend.strength else 0):
        faces = tuple(
            replace(
                face,
                neighbours=tuple(
                    (away, value)
                    for away, other in others
                    if abs(away) in offsets and (value := value_of(other)) is not None
                ),
            )
            for face, others in zip(item.faces, neighbours, strict=True)
        )
        yield replace(item, faces=faces)


def _value_and_neighbours(
    face: FaceState, value_of: Callable[[FaceState], T | None]
) -> tuple[T, Sequence[tuple[int, T]]] | None:
    """A face's own value, and those that `_store_neighbour_values` stored; None: it has no value."""
    value = value_of(face)
    return None if value is None else (value, face.neighbours)


def _restored(face: FaceState) -> RestoredFace:
    """The restored face for compositing."""
    aligned, estimate = face.aligned, face.estimate
    drawn = 0.0
    mean = _array(estimate.mean) if estimate is not None else None
    if mean is None:
        assert face.generated is not None
        drawn = 1.0
        given = _array(face.picture)
        picture = match_colour(resized(_array(face.generated), given.shape[0]), given)
    elif face.fused is None:
        picture = mean
    else:
        picture, drawn = _array(face.fused.picture), face.fused.drawn
    return RestoredFace(
        track_id=aligned.track_id,
        to_crop=aligned.to_crop,
        image=picture,
        estimate=mean,
        original=_array(face.picture) if isinstance(face.picture, Tensor) else aligned.image,
        landmarks=aligned.landmarks,
        opacity=aligned.opacity,
        gain=aligned.gain,
        drawn=drawn,
        treatment=aligned.treatment,
    )


def _array(picture: FloatArray | Tensor | TensorPicture) -> FloatArray:
    """A picture (S, S, 3), wherever it is."""
    if isinstance(picture, np.ndarray):
        return picture
    tensor = picture.picture if isinstance(picture, TensorPicture) else picture
    (array,) = with_freed_memory(lambda: from_device(tensor.permute(1, 2, 0)[None]))
    return array


def _generator_input(face: FaceState, size: int) -> FloatArray | Tensor | None:
    """The input of the generator; None: nothing needs to be drawn."""
    if face.estimate is None:
        return face.picture if isinstance(face.picture, Tensor) else resized(face.picture, size)
    if face.estimate.is_certain:
        return None
    mean = face.estimate.mean  # the restorer resizes tensors
    return mean if isinstance(mean, Tensor) else resized(mean, size)


def _fusion_input(
    face: FaceState,
) -> tuple[FaceEstimate | TensorEstimate, FloatArray | TensorPicture] | None:
    if face.estimate is None or face.generated is None:
        return None
    treatment = face.aligned.treatment
    amount = None if treatment is None else drawing_amount(treatment.fidelity)
    return replace(face.estimate, amount=amount), face.generated


def _picture(face: FaceState) -> Any:  # what the restorer takes: an array or a tensor
    return face.picture


def _estimate(face: FaceState) -> FaceEstimate | TensorEstimate | None:
    return face.estimate


def _features(face: FaceState) -> FaceFeatures | None:
    return face.features


def _codes(face: FaceState) -> FaceCodes | None:
    return face.codes


def _generated(face: FaceState) -> FloatArray | TensorPicture | None:
    return face.generated


def _store_estimate(face: FaceState, estimate: FaceEstimate | TensorEstimate) -> FaceState:
    if isinstance(estimate, TensorEstimate) and isinstance(face.picture, Tensor):
        return replace(face, estimate=estimate, picture=estimate.given)  # the crop's own memory is freed
    return replace(face, estimate=estimate)


def _store_features(face: FaceState, features: FaceFeatures) -> FaceState:
    return replace(face, features=features)


def _store_codes(face: FaceState, codes: FaceCodes) -> FaceState:
    return replace(face, features=None, codes=codes, neighbours=())


def _store_generated(face: FaceState, generated: FloatArray | TensorPicture) -> FaceState:
    return replace(face, codes=None, generated=generated, neighbours=())
