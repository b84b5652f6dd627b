"""FID of the paper's sets: against the truth, or against pictures or statistics that the user gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidrestore.errors import InputError
from vidrestore.evaluation.frechet import FeatureStatistics, Gaussian, frechet_distance, read_gaussian
from vidrestore.evaluation.left_out import LeftOut
from vidrestore.evaluation.measures import Subject
from vidrestore.evaluation.pictures import read_picture
from vidrestore.faces.aligned_frame import face_of_frame
from vidrestore.types import FloatArray
from vidrestore.video.picture_folder import pictures_in

if TYPE_CHECKING:
    from vidrestore.evaluation.inception import InceptionFeatures

_NO_REFERENCE = LeftOut(
    name="FID",
    reason=(
        "compares with FFHQ: give --reference, a folder of its pictures of 512 pixels or their statistics "
        "as an .npz file of pytorch-fid"
    ),
)


class PaperFid:
    """Collects features of faces, and computes their distance from those of the reference."""

    def __init__(
        self, network: InceptionFeatures | LeftOut, reference: Path | None, *, has_truth: bool
    ) -> None:
        """Read the reference.

        Args:
            network: FID's network, or why it is missing.
            reference: A folder of pictures or a file of statistics; None: the truth.
            has_truth: Whether each picture has a clean version.

        Raises:
            InputError: The reference cannot be read, or holds a single picture.
        """
        self._reference: Gaussian | None = None
        self._network: InceptionFeatures | None = None
        self._statistics: dict[Subject, FeatureStatistics] = {}
        self.missing: LeftOut | None = network if isinstance(network, LeftOut) else None
        if not has_truth and reference is None and self.missing is None:
            self.missing = _NO_REFERENCE
        if isinstance(network, LeftOut) or self.missing is not None:
            return
        self._network = network
        if reference is not None:
            self._reference = _read_reference(reference, network)

    def add(self, faces: dict[Subject, FloatArray]) -> None:
        """Add the faces of one picture, (512, 512, 3) RGB in 0..1 each."""
        if self._network is None:
            return
        for subject, row in zip(faces, self._network.describe(list(faces.values())), strict=True):
            self._statistics.setdefault(subject, FeatureStatistics()).add(row[None])

    def distances(self) -> dict[Subject, float]:
        """FID by file (input, result); empty where it cannot be measured.

        Raises:
            InputError: The set has a single picture, or the reference has another number of features.
        """
        if self._network is None:
            return {}
        if min(statistics.count for statistics in self._statistics.values()) < 2:
            raise InputError("FID compares sets of pictures, and this set has only one; give two or more")
        sets = {subject: statistics.gaussian() for subject, statistics in self._statistics.items()}
        reference = self._reference or sets["truth"]
        if len(reference.mean) != len(sets["result"].mean):
            raise InputError(
                f"the reference has {len(reference.mean)} features, and FID's network has 2048; "
                "make it with the default network"
            )
        return {s: frechet_distance(g, reference) for s, g in sets.items() if s != "truth" or self._reference}


def _read_reference(path: Path, network: InceptionFeatures) -> Gaussian:
    if not path.is_dir():
        return read_gaussian(path)
    statistics = FeatureStatistics()
    for picture in pictures_in(path):
        statistics.add(network.describe([face_of_frame(read_picture(picture))]))
    if statistics.count < 2:
        raise InputError(f"{path} holds one picture, and FID compares sets of them")
    return statistics.gaussian()
