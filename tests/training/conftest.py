"""A dozen random faces and the settings of a stage that trains on them in moments."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml


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
        "data": {"faces": str(faces), "validation_share": 0.25},
        "loss": {
            "perceptual": "edges",
            "adversarial_from": 2,
            "discriminator_filters": 4,
            "feature_matching": 1.0,
            "landmark_weight": 2.0,
        },
        "optim": {"learning_rate": 1e-3, "batch": 2, "ema": 0.9, "schedule": "cosine"},
        "save_every": 2,
        "log_every": 1,
        "validate_every": 2,
    }
    path = tmp_path / "stage.yaml"
    path.write_text(yaml.safe_dump(values))
    return path
