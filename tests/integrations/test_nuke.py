"""The scripts of Nuke, on a fake of its modules."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_nuke import Node, Nuke, Panel
from vidrestore.integrations.child_command import ChildCommand
from vidrestore.integrations.install import install

SECONDS = 300
PACKAGE = "vidrestore.integrations.nuke"


class Command:
    """A child command that is running for some looks, then what a test wants."""

    def __init__(self, words: Sequence[str], state: str, looks: int = 2) -> None:
        self.words, self.end, self.looks = list(words), state, looks
        self.share, self.text, self.error = 0.5, "restoring: 2/5 frames", "there is no weight file"
        self.seen_files = sorted(path.name for path in Path(words[1]).parent.iterdir())

    @property
    def state(self) -> str:
        return "running" if self.looks > 0 else self.end

    def cancel(self) -> None:
        self.end, self.looks = "cancelled", 0

    def wait(self, seconds: float) -> None:
        self.looks -= 1
        if self.state == "done":
            Path(self.words[2] % 1001).write_bytes(b"restored")


@pytest.fixture
def nuke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nuke:
    fake = Nuke(tmp_path)
    for name in ("nuke", "nukescripts"):
        monkeypatch.setitem(sys.modules, name, fake)
    for name in ("panel", "node_restoration"):
        monkeypatch.delitem(sys.modules, f"{PACKAGE}.{name}", raising=False)
    fake.selected = fake.Blur()
    return fake


def restoration() -> Any:
    return importlib.import_module(f"{PACKAGE}.node_restoration")


def settings(folder: Path, **changes: Any) -> Any:
    values = {
        "first": 1001,
        "last": 1005,
        "strength": 0.5,
        "fidelity": "auto",
        "faces": "all",
        "folder": folder,
    }
    return restoration().NodeSettings(**{**values, **changes})


def restore(nuke: Nuke, folder: Path, state: str = "done", **changes: Any) -> Command | None:
    """A run to its end, and to what the main thread does then."""
    commands: list[Command] = []

    def start(words: Sequence[str]) -> Any:
        commands.append(Command(words, state, looks=10**9 if nuke.is_cancelled else 2))
        return commands[-1]

    thread = restoration().restore_node(nuke.selected, settings(folder, **changes), start)
    if thread is not None:
        thread.join(SECONDS)
        assert not thread.is_alive()
    nuke.run_pending()
    return commands[0] if commands else None


def reads(nuke: Nuke) -> list[Node]:
    return [node for node in nuke.all_nodes if node.Class() == "Read"]


def test_a_node_is_written_restored_and_read_back(nuke: Nuke, tmp_path: Path) -> None:
    command = restore(nuke, tmp_path / "results")
    assert command is not None
    folder = tmp_path / "results" / "Blur1_v1"
    assert command.words == [
        "restore", str(folder / "written" / "Blur1.%04d.exr"), str(folder / "Blur1.%04d.exr"), "--fps", "24",
        "--strength", "0.5", "--fidelity", "auto", "--faces", "all",
    ]  # fmt: skip
    assert command.seen_files == [f"Blur1.{frame}.exr" for frame in range(1001, 1006)]
    (read,) = reads(nuke)
    assert read.name() == "vidrestore_Blur1"
    names = ("file", "first", "last", "origfirst", "origlast", "raw")
    assert {name: read[name].value() for name in names} == {
        "file": (folder / "Blur1.%04d.exr").as_posix(), "first": 1001, "last": 1005, "origfirst": 1001,
        "origlast": 1005, "raw": True,
    }  # fmt: skip
    assert [path.name for path in folder.iterdir()] == ["Blur1.1001.exr"]  # what was written for it is gone
    assert nuke.messages == []
    assert nuke.shown[:3] == ["vidrestore: Blur1", "restoring: 2/5 frames", "50"]


def test_restoring_adds_only_a_read_node_to_the_script(nuke: Nuke, tmp_path: Path) -> None:
    restore(nuke, tmp_path / "results")
    assert [node.Class() for node in nuke.all_nodes] == ["Blur", "Read"]


def test_restoring_again_changes_the_same_read_node(nuke: Nuke, tmp_path: Path) -> None:
    restore(nuke, tmp_path / "results")
    (read,) = reads(nuke)
    read.setXYpos(500, 500)
    restore(nuke, tmp_path / "results", last=1003)
    assert reads(nuke) == [read]
    assert read["file"].value().endswith("Blur1_v2/Blur1.%04d.exr")
    assert (read["last"].value(), read.position) == (1003, (500, 500))
    assert (tmp_path / "results" / "Blur1_v1").is_dir()


def test_a_users_node_with_the_name_of_the_result_does_not_prevent_it(nuke: Nuke, tmp_path: Path) -> None:
    nuke.Blur().setName("vidrestore_Blur1")
    restore(nuke, tmp_path / "results")
    assert len(reads(nuke)) == 1


def test_a_failure_shows_a_message_and_leaves_no_files(nuke: Nuke, tmp_path: Path) -> None:
    restore(nuke, tmp_path / "results", "failed")
    assert nuke.messages == ["vidrestore: there is no weight file"]
    assert list((tmp_path / "results").iterdir()) == []
    assert reads(nuke) == []


def test_cancel_in_the_progress_bar_ends_the_run(nuke: Nuke, tmp_path: Path) -> None:
    nuke.is_cancelled = True
    command = restore(nuke, tmp_path / "results")
    assert command is not None
    assert command.state == "cancelled"
    assert (nuke.messages, reads(nuke)) == ([], [])
    assert list((tmp_path / "results").iterdir()) == []


def test_cancel_while_nuke_writes_leaves_nothing(nuke: Nuke, tmp_path: Path) -> None:
    nuke.fails = True
    assert restore(nuke, tmp_path / "results") is None
    assert nuke.messages == ["vidrestore: Blur1 could not be written: Cancelled"]
    assert [node.Class() for node in nuke.all_nodes] == ["Blur"]
    assert not list((tmp_path / "results").rglob("*.exr"))


@pytest.mark.parametrize("changes", [{"first": -5}, {"last": 1000}])
def test_an_invalid_frame_range_shows_a_message(changes: dict[str, int], nuke: Nuke, tmp_path: Path) -> None:
    assert restore(nuke, tmp_path / "results", **changes) is None
    assert "the first frame" in nuke.messages[0]


def test_a_folder_that_cannot_be_created_shows_a_message(nuke: Nuke, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    assert restore(nuke, tmp_path / "results") is None
    assert nuke.messages[0].startswith("vidrestore: cannot make a folder")


def test_the_panel_asks_for_the_frames_of_the_node(
    nuke: Nuke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = importlib.import_module(f"{PACKAGE}.panel")
    wanted: list[Any] = []
    monkeypatch.setattr(panel, "restore_node", lambda node, settings: wanted.append(settings))

    def answer(shown: Panel) -> bool:
        knobs = shown.knobs()
        assert (knobs["first"].value(), knobs["last"].value()) == (1001, 1005)
        assert knobs["folder"].value() == (tmp_path / "vidrestore").as_posix()
        knobs["faces"].setValue(" ")
        knobs["strength"].setValue(0.25)
        return True

    nuke.answer = answer
    panel.ask_and_restore()
    assert wanted == [settings(tmp_path / "vidrestore", strength=0.25)]
    nuke.answer = lambda _: False
    panel.ask_and_restore()
    assert len(wanted) == 1
    nuke.selected = None
    panel.ask_and_restore()
    assert "select the node" in nuke.messages[0]
    nuke.script.unlink()  # never saved
    assert panel._usual_folder().name == "vidrestore"


def test_the_menu_of_the_installed_script_opens_the_panel(
    nuke: Nuke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (menu,) = (path for path in install("nuke", tmp_path) if path.name == "menu.py")
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        exec(compile(menu.read_text(encoding="utf-8"), str(menu), "exec"), {})
        command = nuke.menus.entries["Nodes"].entries["vidrestore"].entries["Restore faces"]
        assert command.__module__ == "vidrestore_host.nuke.panel"
        nuke.answer = lambda panel: False
        command()
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "vidrestore_host"]:
            del sys.modules[name]


def test_the_real_command_restores_what_nuke_writes(nuke: Nuke, tmp_path: Path) -> None:
    def start(words: Sequence[str]) -> ChildCommand:
        return ChildCommand(words, command=[sys.executable, "-m", "vidrestore"])

    thread = restoration().restore_node(nuke.selected, settings(tmp_path / "results"), start)
    thread.join(SECONDS)
    assert not thread.is_alive()
    nuke.run_pending()
    assert nuke.messages == []
    names = sorted(path.name for path in (tmp_path / "results" / "Blur1_v1").iterdir())
    assert names == [f"Blur1.{frame}.exr" for frame in range(1001, 1006)]
