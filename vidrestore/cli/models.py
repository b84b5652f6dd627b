"""`vidrestore models list | pull NAME | convert CHECKPOINT OUT.safetensors`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from vidrestore.cli.terminal import print_line, print_result, printable, render
from vidrestore.weights.catalogue import CATALOGUE, Embedded, Entry, find_entry

app = typer.Typer(
    help="List, download and convert weights.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("list")
def list_weights(
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print a JSON array, an object for each.")
    ] = False,
) -> None:
    """List all weights: name, size, licence, whether they are downloaded, and their path."""
    from rich.table import Table

    if as_json:
        print_result(json.dumps([_values(entry) for entry in CATALOGUE], indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("name", "for", "size", "licence", "here", "path"):
        table.add_column(title, no_wrap=title in ("name", "size", "here"), overflow="fold")
    for entry in CATALOGUE:
        table.add_row(*_row(entry))
    print_result(render(table, width=400))  # wide enough that no line is wrapped in a pipe


@app.command("pull")
def pull_weights(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name from `vidrestore models list`.")],
) -> None:
    """Download weights once into the cache (VIDRESTORE_CACHE, else ~/.cache/vidrestore)."""
    from vidrestore.cli.progress import show_download
    from vidrestore.weights.cache import pull

    entry = find_entry(name)
    with show_download(name) as on_progress:
        pulled = pull(entry, on_progress)
    if isinstance(entry.source, Embedded):
        print_line(f"{name} is part of vidrestore: {pulled.path}")
        return
    print_line(f"{name} {'downloaded to' if pulled.downloaded else 'is downloaded already'}: {pulled.path}")
    print_line(f"licence: {entry.licence}")
    if pulled.trusted:
        print_line(
            f"its checksum was not known before; it is stored and checked from now on: {pulled.sha256}"
        )


@app.command("convert")
def convert_weights(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="The authors' Lightning checkpoint (.ckpt).")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="The output file.")],
) -> None:
    """Convert a DAEFR checkpoint to safetensors: faster to load, without the parts only training needs."""
    from vidrestore.daefr.checkpoint import convert

    convert(checkpoint, target)
    print_line(f"converted: {target} ({_file_size(target.stat().st_size)})")


def _values(entry: Entry) -> dict[str, str | int | None]:
    """The entry as JSON values; None: unknown size, or the path of weights that are not downloaded."""
    from vidrestore.weights.cache import local_path

    path = local_path(entry)
    if isinstance(entry.source, Embedded):
        state = "embedded" if path is not None else "missing"
    else:
        state = "cached" if path is not None else "not downloaded"
    return {
        "name": entry.name,
        "purpose": entry.purpose,
        "bytes": path.stat().st_size if path is not None else entry.size,
        "licence": entry.licence,
        "state": state,
        "path": None if path is None else str(path),
    }


def _row(entry: Entry) -> tuple[str, ...]:
    values = _values(entry)
    size = values["bytes"]
    licence, _, _ = entry.licence.partition(":")
    return (
        entry.name,
        entry.purpose,
        _file_size(size if isinstance(size, int) else None),
        licence,
        str(values["state"]),
        printable(values["path"] or ""),
    )


def _file_size(size: int | None) -> str:
    if size is None:
        return "?"
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
