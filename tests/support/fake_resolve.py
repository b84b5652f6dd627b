"""A fake of DaVinci Resolve's scripting objects, by Blackmagic's README.

Media is imported into the current folder; takes count from 1, the first AddTake makes the original take 1; a
method that a version does not have is None, as Resolve's objects answer unknown names.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


class Medium:
    """MediaPoolItem."""

    def __init__(self, path: str, *, rate: str = "25", start: str = "0") -> None:
        self.values = {"File Path": path, "FPS": rate, "Start": start}

    def GetClipProperty(self, name: str) -> str:
        return self.values.get(name, "")


class Folder:
    def __init__(self, name: str) -> None:
        self.name, self.clips, self.folders = name, list[Medium](), list[Folder]()

    def GetName(self) -> str:
        return self.name

    def GetClipList(self) -> list[Medium]:
        return list(self.clips)

    def GetSubFolderList(self) -> list[Folder]:
        return list(self.folders)


class MediaPool:
    def __init__(self) -> None:
        self.root = self.current = Folder("Master")
        self.refuses_folders = self.refuses_media = False

    def GetRootFolder(self) -> Folder:
        return self.root

    def GetCurrentFolder(self) -> Folder:
        return self.current

    def SetCurrentFolder(self, folder: Folder) -> bool:
        self.current = folder
        return True

    def AddSubFolder(self, folder: Folder, name: str) -> Folder | None:
        if self.refuses_folders:
            return None
        folder.folders.append(Folder(name))
        return folder.folders[-1]

    def ImportMedia(self, paths: list[str]) -> list[Medium]:
        if self.refuses_media:
            return []
        added = [Medium(path) for path in paths]
        self.current.clips += added
        return added


class Item:
    """TimelineItem."""

    def __init__(
        self, name: str, medium: Medium | None, *, first: int = 100, last: int = 149, track: str = "video"
    ) -> None:
        self.name, self.medium, self.first, self.last = name, medium, first, last
        self.takes: list[dict[str, Any]] = []
        self.selected = 0
        self.refuses_takes = False
        self.left_offset, self.duration = first, last - first + 1
        self.GetSourceStartFrame: Callable[[], int] | None = lambda: self.first
        self.GetSourceEndFrame: Callable[[], int] | None = lambda: self.last
        self.GetTrackTypeAndIndex: Callable[[], list[Any]] | None = lambda: [track, 1]

    def GetName(self) -> str:
        return self.name

    def GetMediaPoolItem(self) -> Medium | None:
        return self.takes[self.selected - 1]["mediaPoolItem"] if self.takes else self.medium

    def GetLeftOffset(self) -> int:
        return self.left_offset

    def GetDuration(self) -> int:
        return self.duration

    def GetTakesCount(self) -> int:
        return len(self.takes)

    def GetTakeByIndex(self, number: int) -> dict[str, Any] | None:
        return self.takes[number - 1] if 1 <= number <= len(self.takes) else None

    def GetSelectedTakeIndex(self) -> int:
        return self.selected

    def AddTake(self, medium: Medium, first: int, last: int) -> bool:
        if self.refuses_takes:
            return False
        if not self.takes:
            self.takes.append({"mediaPoolItem": self.medium, "startFrame": self.first, "endFrame": self.last})
            self.selected = 1
        self.takes.append({"mediaPoolItem": medium, "startFrame": first, "endFrame": last})
        return True

    def SelectTakeByIndex(self, number: int) -> bool:
        assert 1 <= number <= len(self.takes)
        self.selected = number
        return True

    def DeleteTakeByIndex(self, number: int) -> bool:
        assert 1 <= number <= len(self.takes)
        del self.takes[number - 1]
        self.selected = min(self.selected, len(self.takes))
        return True


class Timeline:
    def __init__(self, *tracks: list[Item], rate: str = "25") -> None:
        self.tracks, self.rate = tracks, rate
        self.current: Item | None = None
        self.GetSelectedClips: Callable[[], list[Item]] | None = None

    def GetSetting(self, name: str) -> str:
        return self.rate if name == "timelineFrameRate" else ""

    def GetTrackCount(self, kind: str) -> int:
        return len(self.tracks) if kind == "video" else 0

    def GetItemListInTrack(self, kind: str, number: int) -> list[Item]:
        assert (kind, number >= 1) == ("video", True)
        return self.tracks[number - 1]

    def GetCurrentVideoItem(self) -> Item | None:
        return self.current


class Project:
    def __init__(self, timeline: Timeline | None) -> None:
        self.timeline, self.pool = timeline, MediaPool()

    def GetCurrentTimeline(self) -> Timeline | None:
        return self.timeline

    def GetMediaPool(self) -> MediaPool:
        return self.pool


class Resolve:
    """With a project, its manager and Fusion in one object."""

    def __init__(self, timeline: Timeline | None = None) -> None:
        self.project: Project | None = Project(timeline)
        self.UIManager: Any = None

    def GetProjectManager(self) -> Resolve:
        return self

    def GetCurrentProject(self) -> Project | None:
        return self.project

    def Fusion(self) -> Resolve:
        return self


class _Control:
    """Any control of Fusion's windows; a combo box shows its first entry."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.ID = values.get("ID", "")
        self.Text, self.PlainText = values.get("Text", ""), ""
        self.Value, self.Enabled = values.get("Value"), values.get("Enabled", True)
        self.entries: list[str] = []
        self.chosen = 0

    def AddItems(self, entries: list[str]) -> None:
        self.entries += entries

    @property
    def CurrentText(self) -> str:
        return self.entries[self.chosen]


class UIManager:
    """Makes controls; groups keep theirs."""

    def __init__(self) -> None:
        self.controls: dict[str, _Control] = {}

    def _control(self, values: dict[str, Any]) -> _Control:
        control = _Control(values)
        self.controls[control.ID] = control
        return control

    Label = ComboBox = SpinBox = LineEdit = TextEdit = Button = _control

    def HGroup(self, values: dict[str, Any], children: list[Any]) -> None:
        assert "Weight" in values
        assert children

    def VGroup(self, children: list[Any]) -> None:
        assert children


class Events:
    """`window.On.NAME.EVENT = handler`."""

    def __getattr__(self, name: str) -> Any:
        self.__dict__[name] = Events()
        return self.__dict__[name]


class UIDispatcher:
    """One window; `script` does at each step what a user would."""

    script: Callable[[UIDispatcher, int], None]

    def __init__(self, ui: UIManager) -> None:
        self.items, self.On, self.steps = ui.controls, Events(), 0
        self.is_shown = False

    def AddWindow(self, values: dict[str, Any], layout: Any) -> UIDispatcher:
        self.window = values
        return self

    def GetItems(self) -> dict[str, _Control]:
        return self.items

    def Show(self) -> None:
        self.is_shown = True

    def Hide(self) -> None:
        self.is_shown = False

    def StepLoop(self, wait: bool) -> None:
        assert not wait
        self.steps += 1
        assert self.steps < 10_000, "the window was never closed"
        type(self).script(self, self.steps)
        raise KeyError("On")  # as for an event that nobody handles


def touch(path: Path) -> str:
    """A file at `path`, and its name as Resolve says it."""
    path.write_bytes(b"video")
    return str(path)
