"""`vidrestore web [FOLDER …]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidrestore.cli.terminal import print_line
from vidrestore.errors import UsageError

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore web ~/films

vidrestore web ~/films /mnt/tapes --port 8800
"""


def web(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FOLDER …]", help="Folders in which it may read and write. Default: the current one."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port on 127.0.0.1; 0: any free one.")
    ] = 8765,
    state: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of the jobs. Default: ~/.vidrestore.")
    ] = None,
    watch: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also run the jobs that other programs write into this folder."),
    ] = None,
) -> None:
    """Serve a page for your browser: preview, compare settings, choose people, queue jobs, all local."""
    try:
        from vidrestore.web.server import serve
    except ImportError as error:
        raise UsageError(f"the page needs more packages: pip install 'vidrestore[web]' ({error})") from error
    serve(
        folders or [Path.cwd()],
        port=port,
        state=state or Path.home() / ".vidrestore",
        watched=watch,
        on_address=lambda address: print_line(f"vidrestore web: open {address}"),
    )
