"""The networks of a restoration, with pictures that stay on the device between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from vidrestore.evidence import Evidence
from vidrestore.restoration.fusion import fuse
from vidrestore.restoration.generator import FaceCodes, FaceFeatures, stack_channels_last
from vidrestore.restoration.pinned_copies import Download, download, to_device
from vidrestore.restoration.restorer import NetworkRestorer, check_finite
from vidrestore.restoration.tensor_pictures.motion_average import small_greys, start_greys
from vidrestore.restoration.tensor_pictures.pictures import (
    SmallGrey,
    TensorEstimate,
    TensorFused,
    TensorPicture,
)
from vidrestore.restoration.tensor_pictures.resampling import resized_tensors
from vidrestore.runtime.launching_thread import launch
from vidrestore.types import FloatArray


class TensorRestorer:
    """A `FaceRestorer` whose estimates and drawn faces are tensors.

    From the aligned faces to the fused ones, only small grey copies, flags and shares come to the CPU.
    """

    def __init__(self, restorer: NetworkRestorer) -> None:
        self._restorer = restorer

    @property
    def device(self) -> torch.device:
        """Where the networks, and so the pictures, are."""
        part = self._restorer.estimator or self._restorer.generator
        assert part is not None
        return part.device

    @property
    def size(self) -> int:
        return self._restorer.size

    @property
    def estimates(self) -> bool:
        return self._restorer.estimates

    @property
    def generates(self) -> bool:
        return self._restorer.generates

    def estimate(self, faces: Sequence[Tensor | FloatArray]) -> list[TensorEstimate]:
        """Estimates of faces RGB in 0..1: tensors (3, S, S), or arrays (S, S, 3).

        S is a multiple of 16 and may differ between faces.
        """
        results: list[TensorEstimate | None] = [None] * len(faces)
        for indices in _groups([face.shape[1] for face in faces]):
            there = _on_device([faces[i] for i in indices], self.device)
            wait = self._restorer.launch(partial(self._start_estimates, there))
            for index, estimate in zip(indices, wait(), strict=True):
                results[index] = estimate
        return [result for result in results if result is not None]

    def _start_estimates(self, faces: Sequence[Tensor]) -> Callable[[], list[TensorEstimate]]:
        """Launches the estimates of faces of the same size; the returned function waits for them."""
        estimator = self._restorer.estimator
        assert estimator is not None
        pictures = stack_channels_last(faces)
        found = estimator.evidence(pictures)
        evidence = found.evidence
        finite = evidence.mean.isfinite().flatten(1).all(1)
        wait_for_greys = start_greys(small_greys(evidence.mean))
        copied = download(torch.stack([found.certain, finite], 1))

        def wait() -> list[TensorEstimate]:
            flags = copied.arrays()
            check_finite(all(is_finite for _, is_finite in flags))
            return [
                TensorEstimate(
                    mean=evidence.mean[n],
                    scale=evidence.scale[n],
                    given=pictures[n],
                    grey=grey,
                    change=found.change[n],
                    is_certain=bool(flags[n][0]),
                )
                for n, grey in enumerate(wait_for_greys())
            ]

        return wait

    def encode(self, faces: Sequence[Tensor | FloatArray]) -> list[FaceFeatures]:
        """Features of faces RGB in 0..1: tensors (3, S, S) of any size, or arrays (G, G, 3)."""
        generator = self._restorer.generator
        assert generator is not None
        there = _on_device(faces, self.device)

        def run() -> list[FaceFeatures]:
            small = [resized_tensors(face[None], generator.size)[0] for face in there]
            return generator.encode_tensors(stack_channels_last(small))

        return self._restorer.launch(run)

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        return self._restorer.predict(features)

    def decode(self, codes: Sequence[FaceCodes]) -> list[TensorPicture]:
        generator = self._restorer.generator
        assert generator is not None

        def start() -> tuple[Tensor, Callable[[], list[SmallGrey]], Download]:
            drawn = generator.decode_tensors(codes)
            return drawn, start_greys(small_greys(drawn)), download(drawn.isfinite().all()[None])

        drawn, wait_for_greys, finite = self._restorer.launch(start)
        check_finite(bool(finite.arrays()[0]))
        return [TensorPicture(picture=p, grey=g) for p, g in zip(drawn, wait_for_greys(), strict=True)]

    def fuse(self, faces: Sequence[tuple[TensorEstimate, TensorPicture]]) -> list[TensorFused]:
        results: list[TensorFused | None] = [None] * len(faces)
        for indices in _groups([(e.mean.shape[-1], e.amount) for e, _ in faces]):
            pictures, shares = launch(self.device, partial(self._start_fusion, [faces[i] for i in indices]))
            for index, picture, share in zip(indices, pictures, shares.arrays(), strict=True):
                results[index] = TensorFused(picture=picture, drawn=float(share))
        return [result for result in results if result is not None]

    def _start_fusion(self, faces: Sequence[tuple[TensorEstimate, TensorPicture]]) -> tuple[Tensor, Download]:
        """The fused pictures, and their shares of drawn detail, of faces of the same size and amount."""
        estimates = [estimate for estimate, _ in faces]
        evidence = Evidence(
            stack_channels_last([e.mean for e in estimates]),
            stack_channels_last([e.scale for e in estimates]),
        )
        drawn = stack_channels_last([drawn.picture for _, drawn in faces])
        amount = self._restorer.amount if estimates[0].amount is None else estimates[0].amount
        enlarged = resized_tensors(drawn, evidence.mean.shape[-1])
        change = torch.stack([estimate.change for estimate in estimates])
        fused = fuse(evidence, enlarged, change=change, amount=amount, drawn_side=drawn.shape[-1])
        return fused.faces, download(fused.drawn_share)


def _on_device(faces: Sequence[Tensor | FloatArray], device: torch.device) -> list[Tensor]:
    """(3, S, S) each; arrays, which have the same size, are copied together."""
    arrays = [face for face in faces if not isinstance(face, Tensor)]
    copied = iter(to_device(arrays, device).permute(0, 3, 1, 2)) if arrays else iter(())
    return [face if isinstance(face, Tensor) else next(copied) for face in faces]


def _groups(keys: Sequence[Hashable]) -> Iterator[list[int]]:
    """The indices of equal keys, together."""
    by_key: dict[Hashable, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        by_key[key].append(index)
    yield from by_key.values()
