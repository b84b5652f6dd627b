"""Measures whose networks are not part of this package; they are used if installed, otherwise named."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vidrestore.types import FloatArray

if TYPE_CHECKING:
    from vidrestore.evaluation.inception import InceptionFeatures

_VGG = "vgg16-397923af.pth"
"""torchvision's file in torch.hub's folder `checkpoints`."""


_INCEPTION = ("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth")
"""FID's weights with the names of pytorch-fid and torch-fidelity, in the same folder."""
_INCEPTION_DOWNLOAD = (
    'the Inception network of pytorch-fid (91 MB, Apache-2.0), downloaded by: python -c "import torch; '
    "torch.hub.load_state_dict_from_url('https://github.com/mseitzer/pytorch-fid/releases/download/"
    "fid_weights/pt_inception-2015-12-05-6726825d.pth')\", or given by --inception"
)


class PerceptualDistance(Protocol):
    """A perceptual distance of pictures."""

    def distance(self, picture: FloatArray, truth: FloatArray) -> float:
        """The distance of two pictures (H, W, 3) RGB in 0..1; 0 for equal ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A measure that was not computed."""

    name: str
    reason: str
    """Why, and how to get it, in one sentence."""


def load_lpips(device: str) -> PerceptualDistance | LeftOut:
    """LPIPS from the package lpips with torchvision's VGG16, if both are installed; nothing is downloaded."""
    import torch

    if importlib.util.find_spec("lpips") is None:
        return LeftOut(name="LPIPS", reason="needs the package lpips: pip install 'vidrestore[eval]'")
    if not (Path(torch.hub.get_dir()) / "checkpoints" / _VGG).is_file():
        return LeftOut(
            name="LPIPS",
            reason=(
                "needs torchvision's VGG16 (528 MB, BSD-3-Clause, trained on ImageNet), downloaded by: "
                "python -c \"import lpips; lpips.LPIPS(net='vgg')\""
            ),
        )
    return _Lpips(device)


def load_fid(weights: Path | None, device: str) -> InceptionFeatures | LeftOut:
    """FID's network from a file; None: from where torch.hub keeps it, if it is there; nothing is downloaded.

    Raises:
        WeightsError: The file does not have its weights.
    """
    import torch

    folder = Path(torch.hub.get_dir()) / "checkpoints"
    found = [weights] if weights else [folder / name for name in _INCEPTION if (folder / name).is_file()]
    if not found:
        return LeftOut(name="FID", reason=f"needs {_INCEPTION_DOWNLOAD}")
    from vidrestore.evaluation.inception import InceptionFeatures

    return InceptionFeatures(found[0], device)


def fvd_left_out(*, is_video: bool) -> tuple[LeftOut, ...]:
    """FVD of videos, which this package does not compute, with a program that does."""
    if not is_video:
        return ()
    reason = (
        "compares sets of clips by the I3D network trained on Kinetics, a download that is in no package; "
        "the package cd-fvd gets it: cut each file's clips into a folder, then in Python: from cdfvd import "
        "fvd; e = fvd.cdfvd('i3d'); e.compute_real_stats(e.load_videos('truth/')); "
        "e.compute_fake_stats(e.load_videos('result/')); print(e.compute_fvd_from_stats())"
    )
    return (LeftOut(name="FVD", reason=reason),)


class _Lpips:
    def __init__(self, device: str) -> None:
        import torch

        lpips: Any = importlib.import_module("lpips")
        self._device = torch.device(device)
        self._network = lpips.LPIPS(net="vgg", verbose=False).eval().to(self._device)

    def distance(self, picture: FloatArray, truth: FloatArray) -> float:
        import torch

        with torch.inference_mode():
            pair = [
                torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1)))[None].to(self._device) * 2 - 1
                for p in (picture, truth)
            ]
            return float(self._network(*pair))
