"""A missing download is reported with the command that gets it; an existing one is used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vidrestore.errors import WeightsError
from vidrestore.evaluation.left_out import LeftOut, fvd_left_out, load_fid, load_lpips
from vidrestore.evaluation.natural_faces import load_natural_faces
from vidrestore.types import FloatArray


def picture(seed: int) -> FloatArray:
    return np.random.default_rng(seed).random((64, 64, 3)).astype(np.float32)


def test_without_its_network_lpips_is_left_out_with_the_command_that_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    left_out = load_lpips("cpu")
    assert isinstance(left_out, LeftOut)
    assert "lpips" in left_out.reason


def test_lpips_is_measured_if_its_network_is_present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network here is a VGG16 of random weights: the distance is none of LPIPS's, the way to it is."""
    pytest.importorskip("lpips")
    models = pytest.importorskip("torchvision.models")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    torch.manual_seed(0)
    torch.save(models.vgg16(weights=None).state_dict(), tmp_path / "checkpoints" / "vgg16-397923af.pth")
    distance = load_lpips("cpu")
    assert not isinstance(distance, LeftOut)
    assert distance.distance(picture(1), picture(1)) == pytest.approx(0, abs=1e-6)
    assert distance.distance(picture(1), picture(2)) > 0


def test_fvd_of_a_video_is_left_out_with_the_name_of_a_tool_for_it() -> None:
    (fvd,) = fvd_left_out(is_video=True)
    assert fvd.name == "FVD"
    assert "cd-fvd" in fvd.reason
    assert fvd_left_out(is_video=False) == ()


def test_without_its_network_fid_is_left_out_with_the_command_that_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    left_out = load_fid(None, "cpu")
    assert isinstance(left_out, LeftOut)
    assert "--inception" in left_out.reason


def test_the_embedded_model_of_natural_faces_is_a_gaussian(tmp_path: Path) -> None:
    model = load_natural_faces()
    assert np.linalg.eigvalsh(model.covariance).min() > -1e-6
    with pytest.raises(WeightsError, match="natural pictures"):
        load_natural_faces(tmp_path / "nothing.safetensors")
