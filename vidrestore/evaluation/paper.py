"""The DAEFR paper's evaluation: aligned faces of 512 x 512 pixels are restored and measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.arrays import frame_from_array
from vidrestore.errors import InputError
from vidrestore.evaluation.file_pairs import PictureFiles, pair_pictures
from vidrestore.evaluation.left_out import load_fid
from vidrestore.evaluation.measures import Subject
from vidrestore.evaluation.pairing import PicturePairs
from vidrestore.evaluation.paper_faces import PaperFaces
from vidrestore.evaluation.paper_fid import PaperFid
from vidrestore.evaluation.paper_table import SETS, PaperResult, SetName, Values
from vidrestore.evaluation.pictures import read_picture
from vidrestore.faces.aligned_frame import face_of_frame
from vidrestore.jobs.segment_task import restorer_for
from vidrestore.restoration import OomRetryRestorer
from vidrestore.restoration.aligned import restore_aligned
from vidrestore.settings import Settings
from vidrestore.types import FloatArray, Progress, ProgressCallback
from vidrestore.video.picture_folder import pictures_in

SIDE = 512
"""Side of the paper's faces [px]."""
DEGRADED, CLEAN = "lq", "hq"
"""Names of the two folders of a set that has clean versions (truth)."""
_BATCH = 4
"""Faces that are restored together, unless the settings say otherwise."""
OnRestored = Callable[[str, FloatArray], None]
"""Takes a picture's name and its restored face, (512, 512, 3) RGB in 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFiles:
    """Files that FID needs in addition to the set of faces."""

    reference: Path | None = None
    """A folder of pictures or a file of statistics, which FID compares with; None: the truth, if any."""
    inception: Path | None = None
    """Weights of FID's network; None: where torch.hub keeps them."""


def evaluate_paper(
    name: SetName,
    data: Path,
    settings: Settings,
    files: PaperFiles | None = None,
    *,
    on_progress: ProgressCallback | None = None,
    on_restored: OnRestored | None = None,
) -> PaperResult:
    """The paper's measures of the faces in `data`, restored by the network that the settings name.

    Args:
        name: The set; `SETS` lists what is measured for each.
        data: For celeba, a folder that holds the folders lq and hq, with pictures of the same names in
            both; for the other sets, a folder of pictures.
        settings: Network, fidelity, precision, device and batch size.
        files: What FID needs.
        on_progress: Called after each picture.
        on_restored: Called with the name and the restored face of each picture.

    Returns:
        The measures of each picture, FID, the checks, and what could not be measured, with the reason.

    Raises:
        InputError: A picture is missing, has no partner, or is not of 512 x 512 pixels.
        UsageError: The extra `eval` is not installed.
        WeightsError, DeviceError: The networks cannot be loaded.
    """
    files = files or PaperFiles()
    pairs = _pairs(name, data)
    faces = PaperFaces(settings.device, has_truth=SETS[name].has_truth)
    network = load_fid(files.inception, faces.device)
    fid = PaperFid(network, files.reference, has_truth=SETS[name].has_truth)
    values: dict[Subject, list[Values]] = {"input": [], "result": []}
    if SETS[name].has_truth:
        values["truth"] = []
    matching = PicturePairs()
    started = time.monotonic()
    for count, (pair, shown) in enumerate(_restored(pairs, settings), 1):
        for subject, measured in faces.measure(shown).items():
            values[subject].append(measured)
        fid.add(shown)
        if "truth" in shown:
            matching.add(pair.name, *(frame_from_array(_to_uint8(shown[s])) for s in ("input", "truth")))
        if on_restored is not None:
            on_restored(pair.name, shown["result"])
        if on_progress is not None:
            on_progress(
                Progress(
                    frames=count,
                    total=len(pairs),
                    faces=count,
                    seconds=time.monotonic() - started,
                    stage="measuring",
                )
            )
    return PaperResult(
        set=name,
        about=(
            f"{settings.model} at fidelity {str(settings.fidelity).removesuffix('.0')}, "
            f"{settings.precision} on {faces.device}"
        ),
        names=tuple(pair.name for pair in pairs),
        values=values,
        fid=fid.distances(),
        checks=(matching.check(),) if SETS[name].has_truth else (),
        left_out=tuple(item for item in (fid.missing, faces.missing) if item is not None),
    )


def _pairs(name: SetName, data: Path) -> list[PictureFiles]:
    if not data.is_dir():
        raise InputError(f"there is no folder {data}; check its name")
    if not SETS[name].has_truth:
        return [
            PictureFiles(name=path.relative_to(data).as_posix(), files={"input": path})
            for path in pictures_in(data)
        ]
    folders = {part: data / part for part in (DEGRADED, CLEAN)}
    if lacking := [part for part, folder in folders.items() if not folder.is_dir()]:
        raise InputError(
            f"{data} lacks the folder {lacking[0]}: {DEGRADED} holds the degraded faces, {CLEAN} the same "
            "faces clean, by the same names"
        )
    return pair_pictures({"input": folders[DEGRADED], "truth": folders[CLEAN]}, of="input")


def _restored(
    pairs: Sequence[PictureFiles], settings: Settings
) -> Iterator[tuple[PictureFiles, dict[Subject, FloatArray]]]:
    """Each pair with its faces, (512, 512, 3) RGB in 0..1, including the restored one as "result"."""
    restorer = OomRetryRestorer(
        restorer_for(settings.model, settings.device, settings.fidelity, settings.precision)
    )
    size = settings.batch or _BATCH
    waiting = iter(pairs)
    for batch in iter(lambda: list(islice(waiting, size)), []):
        shown = [{subject: _face(path) for subject, path in pair.files.items()} for pair in batch]
        restored = restore_aligned(restorer, [s["input"] for s in shown], batch=size, own_colour=True)
        for pair, faces, result in zip(batch, shown, restored, strict=True):
            # Rounded as in a file: the paper measures faces that were saved as 8-bit PNG.
            rounded = _to_uint8(result.picture).astype(np.float32) / np.float32(255)
            yield pair, {**faces, "result": rounded}


def _face(path: Path) -> FloatArray:
    frame = read_picture(path)
    if (frame.width, frame.height) != (SIDE, SIDE):
        raise InputError(
            f"{path} is {frame.width} x {frame.height} pixels; the paper's faces are {SIDE} x {SIDE}"
        )
    return face_of_frame(frame)


def _to_uint8(face: FloatArray) -> NDArray[np.uint8]:
    return np.rint(face.clip(0, 1) * 255).astype(np.uint8)
