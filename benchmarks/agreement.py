"""Each measure of `vidrestore evaluate` beside the same measure of another library, on the same pictures.

    python -m benchmarks.agreement [--write docs/evaluation.md]

The pictures are scikit-image's astronaut, damaged in four ways with a fixed seed; a row states the values of
the pair that differs most. Networks whose weights are a download get random weights, one file for both
libraries: then the arithmetic is compared, not the published value. --write puts the table between its marks
in a document.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from scipy import ndimage
from skimage import data
from torch import Tensor

from vidrestore.evaluation import image
from vidrestore.evaluation.frechet import FeatureStatistics, frechet_distance
from vidrestore.evaluation.left_out import LeftOut, load_lpips
from vidrestore.identity import identity_angle, identity_distance
from vidrestore.types import FloatArray

TOLERANCE = 1e-4
BEGIN, END = "<!-- agreement: python -m benchmarks.agreement --write -->", "<!-- /agreement -->"
_VGG = "vgg16-397923af.pth"

Pair = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A measure by this project and by another library, of the pair on which they differ most."""

    measure: str
    library: str
    own: float
    other: float
    remark: str = ""

    @property
    def difference(self) -> float:
        return abs(self.own - self.other)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    arguments = parser.parse_args()
    lines = table(agreements())
    print("\n".join(lines))
    if arguments.write is not None:
        write_between_marks(arguments.write, lines)


def agreements() -> list[Agreement]:
    """All measures for which there is another library."""
    return [*of_pictures(), *of_descriptions(), *of_lpips(), *of_fid()]


def pairs() -> list[Pair]:
    """Damaged pictures (256, 256, 3) in 0..1, each with its truth."""
    truth = (data.astronaut()[:256, 100:356] / np.float32(255)).astype(np.float32)
    rng = np.random.default_rng(0)
    noise = truth + rng.normal(0, 0.05, truth.shape)
    small = cv2.resize(truth, (96, 96), interpolation=cv2.INTER_AREA)
    codes = np.rint(truth * 255).astype(np.uint8)
    coded = cv2.imdecode(cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)
    damaged = [
        noise,
        cv2.GaussianBlur(truth, (0, 0), 1.5),
        cv2.resize(small, (256, 256), interpolation=cv2.INTER_CUBIC),
        np.asarray(coded) / 255,
    ]
    return [(np.clip(picture, 0, 1).astype(np.float32), truth) for picture in damaged]


def of_pictures() -> Iterator[Agreement]:
    """PSNR, SSIM, MS-SSIM and edge energy."""
    import piq
    import torchmetrics.functional.image as metrics

    def tensors(function: Callable[..., Any], **how: Any) -> Callable[[FloatArray, FloatArray], float]:
        return lambda a, b: float(function(as_tensor(a), as_tensor(b), **how))

    def inner_ssim(a: FloatArray, b: FloatArray) -> float:
        whole = metrics.structural_similarity_index_measure(
            as_tensor(a), as_tensor(b), data_range=1.0, return_full_image=True
        )[1]
        return float(whole[..., 5:-5, 5:-5].mean())

    def rgb_ssim(a: FloatArray, b: FloatArray) -> float:
        return image.ssim(a, b, "rgb")

    ratio = metrics.peak_signal_noise_ratio
    multi_scale = metrics.multiscale_structural_similarity_index_measure
    yield _worst("PSNR [dB]", "piq", image.psnr, tensors(piq.psnr, data_range=1.0))
    yield _worst("PSNR [dB]", "torchmetrics", image.psnr, tensors(ratio, data_range=1.0))
    yield _worst("SSIM", "piq", rgb_ssim, tensors(piq.ssim, downsample=False, data_range=1.0))
    remark = "where the window fits"
    yield _worst("SSIM", "torchmetrics", rgb_ssim, inner_ssim, remark)
    yield _worst("MS-SSIM", "torchmetrics", image.ms_ssim, tensors(multi_scale, data_range=1.0))
    yield _worst("edge energy", "scipy", image.edge_energy_ratio, _edge_energy_ratio)


def of_descriptions() -> Iterator[Agreement]:
    """Angle and distance of descriptions as a recogniser gives them."""
    from torchmetrics.functional import pairwise_cosine_similarity, pairwise_euclidean_distance

    rng = np.random.default_rng(1)
    a, b = (rng.normal(0, 0.1, 128).astype(np.float32) for _ in range(2))
    b = (a + 0.5 * b).astype(np.float32)
    rows = [torch.from_numpy(vector).double()[None] for vector in (a, b)]
    angle = float(torch.rad2deg(torch.arccos(pairwise_cosine_similarity(*rows))))
    yield Agreement(
        measure="identity angle [°]", library="torchmetrics", own=identity_angle(a, b), other=angle
    )
    distance = float(pairwise_euclidean_distance(*rows))
    yield Agreement(
        measure="identity distance", library="torchmetrics", own=identity_distance(a, b), other=distance
    )


def of_lpips() -> Iterator[Agreement]:
    """LPIPS by this project, which uses the package lpips, and by torchmetrics."""
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity

    with vgg16() as remark:
        network = load_lpips("cpu")
        if isinstance(network, LeftOut):
            return

        def other(a: FloatArray, b: FloatArray) -> float:
            found = learned_perceptual_image_patch_similarity(
                as_tensor(a), as_tensor(b), net_type="vgg", normalize=True
            )
            return float(found)

        yield _worst("LPIPS", "torchmetrics", network.distance, other, remark)


def of_fid() -> Iterator[Agreement]:
    """The distance of two sets, and the network's features."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    from torchmetrics.image.fid import _compute_fid

    from vidrestore.evaluation.inception import InceptionFeatures, inception_network

    gaussians = []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        statistics = FeatureStatistics()
        statistics.add(rng.normal(0.1 * seed, 0.3, (200, 64)) @ rng.normal(0, 0.3, (64, 64)))
        gaussians.append(statistics.gaussian())
    parts = [torch.from_numpy(part) for g in gaussians for part in (g.mean, g.covariance)]
    distance = float(_compute_fid(*parts))
    yield Agreement(
        measure="Fréchet distance", library="torchmetrics", own=frechet_distance(*gaussians), other=distance
    )
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "inception.pth"
        torch.manual_seed(0)
        torch.save(inception_network().state_dict(), weights)
        theirs = FeatureExtractorInceptionV3("i", ["2048"], feature_extractor_weights_path=str(weights))
        codes = np.random.default_rng(0).integers(0, 256, (1, 3, 299, 299)).astype(np.uint8)
        (features,) = theirs(torch.from_numpy(codes))
        own = InceptionFeatures(weights).of_tensor((torch.from_numpy(codes).float() - 128) / 128)[0]
    peak = float(np.abs(own).max())
    differences = np.abs(own - features[0].numpy())
    worst = int(differences.argmax() if differences.any() else own.argmax())
    yield Agreement(
        measure="FID's features",
        library="torch-fidelity",
        own=float(own[worst]) / peak,
        other=float(features[0, worst]) / peak,
        remark="random weights; as shares of the largest feature",
    )


@contextmanager
def vgg16() -> Iterator[str]:
    """torch.hub's folder with torchvision's VGG16 in it, and what is to be said of its weights."""
    from torchvision.models import vgg16 as make

    if (Path(torch.hub.get_dir()) / "checkpoints" / _VGG).is_file():
        yield ""
        return
    before = torch.hub.get_dir()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "checkpoints").mkdir()
        torch.manual_seed(0)
        torch.save(make(weights=None).state_dict(), Path(folder) / "checkpoints" / _VGG)
        torch.hub.set_dir(folder)
        try:
            yield "random weights of VGG16, published heads"
        finally:
            torch.hub.set_dir(before)


def table(found: list[Agreement]) -> list[str]:
    """Lines of Markdown."""
    lines = ["| measure | beside | own | theirs | difference | |", "|---|---|---|---|---|---|"]
    for row in found:
        lines.append(
            f"| {row.measure} | {row.library} | {row.own:.6f} | {row.other:.6f} | {row.difference:.1e} "
            f"| {row.remark} |"
        )
    return lines


def write_between_marks(document: Path, lines: list[str]) -> None:
    """Replaces what is between the marks of the table. Raises ValueError where the document lacks them."""
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} lacks the marks {BEGIN} and {END}")
    document.write_text(before + begin + "\n" + "\n".join(lines) + "\n" + end + after, encoding="utf-8")


def as_tensor(picture: FloatArray) -> Tensor:
    """(1, 3, H, W)"""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]


def _worst(
    measure: str,
    library: str,
    own: Callable[[FloatArray, FloatArray], float],
    other: Callable[[FloatArray, FloatArray], float],
    remark: str = "",
) -> Agreement:
    found = [
        Agreement(measure=measure, library=library, own=own(*pair), other=other(*pair), remark=remark)
        for pair in pairs()
    ]
    return max(found, key=lambda row: row.difference)


def _edge_energy_ratio(picture: FloatArray, truth: FloatArray) -> float:
    energies = []
    for one in (picture, truth):
        plane = one.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
        energies.append(sum(np.sum(ndimage.sobel(plane, axis, mode="mirror") ** 2) for axis in (0, 1)))
    return float(energies[0] / energies[1])


if __name__ == "__main__":
    main()
