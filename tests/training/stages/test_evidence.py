"""The evidence network trains, resumes exactly, and says what is wrong in one error message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml

from tests.support.evidence import TINY
from vidrestore.cli import main
from vidrestore.errors import InputError, UsageError, WeightsError
from vidrestore.evidence.checkpoint import load_evidence, save_evidence
from vidrestore.evidence.network import EvidenceNetwork
from vidrestore.training.evidence_config import read_evidence_config
from vidrestore.training.stages import evidence

PEOPLE = 24


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    usual = torch.get_num_threads()
    yield
    torch.set_num_threads(usual)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A tiny network on two pictures each of some people, of whom some are drawn ones."""
    faces = tmp_path / "faces"
    faces.mkdir()
    rng = np.random.default_rng(0)
    rows = ["file,person,kind"]
    for index in range(PEOPLE):
        for view in "ab":
            picture = cv2.resize(rng.integers(0, 255, (12, 12, 3), np.uint8), (72, 72))
            cv2.imwrite(str(faces / f"{index}__{view}.png"), picture)
            rows.append(f"{index}__{view}.png,{index},{'synthetic' if index % 4 == 0 else 'photo'}")
    (faces / "manifest.csv").write_text("\n".join(rows))
    values: dict[str, Any] = {
        "faces": [str(faces)],
        "output": str(tmp_path / "out"),
        "steps": 6,
        "crop": 32,
        "batch": 2,
        "warmup": 2,
        "decay_from": 0.5,
        "photos_only_from": 4,
        "device": "cpu",
        "workers": 0,
        "threads": 1,
        "precision": "float32",
        "save_every": 3,
        "validate_every": 3,
        "log_every": 1,
        "network": {name: list(value) if isinstance(value, tuple) else value
                    for name, value in asdict(TINY).items()},
    }  # fmt: skip
    path = tmp_path / "evidence.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def weights(path: Path) -> torch.Tensor:
    return torch.cat([p.flatten() for p in load_evidence(path).state_dict().values()])


def log_of(folder: Path) -> list[dict[str, float]]:
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [{name: v for name, v in json.loads(line).items() if name != "crops_per_second"} for line in lines]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_run_that_was_stopped_and_resumed_equals_one_that_was_not(
    config: Path, tmp_path: Path, workers: int
) -> None:
    settings = [f"workers={workers}"]
    undisturbed = evidence.train(config, [*settings, f"output={tmp_path / 'a'}"])
    original, calls = evidence._step, 0

    def dies_at_the_fifth(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return original(*arguments)

    stopped = [*settings, f"output={tmp_path / 'b'}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "_step", dies_at_the_fifth)
        with pytest.raises(KeyboardInterrupt):
            evidence.train(config, stopped)
    resumed = evidence.train(config, stopped)
    assert calls == 5
    assert torch.equal(weights(resumed), weights(undisturbed))
    ends = [torch.load(tmp_path / run / "last.pt", weights_only=True) for run in "ab"]
    assert ends[0].keys() == ends[1].keys() == {"step", "network", "average", "optimizer"}
    for name, value in ends[0]["network"].items():
        assert torch.equal(ends[1]["network"][name], value), name
    # From the checkpoint on, each step is the same step.
    assert log_of(tmp_path / "b")[-4:] == log_of(tmp_path / "a")[-4:]
    assert not torch.equal(weights(resumed), weights(evidence.train(config, ["steps=3"])))


def test_a_finished_run_is_not_run_again(config: Path, tmp_path: Path) -> None:
    first = evidence.train(config, [])
    before = first.read_bytes()
    assert evidence.train(config, []) == first
    assert first.read_bytes() == before
    assert (tmp_path / "out" / "last.pt").is_file()


def test_the_log_says_how_well_the_scale_predicts_the_error(config: Path, tmp_path: Path) -> None:
    evidence.train(config, [])
    validations = [line for line in log_of(tmp_path / "out") if "validation" in line]
    assert [line["step"] for line in validations] == [3, 6]
    for line in validations:
        assert line["psnr"] > 5
        assert all(line[f"calibration_{k}_{end}"] > 0 for k in range(5) for end in ("low", "high"))


def test_a_run_may_start_from_weights(config: Path, tmp_path: Path) -> None:
    torch.manual_seed(7)
    network = EvidenceNetwork(TINY)
    save_evidence(network, tmp_path / "start.safetensors", dtype=torch.float32)
    further = evidence.train(
        config, [f"start={tmp_path / 'start.safetensors'}", "learning_rate=1e-9", "final_learning_rate=1e-9"]
    )
    start = torch.cat([p.flatten() for p in network.state_dict().values()])
    assert (weights(further) - start).abs().max() < 1e-3  # of 16 bits


def test_the_command_trains(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "evidence", "--config", str(config), "steps=1", "workers=0"]) == 0
    result = tmp_path / "out" / "evidence.safetensors"
    assert capsys.readouterr().out == f"trained: {result}\n"
    assert load_evidence(result).config == TINY


@pytest.mark.parametrize(
    ("name", "half_size"), [("evidence", False), ("evidence_half", True), ("evidence_refinement", False)]
)
def test_the_configurations_of_the_project_are_valid(name: str, half_size: bool) -> None:
    path = Path(__file__).parents[3] / "configs" / "train" / f"{name}.yaml"
    assert read_evidence_config(path, []).half_size is half_size


@pytest.mark.parametrize(
    ("borders", "says"), [("[0.1, 0.1]", "2 borders for 1 folders"), ("[0.5]", "less than 0.5")]
)
def test_wrong_borders_are_named(config: Path, borders: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_evidence_config(config, [f"borders={borders}"])


def test_whole_faces_at_half_size_are_trained_on(config: Path) -> None:
    crops = evidence.train(config, ["steps=2"])
    faces = evidence.train(config, ["steps=2", "half_size=true", f"output={config.parent / 'half'}"])
    assert not torch.equal(weights(faces), weights(crops))


def test_estimates_at_half_size_are_refined(config: Path) -> None:
    half = evidence.train(config, ["steps=1", "half_size=true", f"output={config.parent / 'half'}"])
    overrides = [
        f"refine={half}",
        f"start={half}",
        f"output={config.parent / 'refined'}",
        "network={widths: [8, 12], blocks: [1, 1], head_width: 4, refines: true}",
    ]
    first = weights(evidence.train(config, ["steps=2", *overrides]))
    trained = evidence.train(config, ["steps=3", *overrides])
    assert load_evidence(trained).config.refines
    assert not torch.equal(weights(trained), first)


def test_people_held_out_are_not_trained_on(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    original = evidence.load_pictures

    def watched(files: Any, **options: Any) -> Any:
        seen.extend(file.person for file in files)
        return original(files, **options)

    monkeypatch.setattr(evidence, "load_pictures", watched)
    evidence.train(config, ["steps=1"])
    held = {face.person for face in evidence.find_faces([config.parent / "faces"]) if face.is_held_out}
    assert held
    assert seen
    assert held.isdisjoint(seen)


def test_without_people_held_out_it_trains_without_validation(config: Path, tmp_path: Path) -> None:
    rows = [f"{index}__{view}.png,{index},photo,train" for index in range(PEOPLE) for view in "ab"]
    manifest = "\n".join(["file,person,kind,split", *rows])
    (tmp_path / "faces" / "manifest.csv").write_text(manifest)
    evidence.train(config, ["steps=2"])
    assert not any("validation" in line for line in log_of(tmp_path / "out"))


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["half_size=true", "refine=half.safetensors"], "half_size and refine exclude each other"),
        (["refine=half.safetensors"], "a network that refines"),
        (["step=3"], "step: Extra inputs are not permitted"),
        (["crop=20"], "crop"),
        (["crop=many"], "crop"),
        (["batch=0"], "batch"),
        (["network={depth: 3}"], "network: no such evidence network.*depth"),
        (["network={widths: [8, 16, 16]}"], "as many widths as blocks"),
        (["network={widths: [8, 8, 8, 8, 8, 8], blocks: [1, 1, 1, 1, 1, 1]}", "crop=32"], "multiple of 64"),
        (["steps"], "'steps' is not of the form key=value"),
    ],
)
def test_an_invalid_setting_gives_one_error_message(config: Path, overrides: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        evidence.train(config, overrides)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["- a list", "a: [unclosed", "text alone"])
def test_a_file_that_is_no_configuration_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "odd.yaml").write_text(content)
    with pytest.raises(UsageError, match=r"odd\.yaml"):
        read_evidence_config(tmp_path / "odd.yaml", [])


def test_a_folder_without_faces_is_named(config: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder, says in (("absent", "no folder of faces"), ("empty", "has no pictures")):
        with pytest.raises(InputError, match=says):
            evidence.train(config, [f"faces=[{tmp_path / folder}]"])
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_picture_is_named(config: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "faces").glob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(InputError, match="is not a picture that can be read"):
        evidence.train(config, [])


def test_training_is_refused_if_all_people_are_held_out(config: Path, tmp_path: Path) -> None:
    rows = [f"{index}__{view}.png,validation" for index in range(PEOPLE) for view in "ab"]
    (tmp_path / "faces" / "manifest.csv").write_text("\n".join(["file,split", *rows]))
    with pytest.raises(InputError, match="no faces to train on"):
        evidence.train(config, [])


def test_a_checkpoint_of_another_run_is_refused_and_stays(config: Path, tmp_path: Path) -> None:
    evidence.train(config, ["steps=3"])
    state = (tmp_path / "out" / "last.pt").read_bytes()
    with pytest.raises(WeightsError, match=r"last\.pt is the state of another network") as caught:
        evidence.train(config, ["network={widths: [8, 8], blocks: [1, 1], head_width: 4}"])
    assert "\n" not in str(caught.value)
    assert (tmp_path / "out" / "last.pt").read_bytes() == state


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short"])
def test_a_damaged_checkpoint_is_refused_with_one_error_message(
    config: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "last.pt").write_bytes(content)
    with pytest.raises(WeightsError, match=r"last\.pt cannot be read") as caught:
        evidence.train(config, [])
    assert "\n" not in str(caught.value)


def test_a_checkpoint_that_is_no_training_state_is_refused(config: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    torch.save({"step": 3, "modules": {}}, tmp_path / "out" / "last.pt")
    with pytest.raises(WeightsError, match="is not the state of a training run"):
        evidence.train(config, [])


def test_start_weights_of_another_network_are_refused(config: Path, tmp_path: Path) -> None:
    save_evidence(EvidenceNetwork(TINY), tmp_path / "start.safetensors")
    with pytest.raises(WeightsError, match="another evidence network"):
        evidence.train(
            config, [f"start={tmp_path / 'start.safetensors'}", "network={widths: [8, 8], blocks: [1, 1]}"]
        )


def test_the_projects_configuration_is_valid() -> None:
    path = Path(__file__).parents[3] / "configs" / "train" / "evidence.yaml"
    assert read_evidence_config(path, []).crop == 128


def test_the_learning_rate_rises_stays_and_falls_to_the_final_one(config: Path) -> None:
    settings = read_evidence_config(
        config, ["steps=100", "warmup=10", "decay_from=0.6", "learning_rate=1.0", "final_learning_rate=0.1"]
    )
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([weight])
    rates = []
    for step in range(101):
        evidence._set_learning_rate(optimizer, settings, step)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[4] == pytest.approx(0.5)
    assert set(rates[10:61]) == {1.0}
    assert rates[60:] == sorted(rates[60:], reverse=True)
    assert rates[80] == pytest.approx(0.55)
    assert rates[100] == pytest.approx(0.1)
