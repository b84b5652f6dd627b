"""`vidrestore train`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vidrestore.cli import main, train


@pytest.mark.parametrize("stage", train.STAGES)
def test_every_stage_has_its_module(stage: str) -> None:
    assert find_spec(train.module_name(stage)) is not None


def test_a_training_stage_gets_its_configuration_file_and_overrides(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[Any] = []

    def import_stage(name: str) -> SimpleNamespace:
        def run(config: Path, overrides: list[str]) -> Path:
            called.append((name, config, overrides))
            return Path("runs/weights.safetensors")

        return SimpleNamespace(train=run)

    monkeypatch.setattr(train, "import_module", import_stage)
    assert main(["train", "codebook", "--config", "hq.yaml", "steps=10", "optim.batch=2"]) == 0
    assert called == [("vidrestore.training.stages.codebook", Path("hq.yaml"), ["steps=10", "optim.batch=2"])]
    assert capsys.readouterr().out == f"trained: {Path('runs/weights.safetensors')}\n"


def test_a_missing_package_names_the_extra_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def import_stage(name: str) -> None:
        raise ModuleNotFoundError("No module named 'accelerate'", name="accelerate")

    monkeypatch.setattr(train, "import_module", import_stage)
    assert main(["train", "codebook", "--config", "hq.yaml"]) == 2
    assert "accelerate" in (printed := capsys.readouterr().err)
    assert "pip install 'vidrestore[train]'" in printed
