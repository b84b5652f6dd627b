"""The clip job of Kdenlive: the file by the form that its source reads, and the program that it starts."""

from __future__ import annotations

import configparser
import io
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clips import Clip, make_clip
from vidrestore.cli import main
from vidrestore.integrations.install import install
from vidrestore.integrations.kdenlive.clip_job import run_clip_job

GROUPS = {
    "Ids", "Binary", "Parameters", "Output", "FolderName", "FolderUse", "EnabledTypes", "Description",
    "Param1Type", "Param1List", "Param1Name", "Param2Type", "Param2List", "Param2Name",
}  # fmt: skip
"""Those that ClipJobManager reads."""


@pytest.fixture
def job(tmp_path: Path) -> dict[str, str]:
    """The values of the job by their groups, as installed."""
    (path,) = install("kdenlive", tmp_path)
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    assert set(parser.sections()) == GROUPS
    assert {tuple(parser[group]) for group in GROUPS} == {("vidrestore",)}
    return {group: parser[group]["vidrestore"] for group in GROUPS}


def command_of(job: dict[str, str], source: Path, output: Path) -> list[str]:
    """What CustomJobTask::run starts."""
    words = [job["Binary"]]
    for word in job["Parameters"].split(" "):
        for name, value in (
            ("{output}", str(output)),
            ("{source}", str(source)),
            ("{param1}", job["Param1List"].split("  ")[1]),
            ("{param2}", job["Param2List"].split("  ")[3]),
        ):
            word = word.replace(name, value)
        words.append(word)
    return words


def test_the_job_is_one_that_kdenlive_understands(job: dict[str, str]) -> None:
    assert Path(job["Binary"]).is_file()
    assert job["FolderUse"] in ("replace", "rootfolder", "subfolder")
    assert {job["Param1Type"], job["Param2Type"]} == {"list"}
    assert set(job["EnabledTypes"]) <= set("vai")
    assert not job["Binary"].endswith("ffmpeg")  # arguments of its own would be added


def test_the_started_program_restores_the_clip(job: dict[str, str], tmp_path: Path) -> None:
    source, output = tmp_path / "my clip.mkv", tmp_path / f"my clip{job['Output']}"
    make_clip(source, Clip(frames=5))
    for _ in range(2):  # the second time, as Kdenlive's third, it is replaced
        done = subprocess.run(
            command_of(job, source, output), capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        assert output.is_file()
    lines = done.stderr.splitlines()
    assert all(line.startswith("percentage: ") for line in lines)
    assert [0 <= int(line.split()[1]) <= 100 for line in lines]


def test_a_file_that_is_no_result_is_never_replaced(tmp_path: Path) -> None:
    source, other = tmp_path / "a.mkv", tmp_path / "a-0001.mkv"
    make_clip(source, Clip(frames=5))
    other.write_bytes(b"of the user")
    bar = io.StringIO()
    assert run_clip_job([str(source), str(other)], bar, [sys.executable, "-m", "vidrestore"]) == 1
    assert "exists" in bar.getvalue()
    assert other.read_bytes() == b"of the user"


def test_the_program_prints_its_usage_without_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    bar = io.StringIO()
    assert run_clip_job([], bar) == 2
    assert bar.getvalue().startswith("usage: ")


def test_jobs_of_the_user_are_never_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clipjobsettings.rc").write_text("[Ids]\nmine=mine\n")
    assert main(["integrations", "install", "kdenlive", "--to", str(tmp_path)]) == 2
    assert (tmp_path / "clipjobsettings.rc").read_text() == "[Ids]\nmine=mine\n"
