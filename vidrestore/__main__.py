"""The program's process: `python -m vidrestore` is `vidrestore`."""

import signal
import sys


def run() -> int:
    """Runs the command line; its exit code.

    Ctrl-C ends it with 130 and without a traceback also while modules are loaded, which must not be
    interrupted, and while the process ends.
    """
    interrupts: list[int] = []
    is_heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not ignored, as by nohup
    try:
        if is_heard:
            signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
        from vidrestore.cli import main

        if is_heard:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if interrupts:
            raise KeyboardInterrupt
        code = main()
        if is_heard:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if sys.stderr is not None:
            sys.stderr.write("vidrestore: error: interrupted\n")
        return 130
    return code


if __name__ == "__main__":
    sys.exit(run())
