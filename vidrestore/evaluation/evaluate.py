"""`evaluate`: measures a result against its truth and its input. Nothing is written."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import InputError, UsageError
from vidrestore.evaluation.evaluation import Evaluation
from vidrestore.evaluation.face_views import FaceNetworks
from vidrestore.evaluation.file_pairs import is_pictures
from vidrestore.evaluation.left_out import LeftOut, fvd_left_out, load_fid, load_lpips
from vidrestore.evaluation.measures import Subject
from vidrestore.evaluation.meter import Instruments, Meter, OnFace
from vidrestore.evaluation.moments import Moment
from vidrestore.evaluation.natural_faces import load_natural_faces
from vidrestore.evaluation.pictures import PictureMoments
from vidrestore.evaluation.videos import VideoMoments
from vidrestore.face_mesh import make_face_mesh
from vidrestore.identity import make_recogniser
from vidrestore.runtime.pipeline_threads import Prefetch
from vidrestore.settings import DEFAULT_MIN_FACE
from vidrestore.types import Progress, ProgressCallback

FRAMES_AHEAD, BYTES_AHEAD = 8, 128 * 2**20
"""Of moments that are decoded, and whose faces are found, while others are measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """The settings of an evaluation."""

    detector: str = "embedded"
    """Detector for the faces in the truth, or in the result if there is no truth."""
    device: str = "auto"
    min_face: int = DEFAULT_MIN_FACE
    """Side of the box of the smallest measured face [px]."""
    every_frame: bool = False
    """Measure PSNR and SSIM of whole frames in every frame of a video, not once a second."""
    inception: Path | None = None
    """Weights of FID's network; None: from where torch.hub keeps them, if they are there."""
    worst: int = 6
    """Number of worst faces that are kept as pictures, for each of two measures."""


def evaluate(
    result: Path,
    *,
    truth: Path | None = None,
    given: Path | None = None,
    settings: EvaluationSettings | None = None,
    on_progress: ProgressCallback | None = None,
    on_face: OnFace | None = None,
) -> Evaluation:
    """Measures a picture, a folder of pictures, a numbered sequence or a video.

    Args:
        result: The restored file or folder.
        truth: The clean original, of the same size, with the same frames or file names; None: there is none.
        given: The input of the restoration, in the same form; None: there is none.
        settings: The settings; None: the defaults.
        on_progress: Called after each frame or picture.
        on_face: Called with each measured face.

    Raises:
        WeightsError: the file of FID's network does not hold its weights.
        InputError: a file is missing, has no partner, or is of another size or length than its partner.
        UsageError: the files are not of one kind, or an extra is not installed.
    """
    settings = settings or EvaluationSettings()
    paths: dict[Subject, Path] = {"result": result}
    if truth is not None:
        paths["truth"] = truth
    if given is not None:
        paths["input"] = given
    _refuse_same(paths)
    instruments, missing = _instruments(settings)
    source = _moments(paths, instruments, settings)
    meter = Meter(tuple(paths), instruments, is_video=source.is_video, worst=settings.worst, on_face=on_face)
    began = time.monotonic()
    with Prefetch(source, items=FRAMES_AHEAD, max_bytes=BYTES_AHEAD, size_of=_bytes_of) as moments:
        for count, moment in enumerate(moments, 1):
            meter.add(moment)
            if on_progress is not None:
                seconds = time.monotonic() - began
                faces = len(meter.faces)
                on_progress(
                    Progress(
                        frames=count, total=source.total, faces=faces, seconds=seconds, stage="measuring"
                    )
                )
    if not len(meter.pictures):
        raise InputError(f"no frame of {result} could be decoded: the file is damaged or cut short")
    return Evaluation(
        paths=paths,
        is_video=source.is_video,
        size=source.size,
        names=tuple(meter.names),
        pictures=meter.pictures,
        faces=meter.faces,
        worst=tuple(face for worst in meter.worst for face in worst.faces),
        sets=meter.sets.distances(),
        checks=source.checks(),
        left_out=_left_out(paths, (*missing, *meter.sets.left_out), source.is_video),
        seconds=time.monotonic() - began,
    )


def _bytes_of(moment: Moment) -> int:
    return sum(frame.nbytes for frame in moment.frames.values())


def _refuse_same(paths: dict[Subject, Path]) -> None:
    seen: dict[Path, Subject] = {}
    for subject, path in paths.items():
        if "%" not in path.name and path.resolve() in seen:
            raise UsageError(f"{path} is given as the {seen[path.resolve()]} and as the {subject}")
        seen[path.resolve()] = subject


def _instruments(settings: EvaluationSettings) -> tuple[Instruments, tuple[LeftOut, ...]]:
    from vidrestore.detection import make_detector
    from vidrestore.runtime.device import resolve_device

    device = str(resolve_device(settings.device))
    lpips = load_lpips(device)
    networks = FaceNetworks(
        detector=make_detector("embedded", device),
        recogniser=make_recogniser(device),
        mesh=make_face_mesh(device),
    )
    missing = (lpips,) if isinstance(lpips, LeftOut) else ()
    instruments = Instruments(
        networks=networks,
        natural=load_natural_faces(),
        lpips=None if isinstance(lpips, LeftOut) else lpips,
        inception=load_fid(settings.inception, device),
    )
    return instruments, missing


def _moments(
    paths: dict[Subject, Path], instruments: Instruments, settings: EvaluationSettings
) -> PictureMoments | VideoMoments:
    if is_pictures(paths["result"]):
        return PictureMoments(
            paths, detector=settings.detector, device=settings.device, min_face=settings.min_face
        )
    return VideoMoments(
        paths,
        detector=settings.detector,
        device=settings.device,
        min_face=settings.min_face,
        every_frame=settings.every_frame,
    )


def _left_out(
    paths: dict[Subject, Path], missing: tuple[LeftOut, ...], is_video: bool
) -> tuple[LeftOut, ...]:
    if "truth" in paths:
        return (*missing, *fvd_left_out(is_video=is_video))
    return (
        LeftOut(
            name="PSNR, SSIM, LPIPS, FID, flicker and others", reason="compare with the truth: give --truth"
        ),
    )
