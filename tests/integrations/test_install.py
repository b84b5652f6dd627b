"""`vidrestore integrations`: scripts are put where a host looks for them, and nothing else is replaced."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vidrestore.cli import main
from vidrestore.integrations import hosts, install, job_folder
from vidrestore.integrations.hosts import HOSTS, Host, is_here, place_of
from vidrestore.integrations.install import MARK

HERE = [name for name in HOSTS if is_here(name) and HOSTS[name].files]


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a host, `editor`, with two scripts."""
    sources = tmp_path / "sources"
    (sources / "editor" / "__pycache__").mkdir(parents=True)
    (sources / "editor" / "menu.py").write_text(
        "python = '__VIDRESTORE_PYTHON__'\nfolder = '__VIDRESTORE_FOLDER__'\n"
    )
    (sources / "editor" / "window.py").write_text("title = 'window'\n")
    (sources / "editor" / "__pycache__" / "window.pyc").write_bytes(b"\0")
    (sources / "child_command.py").write_text("")
    host = Host(
        title="Editor",
        places=dict.fromkeys(
            (sys.platform,), (f"{tmp_path.as_posix()}/missing", f"{tmp_path.as_posix()}/ed*")
        ),
        files={"scripts/menu.py": "editor/menu.py"},
        package_in="scripts",
        next_step="start it",
    )
    for module in (hosts, install):
        monkeypatch.setattr(module, "SOURCES", sources)
    monkeypatch.setitem(HOSTS, "editor", host)
    folder = tmp_path / "editor 2"
    folder.mkdir()
    (tmp_path / "editor 1").mkdir()
    return folder


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_scripts_go_to_the_newest_folder_of_the_host(
    editor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["integrations", "install", "editor"]) == 0
    assert written(editor) == [
        "scripts/menu.py",
        "scripts/vidrestore_host/__init__.py",
        "scripts/vidrestore_host/child_command.py",
        "scripts/vidrestore_host/command.json",
        "scripts/vidrestore_host/editor/window.py",
    ]
    menu = (editor / "scripts" / "menu.py").read_text()
    assert f"python = '{Path(sys.executable).as_posix()}'\nfolder = '{editor.as_posix()}'" in menu
    command = json.loads((editor / "scripts" / "vidrestore_host" / "command.json").read_text())["command"]
    assert command == [sys.executable, "-m", "vidrestore"]
    out = capsys.readouterr().out
    assert out.count("written: ") == 5
    assert out.endswith("then: start it\n")


def test_the_where_command_lists_the_files_to_install_and_writes_nothing(
    editor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["integrations", "where", "editor"]) == 0
    assert capsys.readouterr().out.count("missing: ") == 5
    assert written(editor) == []
    assert main(["integrations", "install", "editor"]) == 0
    capsys.readouterr()
    assert main(["integrations", "where", "editor"]) == 0
    assert capsys.readouterr().out.count("installed: ") == 5


def test_the_list_has_each_host_and_whether_it_is_installed(
    editor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["integrations", "install", "editor"]) == 0
    capsys.readouterr()
    assert main(["integrations", "list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert " yes " in lines["editor"]
    assert str(editor) in lines["editor"]
    assert "import vidrestore.vapoursynth" in lines["vapoursynth"]


def test_an_earlier_version_is_replaced(editor: Path) -> None:
    assert main(["integrations", "install", "editor"]) == 0
    window = editor / "scripts" / "vidrestore_host" / "editor" / "window.py"
    window.write_text(f"# {MARK}\nof last year\n")
    assert main(["integrations", "install", "editor"]) == 0
    assert "title = 'window'" in window.read_text()


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_a_file_of_the_user_is_kept_and_prevents_the_installation(
    kind: str, editor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = editor / "scripts" / "menu.py"
    target.parent.mkdir()
    if kind == "folder":
        target.mkdir()
    elif kind == "link":
        (editor.parent / "mine.py").write_text("mine")
        target.symlink_to(editor.parent / "mine.py")
    else:
        target.write_text("mine")
    assert main(["integrations", "install", "editor"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(target) in error
    assert [path.name for path in (editor / "scripts").iterdir()] == ["menu.py"]
    if kind != "folder":
        assert target.read_text() == "mine"


def test_scripts_are_installed_into_a_folder_that_the_user_names(editor: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert main(["integrations", "install", "editor", "--to", str(tmp_path / "elsewhere")]) == 0
    assert len(written(tmp_path / "elsewhere")) == 5
    assert written(editor) == []


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["install", "premiere-elements"], "there are some for"),
        (["install", "vapoursynth"], "nothing to install"),
        (["where", "vapoursynth"], "nothing to install"),
        (
            ["install", "editor", "--to", "missing"],
            "there is no folder missing; create it, or choose another one for --to",
        ),
    ],
)
@pytest.mark.usefixtures("editor")
def test_an_impossible_installation_prints_one_error_line(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["integrations", *words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert part in error


def test_two_hosts_are_not_installed_into_one_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their scripts have the same names."""
    assert main(["integrations", "install", "nuke", "--to", str(tmp_path)]) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert main(["integrations", "install", "blender", "--to", str(tmp_path)]) == 2
    assert "holds the scripts for Nuke" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert main(["integrations", "install", "nuke", "--to", str(tmp_path)]) == 0


def test_a_host_that_this_system_does_not_have_needs_a_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(HOSTS, "nuke", replace(HOSTS["nuke"], places={"another": ("/nuke",)}))
    assert main(["integrations", "install", "nuke"]) == 2
    assert "(it has no usual folder on this system); say where it is with --to" in capsys.readouterr().err


def test_a_host_that_is_not_on_this_computer_is_reported_as_not_found(
    editor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    editor.rmdir()
    (editor.parent / "editor 1").rmdir()
    assert main(["integrations", "install", "editor"]) == 2
    assert "was not found on this computer" in capsys.readouterr().err
    assert main(["integrations", "list"]) == 0
    assert "not found" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user who may not write everywhere")
def test_a_read_only_folder_is_an_error_with_advice(editor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    editor.chmod(0o500)
    assert main(["integrations", "install", "editor"]) == 2
    assert "choose another folder with --to" in capsys.readouterr().err


@pytest.mark.parametrize("name", HERE)
def test_each_host_is_installed_and_found_installed(name: str, tmp_path: Path) -> None:
    paths = install.install(name, tmp_path)
    assert paths
    assert all(install.is_installed(file) for file in install.files_of(name, tmp_path))
    assert sorted(paths) == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    texts = [path.read_text(encoding="utf-8") for path in paths if path.suffix in (".py", ".jsx", ".rc")]
    assert not any("__VIDRESTORE_" in text.replace("__VIDRESTORE_HOST", "") for text in texts)
    assert all(install.install(name, tmp_path) for _ in range(2))


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("name", HERE)
def test_the_folder_of_each_host_is_found(
    name: str, platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOME", "APPDATA", "ProgramFiles", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    assert place_of(HOSTS[name], "another system") is None
    for pattern in HOSTS[name].places.get(platform, ()):
        if pattern.startswith("/"):
            continue  # of the whole computer
        text = pattern.replace("~", str(tmp_path)).replace("$APPDATA", str(tmp_path)).replace("*", "2026")
        folder = Path(text.replace("$ProgramFiles", str(tmp_path)))
        folder.mkdir(parents=True, exist_ok=True)
        assert place_of(HOSTS[name], platform) is not None


def test_jobs_are_watched_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watched: list[Path] = []

    def watch(folder: Path) -> None:
        watched.append(folder)
        raise KeyboardInterrupt  # as Ctrl-C does

    monkeypatch.setattr(job_folder, "watch", watch)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert main(["integrations", "watch"]) == 0
    assert watched == [tmp_path / "vidrestore-jobs"]
    assert watched[0].is_dir()
    assert str(watched[0]) in capsys.readouterr().out
    (tmp_path / "file").write_text("")
    assert main(["integrations", "watch", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
