"""Sessions of the script for DaVinci Resolve, on a fake Resolve and with fake commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support import fake_resolve as fake
from vidrestore.integrations.resolve.session import RunSettings, Session


class Command:
    """A child command that is at once what a test wants; it writes its output where it is done."""

    started: list[Command]

    def __init__(self, words: Sequence[str], state: str = "done") -> None:
        self.words, self.state, self.share, self.text = list(words), state, 0.5, "restoring"
        self.warnings, self.error = ["a subtitle was left out"], "it is no video"
        if state == "done":
            Path(words[2]).write_bytes(b"restored")

    def cancel(self) -> None:
        self.state = "cancelled"


class Run:
    """Sessions on one fake Resolve."""

    def __init__(self, *items: fake.Item, rate: str = "25") -> None:
        self.timeline = fake.Timeline(list(items), rate=rate)
        self.timeline.GetSelectedClips = lambda: list(items)
        self.resolve = fake.Resolve(self.timeline)
        self.said: list[str] = []
        self.commands: list[Command] = []
        self.state = "done"

    @property
    def pool(self) -> fake.MediaPool:
        assert self.resolve.project is not None
        return self.resolve.project.pool

    @property
    def bin(self) -> fake.Folder:
        return self.pool.root.folders[0]

    def session(self, **settings: Any) -> Session:
        def start(words: Sequence[str]) -> Any:
            self.commands.append(Command(words, self.state))
            return self.commands[-1]

        return Session(self.resolve, RunSettings(**settings), self.said.append, start)

    def restore(self, **settings: Any) -> None:
        session = self.session(**settings)
        for _ in range(100):
            session.step()
        assert not session.is_busy
        assert session.share == 1.0
