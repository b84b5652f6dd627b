"""Each stage trains, resumes exactly, and passes its weights to the next."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.support.evidence import tiny_network
from tests.support.training import SMALL
from vidrestore.daefr import Daefr, load, save
from vidrestore.daefr.vqgan import Vqgan
from vidrestore.errors import UsageError, WeightsError
from vidrestore.evidence.checkpoint import save_evidence
from vidrestore.training.config import OptimConfig, TrainConfig, read_config
from vidrestore.training.loop import _set_rate, scaled_by_processes
from vidrestore.training.stage_weights import load_vqgan, save_stage
from vidrestore.training.stages import association, codebook, detail, restoration

OWN_CONFIGURATIONS = ("evidence", "evidence_half", "evidence_refinement", "landmarks")
"""Files of stages that have a configuration of another kind."""


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(codebook.NETWORKS, "compact", SMALL)


def weights(path: Path) -> torch.Tensor:
    return torch.cat([p.flatten() for p in load_vqgan(path).state_dict().values()])


def head_of(network: Daefr) -> dict[str, torch.Tensor]:
    assert network.detail_head is not None
    return network.detail_head.state_dict()


def test_a_run_that_was_stopped_and_resumed_equals_one_that_was_not(config: Path, tmp_path: Path) -> None:
    settings = ["quantise_from=1", "code_reset_every=1"]
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
        [f"output={tmp_path / 'again'}", f"start.hq={hq}", "steps=1", f"start.network={final}",
         "optim.learning_rate=1e-9"],
    )  # fmt: skip
    for name, value in load(again).state_dict().items():
        assert torch.allclose(value, network.state_dict()[name], atol=1e-6), name
    first = load_vqgan(hq)
    # The decoder and the codebook are the first stage's and take no gradient; the encoders are trained.
    assert torch.equal(network.decoder.conv_in.weight, first.decoder.conv_in.weight)
    assert torch.equal(network.codebook.embedding.weight, first.codebook.embedding.weight)
    associated = load_vqgan(both, "lq.")
    assert not torch.equal(network.lq_encoder.conv_in.weight, associated.encoder.conv_in.weight)
    assert (network.lq_encoder.conv_in.weight - associated.encoder.conv_in.weight).abs().max() < 0.02

    with_detail = load(detail.train(config, [f"output={tmp_path / 'detail'}", f"start.network={final}"]))
    # The last stage adds a detail head, which it trains, and leaves the network without it as it was.
    faces = torch.rand(2, 3, 32, 32) * 2 - 1
    assert torch.equal(with_detail(faces), network(faces))
    trained = head_of(with_detail)
    words = [f"start.network={final}", "optim.learning_rate=1e-9"]
    untrained, same = (
        head_of(load(detail.train(config, [*words, f"output={tmp_path / name}"])))
        for name in ("untrained", "same")
    )
    for name, value in trained.items():
        assert torch.equal(untrained[name], same[name])  # two runs start alike
        assert (value - untrained[name]).abs().max() > 1e-5, name  # and the stage trains every layer
    again = load(
        detail.train(
            config,
            [f"output={tmp_path / 'further'}", f"start.network={final}", "optim.learning_rate=1e-9",
             f"start.head={tmp_path / 'detail' / 'weights.safetensors'}"],
        )
    )  # fmt: skip
    # It goes on from an earlier one's head.
    for name, value in head_of(again).items():
        assert torch.allclose(value, trained[name], atol=1e-6), name


def test_a_network_without_a_detail_head_has_no_detail_stage(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replace(SMALL, detail_width=0)
    save(Daefr(plain), tmp_path / "network.safetensors")
    monkeypatch.setitem(codebook.NETWORKS, "compact", plain)
    with pytest.raises(UsageError, match="has no detail head"):
        detail.train(config, [f"start.network={tmp_path / 'network.safetensors'}"])


def test_an_evidence_network_changes_only_what_the_detail_head_learns(config: Path, tmp_path: Path) -> None:
    start = tmp_path / "network.safetensors"
    torch.manual_seed(0)
    network = Daefr(SMALL)
    save(network, start)
    network = load(start)
    results = {}
    for name, words in (
        ("alone", []),
        ("ruled", [f"start.evidence={tmp_path / 'evidence.safetensors'}"]),
        ("ruled and drawn", [f"start.evidence={tmp_path / 'evidence.safetensors'}", "loss.drawn=1"]),
    ):
        save_evidence(tiny_network(), tmp_path / "evidence.safetensors")
        weights = detail.train(config, [f"output={tmp_path / name}", f"start.network={start}", *words])
        results[name] = load(weights)
        faces = torch.rand(2, 3, 32, 32) * 2 - 1
        assert torch.equal(results[name](faces), network(faces))
    heads = [torch.cat([v.flatten() for v in head_of(n).values()]) for n in results.values()]
    assert all(torch.isfinite(values).all() for values in heads)
    assert not any(torch.equal(a, b) for a, b in pairwise(heads))


def test_the_first_stage_continues_from_a_finished_network_and_keeps_its_codes(
    config: Path, tmp_path: Path
) -> None:
    released = Daefr(SMALL)
    save(released, tmp_path / "released.safetensors", torch.float32)
    further = load_vqgan(
        codebook.train(
            config,
            [f"start.network={tmp_path / 'released.safetensors'}", "freeze_codebook=true", "optim.ema=0"],
        )
    )
    # The codebook stays, so that the code predictor remains valid; encoder and decoder are trained.
    assert torch.equal(further.codebook.embedding.weight, released.codebook.embedding.weight)
    for ours, theirs in ((further.encoder, released.hq_encoder), (further.decoder, released.decoder)):
        change = (ours.conv_in.weight - theirs.conv_in.weight).abs().max()
        assert 0 < change < 0.02


@pytest.mark.parametrize("parts", [2, 4])
def test_a_batch_worked_off_in_parts_trains_like_a_whole_one(
    config: Path, tmp_path: Path, parts: int
) -> None:
    settings = ["loss.adversarial_from=1000", "optim.batch=4", "quantise_from=1000", "steps=2"]
    whole = codebook.train(config, [*settings, f"output={tmp_path / 'whole'}"])
    pieces = codebook.train(config, [*settings, f"output={tmp_path / 'parts'}", f"optim.accumulate={parts}"])
    # Adam's first steps are as large as the learning rate wherever a gradient's sign is certain.
    different = (weights(whole) - weights(pieces)).abs() > 1e-5
    assert different.float().mean() < 0.02


def test_a_run_leaves_a_log_pictures_and_its_best_weights(config: Path, tmp_path: Path) -> None:
    codebook.train(config, [])
    out = tmp_path / "out"
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    scores = {line["step"]: line["validation"] for line in lines if "validation" in line}
    assert sorted(scores) == [2, 4]
    best = json.loads((out / "best.json").read_text())
    assert best["validation"] == pytest.approx(min(scores.values()), abs=1e-4)
    assert best["step"] == min(scores, key=scores.__getitem__)
    assert load_vqgan(out / "best.safetensors").config == SMALL
    grid = cv2.imread(str(out / "pictures" / "00000004.jpg"))
    assert grid is not None
    assert grid.shape[0] == 2 * 32  # input and output
    assert grid.shape[1] % 32 == 0


def test_the_step_schedule_falls_in_steps() -> None:
    optim = OptimConfig(learning_rate=1.0, schedule="step", decay_every=10, decay=0.1)
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.0)
    rates = []
    for step in (0, 9, 10, 25):
        _set_rate(optimizer, optim, step, 100)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1.0, 1.0, 0.1, 0.01])


@pytest.mark.parametrize(("is_scaled", "rate", "steps"), [(True, 8e-3, 100), (False, 1e-3, 800)])
def test_the_published_rule_scales_rate_and_steps_by_the_number_of_processes(
    is_scaled: bool, rate: float, steps: int, config: Path
) -> None:
    values = ["steps=800", "optim.learning_rate=0.001", f"optim.by_processes={is_scaled}"]
    values += ["loss.adversarial_from=30"]
    eight = scaled_by_processes(read_config(config, values), 8)
    assert eight.optim.learning_rate == pytest.approx(rate)
    assert (eight.steps, eight.loss.adversarial_from) == (steps, 30)
    assert scaled_by_processes(read_config(config, values), 1).steps == 800


def test_a_stage_without_its_start_weights_says_which_it_needs(config: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"set start\.hq"):
        restoration.train(config, [])
    with pytest.raises(WeightsError, match="train the previous stage"):
        restoration.train(config, [f"start.hq={tmp_path / 'nothing.safetensors'}"])


def test_a_misspelt_setting_is_refused_by_name(config: Path) -> None:
    with pytest.raises(UsageError, match=r"optim\.learning_rat: Extra inputs"):
        read_config(config, ["optim.learning_rat=1"])


def test_every_training_configuration_of_the_project_is_valid() -> None:
    folder = Path(__file__).parents[3] / "configs" / "train"
    stages = [p for p in sorted(folder.glob("*.yaml")) if p.stem not in OWN_CONFIGURATIONS]
    assert len(stages) == 9
    for path in stages:
        assert isinstance(read_config(path, []), TrainConfig)


def test_the_second_stage_trains_the_discriminators_of_the_first_further(
    config: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hq = codebook.train(config, [f"output={tmp_path / 'hq'}"])
    lq = codebook.train(config, [f"output={tmp_path / 'lq'}", "domain=lq", f"start.autoencoder={hq}"])
    starts = [f"start.hq={hq}", f"start.lq={lq}"]
    stage = association.AssociationStage(read_config(config, starts))
    for path, part in ((hq, stage.hq), (lq, stage.lq)):
        trained = torch.load(path.with_name("last.pt"), weights_only=True)["modules"]
        for name, value in part.picture.discriminator.state_dict().items():
            assert torch.equal(value, trained[f"discriminator.{name}"]), name
    with pytest.raises(UsageError, match="discriminator_filters"):
        association.AssociationStage(read_config(config, [*starts, "loss.discriminator_filters=8"]))
    # Files of earlier versions hold none.
    earlier = tmp_path / "earlier.safetensors"
    save_stage(torch.nn.ModuleDict({"autoencoder": load_vqgan(hq)}), earlier)
    caplog.clear()
    association.AssociationStage(read_config(config, [f"start.hq={earlier}", f"start.lq={lq}"]))
    assert [record.getMessage() for record in caplog.records] == [
        f"{earlier} has no discriminator: it starts from random weights"
    ]


def test_all_buffers_of_the_second_stage_move_to_its_device_and_into_its_checkpoints(
    config: Path, tmp_path: Path
) -> None:
    hq = codebook.train(config, [f"output={tmp_path / 'hq'}", "steps=1"])
    stage = association.AssociationStage(read_config(config, [f"start.hq={hq}", f"start.lq={hq}"]))
    stage.modules.to("meta")
    parts = [module for part in (stage.hq, stage.lq) for module in (part.network, part.usage)]
    assert all(value.is_meta for module in parts for value in module.state_dict().values())


@pytest.mark.parametrize(("network", "trained"), [("published", False), ("compact", True)])
def test_the_published_recipe_trains_no_scale_of_logits(
    config: Path, tmp_path: Path, network: str, trained: bool
) -> None:
    start = tmp_path / "stage_one.safetensors"
    save_stage(torch.nn.ModuleDict({"autoencoder": Vqgan(SMALL)}), start)
    stage = association.AssociationStage(
        read_config(config, [f"network={network}", f"start.hq={start}", f"start.lq={start}"])
    )
    in_optimizer = {id(p) for group in stage.optim.param_groups for p in group["params"]}
    assert (id(stage.association.logit_scale) in in_optimizer) is trained


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["network=published"], False),
        (["network=published", "precision=bf16"], True),
        (["network=compact"], True),
        (["network=compact", "precision=float32"], False),
    ],
)
def test_the_published_network_trains_in_float32_unless_requested(
    config: Path, settings: list[str], expected: bool
) -> None:
    assert read_config(config, ["precision=null", *settings]).uses_bf16 is expected


def test_training_learns_to_restore_what_it_sees(config: Path, tmp_path: Path) -> None:
    """The autoencoder's error on a dozen faces falls in sixty steps."""
    overrides = ["steps=60", "loss.adversarial_from=1000", "optim.learning_rate=0.003", "log_every=5"]
    codebook.train(config, [*overrides, "quantise_from=1000"])
    lines = (tmp_path / "out" / "log.jsonl").read_text().splitlines()
    errors = [entry["pixel"] for entry in map(json.loads, lines) if "pixel" in entry]
    assert np.mean(errors[-3:]) < 0.85 * errors[0]
