"""Adds vidrestore to the menu Nodes. Nuke runs this file when it starts."""

import sys

import nuke

sys.path.append("__VIDRESTORE_FOLDER__/vidrestore")

from vidrestore_host.nuke.panel import ask_and_restore

nuke.menu("Nodes").addMenu("vidrestore").addCommand("Restore faces", ask_and_restore)
