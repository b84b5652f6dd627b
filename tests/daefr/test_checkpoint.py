"""Weights are read safely and completely, or refused with one error message."""

from __future__ import annotations

import os
import pickle
import re
import sys
import tomllib
import types
from pathlib import Path

import pytest
import torch

from benchmarks.formula import authors_names, formula_weights
from tests.support.networks import SMALL
from vidrestore.daefr import Daefr, load, save
from vidrestore.daefr.checkpoint import load as load_with_config
from vidrestore.daefr.checkpoint import read_checkpoint
from vidrestore.errors import WeightsError


@pytest.fixture
def authors_state() -> dict[str, torch.Tensor]:
    names = authors_names(Daefr(SMALL))
    training_only = {
        "vqvae.Fixed_encoder.conv_in.weight": [4],
        "vqvae.LQ_quantize.embedding.weight": [4],
        "vqvae.HQ_quantize.embedding.weight": [4],
        "vqvae.encoder.mid.attn_1.norm2.weight": [4],
    }
    return formula_weights(names | training_only)


def test_saved_weights_rebuild_their_own_network(tmp_path: Path) -> None:
    network = Daefr(SMALL)
    save(network, tmp_path / "w.safetensors", torch.float32)
    again = load(tmp_path / "w.safetensors")
    assert again.config == SMALL
    assert all(
        torch.equal(a, b)
        for a, b in zip(network.state_dict().values(), again.state_dict().values(), strict=True)
    )


def test_loading_draws_no_random_weights_first(tmp_path: Path) -> None:
    """That took longer than reading those of the file."""
    save(Daefr(SMALL), tmp_path / "w.safetensors")
    before = torch.get_rng_state()
    load(tmp_path / "w.safetensors")
    assert torch.equal(torch.get_rng_state(), before)


def test_what_was_loaded_does_not_change_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save(Daefr(SMALL), path, torch.float32)
    network = load(path)
    before = [tensor.clone() for tensor in network.state_dict().values()]
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        file.write(bytes(size))
    assert all(torch.equal(a, b) for a, b in zip(network.state_dict().values(), before, strict=True))


@pytest.mark.parametrize("prefix", ["vqvae.", ""])
def test_the_authors_keys_load_with_or_without_their_prefix(
    tmp_path: Path, authors_state: dict[str, torch.Tensor], prefix: str
) -> None:
    state = {key.replace("vqvae.", prefix): tensor for key, tensor in authors_state.items()}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "m.ckpt")
    network = load_with_config(tmp_path / "m.ckpt", SMALL)
    assert torch.equal(network.decoder.conv_in.weight, authors_state["vqvae.decoder.conv_in.weight"])


def test_a_lightning_checkpoint_loads_without_lightning(
    tmp_path: Path, authors_state: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "pytorch_lightning.callbacks.model_checkpoint"
    module = types.ModuleType(name)
    module.ModelCheckpoint = type("ModelCheckpoint", (), {"__module__": name})  # type: ignore[attr-defined]
    parents = ("pytorch_lightning", "pytorch_lightning.callbacks")
    monkeypatch.setitem(sys.modules, name, module)
    for parent in parents:
        monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
    callbacks = {module.ModelCheckpoint: {"best": 1.0}}
    torch.save({"state_dict": authors_state, "callbacks": callbacks}, tmp_path / "m.ckpt")
    for package in (name, *parents):
        monkeypatch.delitem(sys.modules, package)
    assert load_with_config(tmp_path / "m.ckpt", SMALL).config == SMALL


def test_code_in_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path}/ran",)

    torch.save({"state_dict": Evil()}, tmp_path / "evil.ckpt")
    with pytest.raises(WeightsError, match="cannot be read"):
        read_checkpoint(tmp_path / "evil.ckpt")
    assert not (tmp_path / "ran").exists()


def test_an_incomplete_checkpoint_is_refused_by_the_name_of_what_is_missing(
    tmp_path: Path, authors_state: dict[str, torch.Tensor]
) -> None:
    del authors_state["feat_emb.bias"]
    torch.save({"state_dict": authors_state}, tmp_path / "m.ckpt")
    with pytest.raises(WeightsError, match=r"lacks code_predictor\.feat_emb\.bias"):
        load_with_config(tmp_path / "m.ckpt", SMALL)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save({"layer1.0.weight": torch.zeros(3)}, tmp_path / "resnet.pth")
    with pytest.raises(WeightsError, match=r"another network: it has layer1\.0\.weight"):
        load(tmp_path / "resnet.pth")


def test_weights_of_another_shape_are_refused(tmp_path: Path, authors_state: dict[str, torch.Tensor]) -> None:
    authors_state["position_emb"] = torch.zeros(3, 3)
    torch.save({"state_dict": authors_state}, tmp_path / "m.ckpt")
    with pytest.raises(WeightsError, match=r"position_emb is \(3, 3\)"):
        load_with_config(tmp_path / "m.ckpt", SMALL)


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"hello there", pickle.dumps([1, 2, 3])])
@pytest.mark.parametrize("suffix", ["safetensors", "ckpt"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"broken.{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="broken"):
        load(path)


def test_the_oldest_pytorch_allowed_can_read_the_authors_checkpoints() -> None:
    """`torch.serialization.get_unsafe_globals_in_checkpoint` and named `safe_globals` came with 2.6."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    (oldest,) = (re.fullmatch(r"torch>=(\d+)\.(\d+)", line) for line in project["dependencies"]
                 if line.startswith("torch>="))  # fmt: skip
    assert oldest is not None
    assert (int(oldest[1]), int(oldest[2])) >= (2, 6)


def test_all_tests_are_run_with_the_oldest_versions_allowed() -> None:
    workflow = (Path(__file__).parents[2] / ".github" / "workflows" / "tests.yml").read_text("utf-8")
    _, _, job = workflow.partition("minimum-versions:")
    assert "--resolution lowest-direct" in job
    assert 'pytest -m ""' in job
