"""The host programs that vidrestore has scripts for, and the folders where they look for scripts."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SOURCES = Path(__file__).parent
"""The folder with a folder of files for each host."""
HOST_PACKAGE = "vidrestore_host"
"""Package name of the copied modules. It is not `vidrestore`, which the host's Python may have installed
too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A program with scripts by vidrestore."""

    title: str
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By `sys.platform`: the folders that the host's files may go into; the first that exists is used. `~`,
    `$NAME` and `*` have their meaning in a shell."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Target path in that folder: the file or folder in `SOURCES` that is copied there."""
    package_in: str | None = None
    """Subfolder that gets the host's modules as the package `HOST_PACKAGE`; None: there are no modules."""
    next_step: str
    """What the user does after the installation."""


HOSTS: dict[str, Host] = {
    "aftereffects": Host(
        title="Adobe After Effects",
        places={
            "darwin": ("/Applications/Adobe After Effects */Scripts",),
            "win32": ("$ProgramFiles/Adobe/Adobe After Effects */Support Files/Scripts",),
        },
        files={"vidrestore.jsx": "aftereffects/vidrestore.jsx"},
        next_step="select footage layers, then File > Scripts > vidrestore.jsx",
    ),
    "blender": Host(
        title="Blender's video sequencer",
        places={
            "linux": ("~/.config/blender/*/extensions/user_default",),
            "darwin": ("~/Library/Application Support/Blender/*/extensions/user_default",),
            "win32": ("$APPDATA/Blender Foundation/Blender/*/extensions/user_default",),
        },
        files={
            "vidrestore/__init__.py": "blender/extension.py",
            "vidrestore/blender_manifest.toml": "blender/blender_manifest.toml",
        },
        package_in="vidrestore",
        next_step="start Blender again, then Edit > Preferences > Add-ons: switch vidrestore on",
    ),
    "comfyui": Host(
        title="ComfyUI",
        places=dict.fromkeys(
            ("linux", "darwin", "win32"), ("~/ComfyUI/custom_nodes", "~/Documents/ComfyUI/custom_nodes")
        ),
        # Not `vidrestore`: a program that imports custom nodes by their folder's name would hide vidrestore.
        files={"comfyui-vidrestore/__init__.py": "comfyui/custom_node.py"},
        package_in="comfyui-vidrestore",
        next_step="start ComfyUI again; the nodes are under video/vidrestore and image/vidrestore",
    ),
    "kdenlive": Host(
        title="Kdenlive 23.04 and later",
        places={
            "linux": ("~/.local/share/kdenlive",),
            "darwin": ("~/Library/Application Support/kdenlive",),
            "win32": ("$APPDATA/kdenlive",),
        },
        files={"clipjobsettings.rc": "kdenlive/clipjobsettings.rc"},
        next_step="start Kdenlive again, then Clip Jobs > Restore faces, of a clip in the bin",
    ),
    "nuke": Host(
        title="Nuke 13 and later",
        places=dict.fromkeys(("linux", "darwin", "win32"), ("~/.nuke",)),
        files={"vidrestore/menu.py": "nuke/menu.py"},
        package_in="vidrestore",
        next_step="add the line  nuke.pluginAddPath('./vidrestore')  to init.py in that folder; start Nuke "
        "again, then Nodes > vidrestore",
    ),
    "premiere": Host(
        title="Adobe Premiere 25.6 and later",
        files={
            f"vidrestore/{name}": f"premiere/{name}"
            for name in (
                "manifest.json",
                "index.html",
                "panel.js",
                "session.js",
                "selected_clips.js",
                "placing.js",
                "job_files.js",
            )
        },
        next_step="in Adobe's UXP Developer Tool: Add Plugin, its manifest.json, Load; then, in a terminal, "
        "vidrestore integrations watch",
    ),
    "resolve": Host(
        title="DaVinci Resolve 18 and later",
        places={
            "linux": ("~/.local/share/DaVinciResolve/Fusion",),
            "darwin": ("~/Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion",),
            "win32": ("$APPDATA/Blackmagic Design/DaVinci Resolve/Support/Fusion",),
        },
        files={"Scripts/Utility/vidrestore.py": "resolve/menu_script.py"},
        package_in="vidrestore",
        next_step="Workspace > Scripts > vidrestore, in an open timeline",
    ),
    "vapoursynth": Host(
        title="VapourSynth",
        next_step="nothing to install: import vidrestore.vapoursynth in the script",
    ),
}


def is_here(name: str) -> bool:
    """Whether this installation of vidrestore has the files of a host."""
    return all((SOURCES / source).exists() for source in HOSTS[name].files.values())


def place_of(host: Host, platform: str = sys.platform) -> Path | None:
    """The host's folder for scripts on this computer, that of its newest version; None: not found."""
    for pattern in host.places.get(platform, ()):
        parts = pattern.split("/")
        fixed = next((number for number, part in enumerate(parts) if "*" in part), len(parts))
        root = Path(os.path.expandvars("/".join(parts[:fixed]))).expanduser()
        found = [root] if fixed == len(parts) else sorted(root.glob("/".join(parts[fixed:])))
        for folder in reversed(found):  # the newest version
            if folder.is_dir():
                return folder
    return None
