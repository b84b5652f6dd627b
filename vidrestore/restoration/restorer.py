"""The networks of a restoration on a device: evidence network and generator, joined by the fusion rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
import torch

from vidrestore.daefr import load
from vidrestore.errors import UsageError, WeightsError
from vidrestore.evidence.two_size_files import EvidenceFiles
from vidrestore.restoration.compiled import compile_backend
from vidrestore.restoration.estimator import Estimator, resized, to_evidence
from vidrestore.restoration.face_estimate import FaceEstimate, FusedFace
from vidrestore.restoration.fusion import AMOUNT, fuse
from vidrestore.restoration.generator import DaefrGenerator, FaceCodes, FaceFeatures, LookUp
from vidrestore.restoration.pinned_copies import Download, download, to_device
from vidrestore.runtime.device import choose_precision, exact_float32
from vidrestore.runtime.device_memory import place_networks
from vidrestore.runtime.launching_thread import launch
from vidrestore.runtime.mps_fallback import missing_operations_named
from vidrestore.settings import Fidelity
from vidrestore.settings.keywords import Precision
from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path

DEFAULT_SIZE = 256
"""Side of aligned faces [px] without a generator."""


R = TypeVar("R")
EstimateT = TypeVar("EstimateT")
"""An estimate: `FaceEstimate`, or tensors on a device."""
InputT = TypeVar("InputT", contravariant=True)
"""The input of the generator."""
DrawnT = TypeVar("DrawnT")
"""A drawn face."""
FusedT = TypeVar("FusedT")
"""A face after the fusion rule."""


class FaceRestorer(Protocol[EstimateT, InputT, DrawnT, FusedT]):
    """Restores aligned faces in steps, so that their results can be blended over time."""

    @property
    def size(self) -> int:
        """Side of the drawn faces [px]."""
        ...

    @property
    def estimates(self) -> bool:
        """Whether `estimate` and `fuse` are part of the restoration."""
        ...

    @property
    def generates(self) -> bool:
        """Whether `encode`, `predict` and `decode` are part of the restoration."""
        ...

    def estimate(self, faces: Sequence[FloatArray]) -> list[EstimateT]:
        """Estimates of faces (S, S, 3) RGB in 0..1; S is a multiple of 16."""
        ...

    def encode(self, faces: Sequence[InputT]) -> list[FaceFeatures]:
        """The features of faces (G, G, 3) RGB in 0..1; G is `size`."""
        ...

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        """The codes of (possibly blended) features."""
        ...

    def decode(self, codes: Sequence[FaceCodes]) -> list[DrawnT]:
        """The drawn faces (G, G, 3) RGB in 0..1 for (possibly blended) codes."""
        ...

    def fuse(self, faces: Sequence[tuple[EstimateT, DrawnT]]) -> list[FusedT]:
        """Estimates with drawn detail added where they are uncertain."""
        ...


ArrayRestorer: TypeAlias = FaceRestorer[FaceEstimate, FloatArray, FloatArray, FusedFace]
"""A restorer whose pictures are arrays."""


@dataclass(frozen=True, slots=True)
class NetworkRestorer:
    """A `FaceRestorer` with an evidence network and a generator on one device."""

    device: torch.device
    estimator: Estimator | None
    """None: plain DAEFR."""
    generator: DaefrGenerator | None
    """None: only the estimate is used."""
    amount: float = AMOUNT
    """Share of the missing detail that is drawn; see `fuse`."""
    precision: torch.dtype = torch.float32
    """Number format of the networks' convolutions."""
    is_exact: bool = False
    """Whether a GPU computes float32 products without rounding their factors to TF32."""

    @property
    def size(self) -> int:
        return self.generator.size if self.generator is not None else DEFAULT_SIZE

    @property
    def estimates(self) -> bool:
        return self.estimator is not None

    @property
    def generates(self) -> bool:
        return self.generator is not None

    def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
        assert self.estimator is not None
        estimates = self.estimator.estimate(faces, self.arithmetic)
        check_finite(_are_finite([estimate.mean for estimate in estimates]))
        return estimates

    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        generator = self.generator
        assert generator is not None
        return self.launch(lambda: generator.encode(faces))

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        generator = self.generator
        assert generator is not None
        return self.launch(lambda: generator.predict(features))

    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        generator = self.generator
        assert generator is not None
        faces = self.launch(lambda: download(generator.decode_tensors(codes).permute(0, 2, 3, 1))).arrays()
        check_finite(_are_finite(faces))
        return faces

    def fuse(self, faces: Sequence[tuple[FaceEstimate, FloatArray]]) -> list[FusedFace]:
        results = []
        for estimate, generated in faces:
            enlarged = resized(generated, estimate.mean.shape[0])
            side = generated.shape[0]
            pictures, shares = launch(self.device, partial(self._start_fusion, estimate, enlarged, side))
            results.append(FusedFace(picture=pictures.arrays()[0], drawn=float(shares.arrays()[0])))
        return results

    def _start_fusion(
        self, estimate: FaceEstimate, generated: FloatArray, drawn_side: int
    ) -> tuple[Download, Download]:
        evidence = to_evidence([estimate], self.device)
        drawn = to_device([generated], self.device).permute(0, 3, 1, 2)
        amount = self.amount if estimate.amount is None else estimate.amount
        change = torch.tensor([estimate.change], dtype=torch.float32, device=self.device)
        fused = fuse(evidence, drawn, change=change, amount=amount, drawn_side=drawn_side)
        return download(fused.faces.permute(0, 2, 3, 1)), download(fused.drawn_share)

    def launch(self, run: Callable[[], R]) -> R:
        """The result of `run`, launched on the device with the wanted arithmetic."""

        def exactly() -> R:
            with self.arithmetic():
                return run()

        return launch(self.device, exactly)

    def arithmetic(self) -> AbstractContextManager[None]:
        """A context in which the networks compute as exactly as is wanted."""
        if self.device.type == "mps":
            return missing_operations_named()
        return exact_float32(self.device) if self.is_exact else nullcontext()


def _are_finite(pictures: Sequence[FloatArray]) -> bool:
    return all(np.isfinite(picture).all() for picture in pictures)


def check_finite(is_finite: bool) -> None:
    """Raises WeightsError if the networks' pictures are not; finite weights may lead to infinite numbers."""
    if not is_finite:
        raise WeightsError(
            "the network's pictures have infinite values: its weights are damaged, or too "
            "large for this device's 16-bit arithmetic; try other weights or --device cpu"
        )


def make_restorer(
    weights: Path,
    *,
    evidence: EvidenceFiles | None = None,
    device: str = "auto",
    fidelity: Fidelity = "auto",
    look_up: LookUp | None = None,
    precision: Precision = "auto",
    compile_networks: bool = False,
) -> NetworkRestorer:
    """The restorer with these weights.

    Args:
        weights: Weights of the generator, of any DAEFR network.
        evidence: Weights of the evidence networks; None: the embedded ones.
        device: auto, cpu, cuda, cuda:N or mps.
        fidelity: 0 draws whole faces, 1 draws nothing, auto draws the missing detail.
        look_up: hard or soft; None: soft for the compact network only.
        precision: auto, float32 or bfloat16.
        compile_networks: Whether PyTorch compiles them, which needs an NVIDIA GPU.

    Raises:
        WeightsError: The weights are missing, damaged or of another network.
        DeviceError: The device is not available, or networks cannot be compiled for it.
        ProcessingError: The memory of the chosen device does not suffice; on `auto`, the CPU is used then.
    """
    amount = drawing_amount(fidelity)

    def place(where: torch.device) -> NetworkRestorer:
        number_type = choose_precision(where, precision)
        backend = compile_backend(where, compile_networks)
        estimator = generator = None
        if fidelity != 0:
            networks = (evidence or embedded_evidence()).load()
            estimator = Estimator(networks, device=where, precision=number_type, backend=backend)
        if amount > 0:
            daefr = load(weights)
            generator = DaefrGenerator(
                daefr,
                device=where,
                precision=number_type,
                look_up=look_up or ("soft" if daefr.config.name == "compact" else "hard"),
                with_detail=fidelity != 0,
                backend=backend,
            )
        return NetworkRestorer(where, estimator, generator, amount, number_type, precision == "float32")

    return place_networks(device, place, what="the networks that restore faces")


def embedded_evidence() -> EvidenceFiles:
    """The weights of the evidence networks that are inside the package."""
    names = ("evidence", "evidence_half", "evidence_refinement")
    return EvidenceFiles(*(embedded_path(f"{name}.safetensors") for name in names))


def drawing_amount(fidelity: Fidelity) -> float:
    """Share of the missing detail that is drawn: `AMOUNT` for auto and 0.5, 0 for 1, and more towards 0.

    Raises:
        UsageError: The fidelity is not auto or a number from 0 to 1.
    """
    if fidelity == "auto":
        return AMOUNT
    if not 0 <= fidelity <= 1:
        raise UsageError(f"fidelity must be auto or a number from 0 to 1, got {fidelity!r}")
    return AMOUNT * (1 - fidelity) / fidelity if fidelity > 0 else float("inf")
