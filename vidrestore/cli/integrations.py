"""`vidrestore integrations list | install HOST | where HOST | watch`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from vidrestore.cli.terminal import print_line, print_result, render

app = typer.Typer(
    help="Scripts for the programs people edit in: DaVinci Resolve, Nuke, ComfyUI and others.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
HostName = Annotated[
    str,
    typer.Argument(metavar="HOST", help="A name from `vidrestore integrations list`.", show_default=False),
]
To = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Instead of the host's own folder on this computer.", show_default=False
    ),
]


@app.command("list")
def list_hosts() -> None:
    """List the hosts: name, program, whether the scripts are installed, and the folder they go into."""
    from rich.table import Table

    from vidrestore.integrations.hosts import HOSTS, is_here, place_of
    from vidrestore.integrations.install import files_of, is_installed

    table = Table(box=None, pad_edge=False)
    for title in ("host", "program", "installed", "folder"):
        table.add_column(title, no_wrap=title != "folder", overflow="fold")
    for name, host in HOSTS.items():
        if not is_here(name):
            continue
        place = place_of(host)
        if not host.files:
            table.add_row(name, host.title, "", host.next_step)
        elif place is None:
            where = "not found on this computer" if host.places else "any; choose one with --to"
            table.add_row(name, host.title, "no", where)
        else:
            installed = all(is_installed(file) for file in files_of(name, place))
            table.add_row(name, host.title, "yes" if installed else "no", str(place))
    print_result(render(table, width=400))  # wide enough that nothing is wrapped or cut in a pipe


@app.command("install")
def install_host(host: HostName, to: To = None) -> None:
    """Write the scripts of HOST into its folder; no file that is not vidrestore's own is replaced."""
    from vidrestore.integrations.install import find_host, install

    for path in install(host, to):
        print_line(f"written: {path}")
    print_line(f"then: {find_host(host).next_step}")


@app.command("where")
def where_host(host: HostName, to: To = None) -> None:
    """Print the files of HOST and where they belong; writes nothing."""
    from vidrestore.integrations.install import files_of, find_host, folder_of, is_installed

    for file in files_of(host, folder_of(host, to)):
        print_result(f"{'installed' if is_installed(file) else 'missing'}: {file.path}")
    print_result(f"then: {find_host(host).next_step}")


@app.command("watch")
def watch_jobs(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER",
            help="Where plugins leave their jobs. Default: vidrestore-jobs in your home folder.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the jobs of plugins that cannot start a program, such as Premiere's, until Ctrl-C."""
    from vidrestore.errors import OutputError
    from vidrestore.integrations.job_folder import WATCHED, watch

    watched = folder or Path.home() / WATCHED
    try:
        watched.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {watched}: {error.strerror or error}") from error
    print_line(f"waiting for jobs in {watched}; end with Ctrl-C")
    with suppress(KeyboardInterrupt):
        watch(watched)
