"""The networks of a restoration, with pictures that stay on the device between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence

import torch
from torch import Tensor

from vidrestore.evidence import Evidence
from vidrestore.restoration.fusion import drawn_share, fuse
from vidrestore.restoration.generator import FaceCodes, FaceFeatures, stack_channels_last
from vidrestore.restoration.pinned_copies import from_device, to_device
from vidrestore.restoration.restorer import NetworkRestorer, check_finite
from vidrestore.restoration.tensor_pictures.motion_average import greys_on_both, small_greys
from vidrestore.restoration.tensor_pictures.pictures import TensorEstimate, TensorFused, TensorPicture
from vidrestore.restoration.tensor_pictures.resampling import resized_tensors
from vidrestore.types import FloatArray


class TensorRestorer:
    """A `FaceRestorer` whose estimates and drawn faces are tensors.

    From the aligned faces to the fused ones, only small grey copies, flags and shares come to the CPU.
    """

    def __init__(self, restorer: NetworkRestorer) -> None:
        self._restorer = restorer

    @property
    def size(self) -> int:
        return self._restorer.size

    @property
    def estimates(self) -> bool:
        return self._restorer.estimates

    @property
    def generates(self) -> bool:
        return self._restorer.generates

    @torch.inference_mode()
    def estimate(self, faces: Sequence[FloatArray]) -> list[TensorEstimate]:
        """Estimates of faces (S, S, 3) RGB in 0..1; S is a multiple of 16 and may differ between faces."""
        estimator = self._restorer.estimator
        assert estimator is not None
        results: list[TensorEstimate | None] = [None] * len(faces)
        for indices in _groups([face.shape[0] for face in faces]):
            pictures = to_device([faces[i] for i in indices], estimator.device).permute(0, 3, 1, 2)
            with self._restorer.arithmetic():
                evidence, certain = estimator.evidence(pictures)
            finite = evidence.mean.isfinite().flatten(1).all(1)
            greys = greys_on_both(small_greys(evidence.mean))
            flags = from_device(torch.stack([certain, finite], 1))
            check_finite(all(is_finite for _, is_finite in flags))
            for n, index in enumerate(indices):
                results[index] = TensorEstimate(
                    mean=evidence.mean[n],
                    scale=evidence.scale[n],
                    given=pictures[n],
                    grey=greys[n],
                    is_certain=bool(flags[n][0]),
                )
        return [result for result in results if result is not None]

    @torch.inference_mode()
    def encode(self, faces: Sequence[Tensor | FloatArray]) -> list[FaceFeatures]:
        """Features of faces RGB in 0..1: tensors (3, S, S) of any size, or arrays (G, G, 3)."""
        generator = self._restorer.generator
        assert generator is not None
        there = [
            face if isinstance(face, Tensor) else to_device([face], generator.device)[0].permute(2, 0, 1)
            for face in faces
        ]
        small = [resized_tensors(face[None], generator.size)[0] for face in there]
        with self._restorer.arithmetic():
            return generator.encode_tensors(stack_channels_last(small))

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        return self._restorer.predict(features)

    @torch.inference_mode()
    def decode(self, codes: Sequence[FaceCodes]) -> list[TensorPicture]:
        assert self._restorer.generator is not None
        with self._restorer.arithmetic():
            drawn = self._restorer.generator.decode_tensors(codes)
        greys = greys_on_both(small_greys(drawn))
        check_finite(bool(from_device(drawn.isfinite().all()[None])[0]))
        return [TensorPicture(picture=p, grey=g) for p, g in zip(drawn, greys, strict=True)]

    @torch.inference_mode()
    def fuse(self, faces: Sequence[tuple[TensorEstimate, TensorPicture]]) -> list[TensorFused]:
        results: list[TensorFused | None] = [None] * len(faces)
        for indices in _groups([(e.mean.shape[-1], e.amount) for e, _ in faces]):
            estimates = [faces[i][0] for i in indices]
            evidence = Evidence(
                stack_channels_last([e.mean for e in estimates]),
                stack_channels_last([e.scale for e in estimates]),
            )
            drawn = stack_channels_last([faces[i][1].picture for i in indices])
            amount = self._restorer.amount if estimates[0].amount is None else estimates[0].amount
            enlarged = resized_tensors(drawn, evidence.mean.shape[-1])
            fused = fuse(evidence, enlarged, amount=amount, drawn_side=drawn.shape[-1])
            shares = from_device(drawn_share(evidence.mean, fused))
            for index, picture, share in zip(indices, fused.faces, shares, strict=True):
                results[index] = TensorFused(picture=picture, drawn=float(share))
        return [result for result in results if result is not None]


def _groups(keys: Sequence[Hashable]) -> Iterator[list[int]]:
    """The indices of equal keys, together."""
    by_key: dict[Hashable, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        by_key[key].append(index)
    yield from by_key.values()
