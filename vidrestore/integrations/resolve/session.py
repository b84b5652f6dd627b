"""A run over clips of a timeline: restores them one after the other, and adds each result to its clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..child_command import ChildCommand
from .results import ResultBin, ResultError, show_result
from .used_clips import UsedClip, find_used_clips

FOLDER = "vidrestore"
CODECS = ("match", "prores", "dnxhr", "h264", "hevc")


class RunSettings(NamedTuple):
    """The settings of a run."""

    scope: str = "selected clips"
    strength: float = 1.0
    fidelity: str = "auto"
    faces: str = "all"
    codec: str = "match"
    handles: int = 12
    folder: str = ""
    """Folder for results; empty: a folder `vidrestore` next to each file."""


class _Job(NamedTuple):
    path: Path
    first: int
    last: int
    rate: Any
    items: list[Any]
    """All clips that show these frames."""


class Session:
    """A run over clips of the current timeline. Call `step` repeatedly while `is_busy`."""

    def __init__(
        self,
        resolve: Any,
        settings: RunSettings,
        say: Callable[[str], None],
        start: Callable[[Sequence[str]], ChildCommand] = ChildCommand,
    ) -> None:
        """Find the clips; starts no command.

        Args:
            resolve: Resolve's scripting object.
            settings: The settings of the run.
            say: Called with sentences for the user.
            start: Starts vidrestore with the given arguments.
        """
        self._settings, self._say, self._start = settings, say, start
        self._jobs: list[_Job] = []
        self._command: ChildCommand | None = None
        self._output = Path()
        self._done = self._total = 0
        project = resolve.GetProjectManager().GetCurrentProject()
        timeline = None if project is None else project.GetCurrentTimeline()
        if timeline is None:
            say("open a timeline first")
            return
        self._bin = ResultBin(project.GetMediaPool())
        found = find_used_clips(timeline, settings.scope, self._bin.paths())
        for sentence in found.skipped:
            say(f"left out: {sentence}")
        self._jobs = _jobs(found.clips)
        self._total = len(self._jobs)
        if not self._jobs:
            say("there is no clip to restore; select some, or move the playhead onto one")

    @property
    def is_busy(self) -> bool:
        """Whether a command runs or clips wait."""
        return self._command is not None or bool(self._jobs)

    @property
    def share(self) -> float:
        """Completed fraction of the run, 0 to 1."""
        current = 0.0 if self._command is None else self._command.share or 0.0
        return (self._done + current) / self._total if self._total else 1.0

    @property
    def text(self) -> str:
        """One line about the clip that is being restored; '' if none is."""
        if self._command is None:
            return ""
        return f"{self._done + 1} of {self._total}: {self._output.name}, {self._command.text}"

    def step(self) -> None:
        """Start the next command, or finish the running one if it has ended."""
        if self._command is None:
            if self._jobs:
                self._begin(self._jobs[0])
            return
        if self._command.state != "running":
            command, job = self._command, self._jobs.pop(0)
            self._command = None
            self._done += 1
            self._finish(command, job)

    def cancel(self) -> None:
        """Cancel the run; finished clips keep their results."""
        self._total, self._jobs = self._done + 1, self._jobs[: 1 if self._command else 0]
        if self._command is not None:
            self._command.cancel()

    def _begin(self, job: _Job) -> None:
        settings = self._settings
        folder = Path(settings.folder).expanduser() if settings.folder else job.path.parent / FOLDER
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            self._say(f"cannot make the folder {folder}: {error.strerror}")
            self._jobs.pop(0)
            self._done += 1
            return
        suffix = ".mov" if settings.codec in ("prores", "dnxhr") else job.path.suffix
        self._output = _free_name(folder, f"{job.path.stem}_{job.first}-{job.last}", suffix)
        self._command = self._start(_words(job, settings, self._output))

    def _finish(self, command: ChildCommand, job: _Job) -> None:
        if command.state == "cancelled":
            self._say(f"{job.path.name}: cancelled")
            return
        if command.state == "failed":
            self._say(f"{job.path.name}: {command.error}")
            return
        for warning in command.warnings:
            self._say(f"{self._output.name}: {warning}")
        try:
            earlier = self._bin.paths()
            medium = self._bin.add(self._output)
            offset = min(job.first, self._settings.handles)
            for item in job.items:
                show_result(item, medium, offset, job.last - job.first, earlier)
        except ResultError as error:
            self._say(str(error))
        except Exception as error:  # the user closed the project or removed the clip
            self._say(f"{self._output} is restored, but Resolve did not take it: {error}")
        else:
            self._say(f"{self._output.name}: restored")


def _jobs(clips: Sequence[UsedClip]) -> list[_Job]:
    """Jobs, one for all clips that show the same frames of a file."""
    jobs: dict[Any, _Job] = {}
    for clip in clips:
        key = (clip.path, clip.first, clip.last)
        jobs.setdefault(key, _Job(clip.path, clip.first, clip.last, clip.rate, [])).items.append(clip.item)
    return list(jobs.values())


def _free_name(folder: Path, stem: str, suffix: str) -> Path:
    """A new file name. Earlier results are kept, because the project may use them."""
    path, number = folder / f"{stem}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}_v{number}{suffix}"
    return path


def _words(job: _Job, settings: RunSettings, output: Path) -> list[str]:
    # Half a frame early, so that rounding cannot lose the first frame or add one at the end.
    start = max((job.first - 0.5) / job.rate, 0)
    end = (job.last + 1.5) / job.rate
    return [
        "restore", str(job.path), str(output),
        "--start", f"{float(start):.6f}", "--end", f"{float(end):.6f}", "--handles", str(settings.handles),
        "--strength", f"{settings.strength:g}", "--fidelity", settings.fidelity, "--faces", settings.faces,
        "--codec", settings.codec,
    ]  # fmt: skip
