"""A run that ends as by Ctrl-C when its standard input is closed: for programs that start vidrestore.

Programs use this on Windows, where they cannot send signals. On every system, the run ends when the program
that started it ends.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

VARIABLE = "VIDRESTORE_END_WITH_STDIN"
_STDIN = 0


@contextmanager
def ended_with_stdin(words: Sequence[str]) -> Iterator[None]:
    """While the block lasts, the end of standard input interrupts it, where `VARIABLE` asks for that.

    Not where standard input is the video: `-` is among the command's words.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if os.environ.get(VARIABLE, "") in ("", "0") or "-" in words or not is_main:
        yield
        return
    guard, ended = threading.Lock(), False

    def watch() -> None:
        try:
            while os.read(_STDIN, 4096):
                pass
        except OSError:  # it was never open
            return
        with guard:
            if not ended:
                _interrupt_main_thread()

    threading.Thread(target=watch, name="standard input", daemon=True).start()
    try:
        yield
    finally:
        with guard:
            ended = True


def _interrupt_main_thread() -> None:
    main = threading.main_thread().ident
    if sys.platform == "win32" or main is None:
        signal.raise_signal(signal.SIGINT)
    else:
        # A command that a shell starts in the background inherits an ignored SIGINT.
        is_ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        signal.pthread_kill(main, signal.SIGTERM if is_ignored else signal.SIGINT)
