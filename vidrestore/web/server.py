"""The HTTP server, for this computer only; its address contains a secret token."""

from __future__ import annotations

import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from vidrestore.errors import OutputError, UsageError, VidrestoreError
from vidrestore.runtime.put_in_place import check_replaceable
from vidrestore.web.access import AccessControl
from vidrestore.web.dropped_files import DroppedFiles
from vidrestore.web.file_roots import FileRoots
from vidrestore.web.job_runner import JobRunner
from vidrestore.web.media import MediaWorker
from vidrestore.web.service import Service
from vidrestore.web.slow_clients import TimedProtocol

HOST = "127.0.0.1"
_LOCK = "server.lock"
_BACKLOG = 128
_MOST_CONNECTIONS = 500
_MORE_SIGNALS = ("SIGHUP", "SIGQUIT", "SIGXCPU")
_MARK = b"vidrestore web keeps its jobs in this folder.\n"
_CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def serve(
    folders: Sequence[Path],
    *,
    port: int,
    state: Path,
    on_address: Callable[[str], None],
    watched: Path | None = None,
) -> None:
    """Serves the page until it is interrupted. Running jobs continue afterwards.

    Args:
        folders: Folders that the page may read and write in.
        port: The port on 127.0.0.1; 0: any free one.
        state: The folder of the jobs.
        on_address: Called with the page's address.
        watched: A folder with folders of jobs, which are added to the queue; None: there is none.

    Raises:
        UsageError: A folder does not exist, the port is in use, another server uses the same state, or the
            system is not Linux.
        OutputError: The folder of the state cannot be created.
    """
    if not Path("/proc/self/stat").exists():
        raise UsageError("the page runs on Linux only; use the other commands on this system")
    FileRoots(folders)
    _make_private(state)
    listening = _listen(port)
    number = listening.getsockname()[1]
    token = secrets.token_urlsafe(32)
    with (
        listening,
        _only_server(state),
        JobRunner(state, watched=watched) as runner,
        closing(MediaWorker()) as media,
    ):
        media.warm_up()
        dropped = DroppedFiles(state)
        roots = FileRoots([*folders, dropped.folder])
        hosts = (f"{HOST}:{number}", f"localhost:{number}")
        app = AccessControl(Service(roots, runner, media, dropped).app(), token=token, hosts=hosts)
        on_address(f"http://{HOST}:{number}/?token={token}")
        _Server(server_config(app)).run(sockets=[listening])


def server_config(app: ASGIApp) -> uvicorn.Config:
    """The configuration of the server: no proxy is trusted; connections and waiting have limits."""
    return uvicorn.Config(
        app,
        http=TimedProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=3,
    )


class _Server(uvicorn.Server):
    """A server that ends on all signals as on Ctrl-C; uvicorn's own knows two of them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            numbers = [getattr(signal, name) for name in _MORE_SIGNALS]
            before = {number: signal.getsignal(number) for number in numbers}
            for number in numbers:
                if before[number] != signal.SIG_IGN:  # as nohup sets it
                    signal.signal(number, self.handle_exit)
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)


def _make_private(state: Path) -> None:
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {state} cannot be created: {error.strerror or error}") from error


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(_BACKLOG)  # connections are accepted from now on
    except OSError as error:
        listening.close()
        raise UsageError(
            f"port {port} is in use; choose another with --port, or 0 for any free one"
        ) from error
    return listening


class _only_server:  # noqa: N801 - reads as a statement
    """A lock on the folder of the state. The system releases it when the process ends."""

    def __init__(self, state: Path) -> None:
        self._path = state / _LOCK

    def __enter__(self) -> None:
        import fcntl

        state = self._path.parent
        is_new = not any(state.iterdir())
        try:
            check_replaceable(self._path)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT * is_new | _CAREFULLY, 0o600)
        except FileNotFoundError as error:
            raise _foreign(state) from error
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror or error}") from error
        try:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise UsageError(f"another vidrestore web uses {state}; end it, or choose --state") from error
            if is_new:
                os.write(self._descriptor, _MARK)
            elif os.read(self._descriptor, len(_MARK)) != _MARK:
                raise _foreign(state)
        except VidrestoreError:
            os.close(self._descriptor)
            raise

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)


def _foreign(state: Path) -> UsageError:
    return UsageError(f"{state} is not empty and has no jobs of vidrestore web in it; choose another --state")
