"""Each stage trains, resumes exactly, and hands its weights to the next."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml

from vidrestore.daefr import DaefrConfig, load
from vidrestore.errors import UsageError, WeightsError
from vidrestore.training import association, codebook, fidelity, restoration
from vidrestore.training.config import TrainConfig, read_config
from vidrestore.training.stage_weights import load_vqgan

SMALL = DaefrConfig(
    name="compact",
    image_size=32,
    encoder_widths=(16, 16),
    encoder_stem=2,
    decoder_widths=(16, 16),
    decoder_stem=2,
    encoder_blocks=1,
    decoder_blocks=1,
    level_attention=False,
    groups=4,
    embedding=16,
    codes=12,
    fusion_heads=2,
    width=16,
    layers=1,
    heads=2,
    feedforward=16,
    fidelity_sides=(16,),
)


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(codebook.NETWORKS, "compact", SMALL)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    faces = tmp_path / "faces"
    faces.mkdir()
    rng = np.random.default_rng(0)
    for i in range(12):
        cv2.imwrite(str(faces / f"{i}.png"), cv2.resize(rng.integers(0, 255, (5, 5, 3), np.uint8), (32, 32)))
    values = {
        "network": "compact",
        "steps": 4,
        "output": str(tmp_path / "out"),
        "precision": "float32",
        "device": "cpu",
        "data": {"faces": str(faces), "validation_share": 0.0},
        "loss": {
            "perceptual": "edges",
            "adversarial_from": 2,
            "discriminator_filters": 4,
            "feature_matching": 1.0,
            "features": 2.0,
        },
        "optim": {"learning_rate": 1e-3, "batch": 2, "ema": 0.9, "schedule": "cosine"},
        "save_every": 2,
        "log_every": 1,
    }
    path = tmp_path / "stage.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def weights(path: Path) -> torch.Tensor:
    return torch.cat([p.flatten() for p in load_vqgan(path).state_dict().values()])


def test_a_run_that_was_stopped_and_resumed_equals_one_that_was_not(config: Path, tmp_path: Path) -> None:
    settings = ["quantise_from=1", "renew_every=1"]
    undisturbed = codebook.train(config, [*settings, f"output={tmp_path / 'a'}"])
    stage, stopped = codebook.CodebookStage, f"output={tmp_path / 'b'}"
    original, calls = stage.step, 0

    def dies_at_the_third(self, batch, step):  # type: ignore[no-untyped-def]
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return original(self, batch, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "step", dies_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            codebook.train(config, [*settings, stopped])
    resumed = codebook.train(config, [*settings, stopped])
    assert torch.equal(weights(resumed), weights(undisturbed))
    assert not torch.equal(weights(resumed), weights(codebook.train(config, ["steps=2"])))


def test_the_three_stages_follow_each_other(config: Path, tmp_path: Path) -> None:
    hq = codebook.train(config, [f"output={tmp_path / 'hq'}"])
    lq = codebook.train(config, [f"output={tmp_path / 'lq'}", "domain=lq", f"start.autoencoder={hq}"])
    both = association.train(config, [f"output={tmp_path / 'assoc'}", f"start.hq={hq}", f"start.lq={lq}"])
    final = restoration.train(
        config, [f"output={tmp_path / 'rest'}", f"start.hq={hq}", f"start.association={both}"]
    )
    network = load(final)
    again = restoration.train(
        config,
        [f"output={tmp_path / 'again'}", f"start.hq={hq}", f"start.association={both}", "steps=1",
         f"start.network={final}", "optim.learning_rate=1e-9"],
    )  # fmt: skip
    table = load(again).code_predictor.position_emb
    assert torch.allclose(table, network.code_predictor.position_emb, atol=1e-6)
    first = load_vqgan(hq)
    # The decoder and the codebook are the first stage's and take no gradient; the encoders are trained.
    assert torch.equal(network.decoder.conv_in.weight, first.decoder.conv_in.weight)
    assert torch.equal(network.codebook.embedding.weight, first.codebook.embedding.weight)
    associated = load_vqgan(both, "lq.")
    assert not torch.equal(network.lq_encoder.conv_in.weight, associated.encoder.conv_in.weight)
    assert (network.lq_encoder.conv_in.weight - associated.encoder.conv_in.weight).abs().max() < 0.02

    faithful = load(fidelity.train(config, [f"output={tmp_path / 'fidelity'}", f"start.network={final}"]))
    # The last stage adds skips, which it trains, and leaves the network without them as it was.
    faces = torch.rand(2, 3, 32, 32) * 2 - 1
    assert torch.equal(faithful(faces), network(faces))
    assert all(p.abs().max() > 0 for p in faithful.fidelity.parameters())


def test_a_stage_without_its_start_weights_says_which_it_needs(config: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"set start\.hq"):
        restoration.train(config, [])
    with pytest.raises(WeightsError, match="train the stage before"):
        restoration.train(config, [f"start.hq={tmp_path / 'nothing.safetensors'}"])


def test_a_misspelt_setting_is_refused_by_name(config: Path) -> None:
    with pytest.raises(UsageError, match=r"optim\.learning_rat: Extra inputs"):
        read_config(config, ["optim.learning_rat=1"])


def test_every_training_configuration_of_the_project_is_valid() -> None:
    folder = Path(__file__).parents[2] / "configs" / "train"
    stages = [p for p in sorted(folder.glob("*.yaml")) if p.stem != "landmarks"]
    assert len(stages) == 9
    for path in stages:
        assert isinstance(read_config(path, []), TrainConfig)


def test_training_learns_to_restore_what_it_sees(config: Path, tmp_path: Path) -> None:
    """The autoencoder's error on a dozen faces falls in sixty steps."""
    overrides = ["steps=60", "loss.adversarial_from=1000", "optim.learning_rate=0.003", "log_every=5"]
    codebook.train(config, [*overrides, "quantise_from=1000"])
    lines = (tmp_path / "out" / "log.jsonl").read_text().splitlines()
    errors = [json.loads(line)["pixel"] for line in lines]
    assert np.mean(errors[-3:]) < 0.85 * errors[0]
