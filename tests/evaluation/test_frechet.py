"""FID: the distance against closed forms and torchmetrics, the network against torch-fidelity's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vidrestore.errors import InputError, WeightsError
from vidrestore.evaluation.frechet import FeatureStatistics, Gaussian, frechet_distance, read_gaussian

pytest.importorskip("torchvision", reason="FID's network is built of its blocks")


def gaussian(seed: int, dimensions: int = 6, count: int = 50) -> Gaussian:
    rng = np.random.default_rng(seed)
    statistics = FeatureStatistics()
    for rows in np.split(rng.normal(seed, 1 + seed, (count, dimensions)) @ rng.random((dimensions,) * 2), 5):
        statistics.add(rows)
    return statistics.gaussian()


def test_statistics_in_parts_are_those_of_the_whole() -> None:
    rows = np.random.default_rng(3).normal(5, 2, (40, 4))
    statistics = FeatureStatistics()
    for part in np.split(rows, 8):
        statistics.add(part)
    found = statistics.gaussian()
    assert np.allclose(found.mean, rows.mean(axis=0))
    assert np.allclose(found.covariance, np.cov(rows, rowvar=False))
    assert found.count == 40
    with pytest.raises(ValueError, match="at least two"):
        FeatureStatistics().gaussian()


def test_the_distance_of_independent_features_is_its_closed_form() -> None:
    a = Gaussian(mean=np.array([0.0, 1.0]), covariance=np.diag([4.0, 9.0]))
    b = Gaussian(mean=np.array([3.0, 1.0]), covariance=np.diag([1.0, 16.0]))
    assert frechet_distance(a, b) == pytest.approx(9 + (2 - 1) ** 2 + (3 - 4) ** 2)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("count", [5, 50])
def test_the_distance_equals_torchmetrics_even_with_fewer_pictures_than_features(count: int) -> None:
    fid = pytest.importorskip("torchmetrics.image.fid")
    a, b = gaussian(1, count=count), gaussian(2, count=count)
    tensors = [torch.from_numpy(part) for g in (a, b) for part in (g.mean, g.covariance)]
    assert frechet_distance(a, b) == pytest.approx(float(fid._compute_fid(*tensors)), abs=1e-4)


def test_statistics_are_read_from_pytorch_fids_files(tmp_path: Path) -> None:
    found = gaussian(1)
    np.savez(tmp_path / "stats.npz", mu=found.mean, sigma=found.covariance)
    assert frechet_distance(read_gaussian(tmp_path / "stats.npz"), found) == pytest.approx(0, abs=1e-6)
    np.savez(tmp_path / "odd.npz", mu=found.mean, sigma=found.covariance[:3])
    for name in ("odd.npz", "absent.npz"):
        with pytest.raises(InputError, match=name):
            read_gaussian(tmp_path / name)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights."""
    from vidrestore.evaluation.inception import inception_network

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(inception_network().state_dict(), path)
    return path


def test_the_features_are_those_of_torch_fidelity(weights: Path) -> None:
    fidelity = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    from vidrestore.evaluation.inception import InceptionFeatures

    theirs = fidelity.FeatureExtractorInceptionV3("i", ["2048"], feature_extractor_weights_path=str(weights))
    codes = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, 299, 299)).astype(np.uint8))
    (expected,) = theirs(codes)
    found = InceptionFeatures(weights).of_tensor((codes.float() - 128) / 128)
    assert found.shape == (1, 2048)
    assert np.abs(found - expected.numpy()).max() < 1e-4 * np.abs(expected.numpy()).max()


def test_incomplete_inception_weights_are_refused(tmp_path: Path, weights: Path) -> None:
    from vidrestore.evaluation.inception import InceptionFeatures

    state = torch.load(weights, weights_only=True)
    state.pop("Mixed_7c.branch1x1.conv.weight")
    torch.save(state, tmp_path / "part.pth")
    with pytest.raises(WeightsError, match="lacks Mixed_7c"):
        InceptionFeatures(tmp_path / "part.pth")
