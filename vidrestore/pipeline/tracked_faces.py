"""The second half of the pipeline: from tracked faces to frames with restored faces."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from vidrestore.pipeline.latest_frame import LatestFrame
from vidrestore.pipeline.queue_limits import ALIGNED_AHEAD_BYTES, GPU_ITEMS_AHEAD, ITEMS_AHEAD
from vidrestore.pipeline.treatments import with_treatments
from vidrestore.report import RunStats
from vidrestore.settings import Settings
from vidrestore.types import AlignedFace, Frame, FrameFaces, RestoredFace, TrackedFace, VideoInfo

MOST_ENLARGED = 2
"""How many times as large as in the video a crop shows a face. At four times the estimate is further from the
clean face, and so is the person (measured: docs/output.md)."""

if TYPE_CHECKING:
    from vidrestore.restoration import NetworkRestorer
    from vidrestore.restoration.face_state import FrameStates


def restore_tracked(
    tracked: Iterable[FrameFaces[TrackedFace]],
    restorer: NetworkRestorer,
    info: VideoInfo,
    settings: Settings,
    stats: RunStats,
    *,
    interrupt: Callable[[], None] | None = None,
    on_mask: Callable[[Frame], None] | None = None,
) -> Generator[Frame]:
    """The frames of `restore_tracked_faces`; adds the drawn shares of their faces to `stats`.

    Args:
        tracked: Frames with tracked faces.
        restorer: The networks.
        info: The video's properties.
        settings: All settings.
        stats: Receives counts and times.
        interrupt: Ends a long wait inside `tracked`.
        on_mask: Called with the mask of each frame, before the frame is yielded.
    """
    with closing(
        restore_tracked_faces(
            tracked,
            restorer,
            info,
            settings,
            stats,
            interrupt=interrupt,
            on_mask=on_mask,
            with_crops=False,
        )
    ) as composited:
        for frame, faces in composited:
            stats.drawn.add(frame, faces)
            yield frame


def restore_tracked_faces(
    tracked: Iterable[FrameFaces[TrackedFace]],
    restorer: NetworkRestorer,
    info: VideoInfo,
    settings: Settings,
    stats: RunStats,
    *,
    interrupt: Callable[[], None] | None = None,
    on_mask: Callable[[Frame], None] | None = None,
    wanted: int | None = None,
    with_crops: bool = True,
) -> Generator[tuple[Frame, tuple[RestoredFace, ...]]]:
    """The pipeline from tracked faces on, as a generator.

    `tracked` is iterated in a thread, ahead of the network. Closing the generator ends that thread. Frames
    are enlarged here by `upscale`, so faces are searched and tracked in the input's own frames.

    Args:
        tracked: Frames with tracked faces.
        restorer: The networks.
        info: The video's properties.
        settings: All settings.
        stats: Receives counts and times.
        interrupt: Ends a long wait inside `tracked`.
        on_mask: Called with the mask of each frame, before the frame is yielded.
        wanted: Index of the only frame to restore; None: all frames.
        with_crops: Whether the pictures of the restored faces are needed. Otherwise those that are on a GPU
            are composited there, and their pictures are empty.

    Yields:
        Each frame with its faces composited, and the restored faces.
    """
    from vidrestore.colour.upscale import upscaled_info
    from vidrestore.faces.upscaled_faces import upscale_faces
    from vidrestore.restoration import (
        OomRetryRestorer,
        PaddedBatchRestorer,
        TemporalBlend,
        choose_batch_sizes,
        cpu_workers_for,
        deflicker,
        network_workers_for,
    )
    from vidrestore.restoration.stage import restored_states
    from vidrestore.restoration.tensor_pictures.choice import align_for, restorer_for_device
    from vidrestore.runtime.device import free_gpu_memory
    from vidrestore.runtime.malloc import heap_trimmer
    from vidrestore.runtime.pipeline_threads import Prefetch, map_ahead

    timer = stats.timer
    on_cpu = restorer.device.type == "cpu"
    free_bytes = free_gpu_memory(restorer.device)
    networks = restorer_for_device(restorer, free_bytes)
    oom_safe = OomRetryRestorer(networks)
    align = align_for(networks, needs_arrays=with_crops or settings.deflicker)
    trimmer, latest = heap_trimmer(), LatestFrame()
    trimmer.begin()
    with network_workers_for(restorer) as network_workers, cpu_workers_for(restorer) as cpu_workers:
        batches = choose_batch_sizes(
            upscaled_info(info, settings.upscale),
            device=restorer.device.type,
            size=restorer.size,
            workers=network_workers.count if network_workers else 1,
            faces=settings.batch,
            free_bytes=free_bytes,
            bytes_per_number=restorer.precision.itemsize,
        )
        timed_faces = timer.timed("tracking", tracked)
        aligned: Iterator[FrameFaces[AlignedFace]] = map_ahead(
            timed_faces,
            lambda item: with_treatments(
                align(
                    upscale_faces(item, settings.upscale),
                    restorer.size,
                    own_size=restorer.estimates,
                    max_reduction=max(settings.upscale // MOST_ENLARGED, 1),
                ),
                settings,
            ),
            cpu_workers,
        )
        with Prefetch(
            timer.timed("alignment", deflicker(aligned) if settings.deflicker else aligned),
            items=ITEMS_AHEAD if on_cpu else GPU_ITEMS_AHEAD,
            max_bytes=ALIGNED_AHEAD_BYTES,
            size_of=_item_bytes,
            interrupt=interrupt,
        ) as ahead:
            restored = restored_states(
                timer.untimed(ahead),
                oom_safe if info.frame_count == 1 else PaddedBatchRestorer(oom_safe, batches.faces),
                TemporalBlend(strength=settings.temporal),
                batch=batches.faces,
                max_frames=batches.frames,
                network_workers=network_workers,
                cpu_workers=cpu_workers,
                wanted=wanted,
            )
            composited = map_ahead(
                timer.timed("restoration", restored),
                lambda item: _composite_frame(
                    item, settings, with_mask=on_mask is not None, with_crops=with_crops
                ),
                cpu_workers,
            )
            for frame, faces, mask in timer.timed("compositing", composited):
                trimmer.step()
                if on_mask is not None and mask is not None:
                    on_mask(mask)
                stats.faces += 0 if frame.second_field else len(faces)
                latest.show(frame, has_faces=bool(faces))
                yield frame, faces


def _composite_frame(
    states: FrameStates, settings: Settings, *, with_mask: bool, with_crops: bool
) -> tuple[Frame, tuple[RestoredFace, ...], Frame | None]:
    """The output frame, its restored faces, and the mask of its changed pixels."""
    from vidrestore.faces.change_mask import change_mask
    from vidrestore.faces.compositing import composite, side_by_side
    from vidrestore.restoration.stage import restored_faces
    from vidrestore.restoration.tensor_pictures.finished_faces import composite_on_device

    done = (
        None if with_crops else composite_on_device(states, strength=settings.strength, grain=settings.grain)
    )
    if done is not None:
        frame, item = done
    else:
        item = restored_faces(states)
        frame = composite(item, strength=settings.strength, grain=settings.grain)
    mask = change_mask(item, frame, strength=settings.strength) if with_mask else None
    if settings.compare == "side-by-side":
        frame = side_by_side(item.frame, frame)
    return frame, item.faces, mask


def _item_bytes(item: FrameFaces[AlignedFace]) -> int:
    return item.frame.nbytes + sum(face.image.nbytes for face in item.faces)
