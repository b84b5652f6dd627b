"""The script in Workspace > Scripts of DaVinci Resolve, which runs it with Resolve's objects as globals."""

import sys

sys.path.insert(0, "__VIDRESTORE_FOLDER__/vidrestore")

from vidrestore_host.resolve.window import open_window

open_window(dict(globals()))
