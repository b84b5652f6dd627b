"""The entry of Workspace > Scripts in DaVinci Resolve, which runs it with its own objects as globals."""

import sys

sys.path.insert(0, "__VIDRESTORE_FOLDER__/vidrestore")

from vidrestore_host.resolve.window import open_window

open_window(dict(globals()))
