"""`vidrestore evaluate paper --set NAME --data FOLDER`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vidrestore.cli import options
from vidrestore.cli.evaluate import end_by_checks
from vidrestore.cli.progress import show_progress
from vidrestore.cli.report_file import check_reports, json_report
from vidrestore.cli.terminal import print_result, printable
from vidrestore.settings import make_settings

if TYPE_CHECKING:
    from vidrestore.evaluation.paper_table import PaperResult

MADE_BY = "vidrestore evaluate paper"
SetName = Literal["celeba", "lfw", "wider"]

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore evaluate paper --set celeba --data CelebA-Test --model daefr

vidrestore evaluate paper --set lfw --data LFW-Test --reference ffhq_512.npz --json lfw.json

[bold]Exit codes[/bold]

0 measured; 1 a failure; 2 arguments or files cannot be used, or a file has no partner; 3 measured, but \
pictures do not match; 130 interrupted
"""


def evaluate_paper(
    set_name: Annotated[
        SetName,
        typer.Option("--set", metavar="celeba|lfw|wider", help="The test set.", show_default=False),
    ],
    data: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Aligned faces of 512 pixels; of celeba the folders lq and hq in it, with the same names.",
            show_default=False,
        ),
    ],
    model: options.Model = None,
    fidelity: Annotated[
        str, typer.Option(metavar="auto|0..1", help="0 is plain DAEFR, as published; see restore.")
    ] = "0",
    precision: Annotated[
        str, typer.Option(metavar="auto|float32|bfloat16", help="Arithmetic of the networks.")
    ] = "float32",
    device: options.Device = None,
    batch: options.Batch = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="What FID compares with: a folder of pictures, or .npz statistics by pytorch-fid. Default: "
            "the truth of celeba, else none.",
        ),
    ] = None,
    inception: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Weights of FID's network. Default: where torch.hub keeps them."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the restored faces as PNG.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all values as JSON; - for stdout.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", metavar="", help="Show no progress and no table.")
    ] = False,
) -> None:
    """Restore aligned faces one by one and measure them as the DAEFR paper does."""
    settings = make_settings(
        aligned=True, model=model, fidelity=fidelity, precision=precision, device=device, batch=batch
    )
    from vidrestore.evaluation.paper import PaperFiles
    from vidrestore.evaluation.paper import evaluate_paper as run
    from vidrestore.evaluation.saved_faces import save_faces

    to_stdout = str(json_file) == "-"
    report = None if json_file is None or to_stdout else json_report(json_file, MADE_BY)
    check_reports(*filter(None, [report]))
    with show_progress(quiet=quiet) as on_progress:
        found = run(
            set_name,
            data,
            settings,
            PaperFiles(reference=reference, inception=inception),
            on_progress=on_progress,
            on_restored=None if save is None else save_faces(save),
        )
    text = _json(found)
    if report is not None:
        report.write(text + "\n")
    if to_stdout:
        print_result(text)
    elif not quiet:
        _print_table(found, must_arrive=report is None)
    end_by_checks(found.checks, has_table=not (to_stdout or quiet))


def _json(found: PaperResult) -> str:
    from vidrestore.evaluation.paper_table import to_dict

    return json.dumps({"made_by": MADE_BY, **to_dict(found)}, indent=1)


def _print_table(found: PaperResult, *, must_arrive: bool) -> None:
    from vidrestore.evaluation.paper_table import table

    lines = [printable(line) for line in table(found).splitlines()]
    print_result("\n".join(lines), must_arrive=must_arrive)
