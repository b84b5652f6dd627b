"""Ends a child process with its parent.

A worker that waits for its next task does not notice that its parent was killed: it holds both ends of the
pipe from which tasks come.
"""

from __future__ import annotations

import multiprocessing
import os
import threading


def end_with_parent() -> None:
    """Starts a thread that ends this process when the process that started it has ended.

    For processes of `multiprocessing`; in others it does nothing.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="end with parent", daemon=True).start()
