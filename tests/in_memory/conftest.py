"""A Restorer, and pictures of a face."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import vidrestore

SAMPLE = Path(__file__).parents[2] / "samples" / "old_film.mp4"


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch computes in one thread: with more, the order of additions depends on batch and thread."""
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(usual)


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    with av.open(str(SAMPLE)) as container:
        frames = container.decode(video=0)
        return [next(frames).to_ndarray(format="rgb24") for _ in range(5)]


@pytest.fixture(scope="module")
def restorer() -> Iterator[vidrestore.Restorer]:
    with vidrestore.Restorer(device="cpu") as result:
        yield result
