"""`vidrestore inspect INPUT [--json FILE] [--html FILE]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidrestore.cli import options
from vidrestore.cli.output_files import check_output, write_text
from vidrestore.cli.progress import show_progress
from vidrestore.cli.wording import count, time_span, unit, video_summary
from vidrestore.settings import make_settings

if TYPE_CHECKING:
    from vidrestore.inspection import Inspection

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore inspect old.mp4

vidrestore inspect old.mp4 --html faces.html

vidrestore inspect old.mp4 --json - --quiet
"""


def inspect(
    input: Annotated[Path, typer.Argument(metavar="INPUT", help="The video to look at.", show_default=False)],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all that was found; - for stdout.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with a picture of each face.")
    ] = None,
    detector: options.Detector = None,
    device: options.Device = None,
    faces: options.Faces = None,
    min_face: options.MinFace = None,
    deinterlace: options.Deinterlace = None,
    fps: options.Fps = None,
    max_pixels: options.MaxPixels = None,
    start: options.Start = None,
    end: options.End = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no table.")] = False,
) -> None:
    """Say what there is in INPUT: scenes, and the faces that would be restored, by their track ids."""
    from vidrestore.inspection import inspect_video

    settings = make_settings(
        detector=detector,
        device=device,
        faces=faces,
        min_face=min_face,
        deinterlace=deinterlace,
        fps=fps,
        max_pixels=max_pixels,
        start=start,
        end=end,
    )
    to_stdout = str(json_file) == "-"
    for path in (None if to_stdout else json_file, html):
        if path is not None:
            check_output(path, [input])
    with show_progress(quiet=quiet) as on_progress:
        inspection = inspect_video(input, settings, on_progress)
    if json_file is not None:
        text = json.dumps(inspection.to_dict(), indent=2)
        if to_stdout:
            print(text)
        else:
            write_text(json_file, text + "\n")
    if html is not None:
        from vidrestore.cli.inspect_page import render_page

        write_text(html, render_page(inspection) + "\n")
    if not quiet and not to_stdout:
        _print(inspection)


def _print(inspection: Inspection) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False, markup=False)
    console.print(
        f"{inspection.path}: {video_summary(inspection)}"
        + (f", turned by {inspection.rotation} degrees" if inspection.rotation else "")
        + (", mirrored" if inspection.mirrored else "")
        + (f", interlaced ({inspection.field_order} field first)" if inspection.interlaced else "")
        + (", telecined from film" if inspection.telecined else "")
    )
    timed = inspection.frame_rate is not None
    starts = ", ".join(f"{s.start:.2f}" if timed else str(s.first_frame) for s in inspection.scenes[:12])
    more = f" and {len(inspection.scenes) - 12} more" if len(inspection.scenes) > 12 else ""
    at = f"{starts}{more} s" if timed else f"frame {starts}{more}"
    console.print(f"{count(len(inspection.scenes), 'scene')}, beginning at {at}")
    console.print(f"faces in {inspection.frames_with_faces} of {inspection.frames} frames")
    if not inspection.tracks:
        return
    table = Table(box=None, pad_edge=False)
    for title in (
        "id",
        f"from {unit(inspection)}",
        f"to {unit(inspection)}",
        "frames",
        "side px",
        "sharpness",
        "score",
    ):
        table.add_column(title, justify="right", no_wrap=True)
    for t in inspection.tracks:
        side = f"{t.side[0]:.0f}-{t.side[2]:.0f}"
        table.add_row(str(t.id), *time_span(inspection, t), str(t.frames), side,
                      f"{t.sharpness:.1f}", f"{t.score:.2f}")  # fmt: skip
    console.print(table)
