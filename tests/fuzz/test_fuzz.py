"""A mutated file of any kind ends soon, with a documented exit code, one error message and no files left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.runner import Child, fuzz, running_child
from tests.fuzz.subjects import SUBJECTS, Subject

CASES = int(os.environ.get("VIDRESTORE_FUZZ_CASES", "1"))
"""Of each subject; 4 take some seconds in all, 200 take minutes."""
SEED = int(os.environ.get("VIDRESTORE_FUZZ_SEED", "1"))
pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="folders in use are replaced"),
    pytest.mark.skipif(not CASES, reason="VIDRESTORE_FUZZ_CASES is 0"),
]


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with running_child() as running:
        yield running


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_every_mutated_file_is_handled_without_a_failure(
    subject: Subject, tmp_path: Path, child: Child
) -> None:
    outcome = fuzz(subject, tmp_path, cases=CASES, seed=SEED, child=child)
    assert outcome.files == CASES
    assert not outcome.failures, "\n".join(outcome.failures)
