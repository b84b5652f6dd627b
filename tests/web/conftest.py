"""A folder with a film, and a service that may read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.web.ask import Asker


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "film.mp4").write_bytes(b"a film")
    return tmp_path / "root"


@pytest.fixture
def ask(root: Path, tmp_path: Path) -> Asker:
    from tests.web.ask import Asker  # needs the extra [web], which a module of tests asks for first

    return Asker(root, tmp_path / "state")
