"""`vidrestore inspect INPUT [--json FILE] [--html FILE]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidrestore.cli import options
from vidrestore.cli.progress import show_progress
from vidrestore.cli.progress_json import start_json_progress
from vidrestore.cli.report_file import check_reports, json_report, new_file, page_report
from vidrestore.cli.run_report import read_run_report
from vidrestore.cli.terminal import print_result, printable, render
from vidrestore.cli.wording import count, drawn_share, time_span, unit, video_summary
from vidrestore.settings import make_settings

if TYPE_CHECKING:
    from vidrestore.inspection import Inspection

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore inspect old.mp4

vidrestore inspect old.mp4 --html faces.html

vidrestore inspect old.mp4 --json - --quiet

vidrestore inspect old.mp4 --report restored.json

vidrestore inspect old.mp4 --sidecar old.mp4.yaml
"""

MADE_BY = "vidrestore inspect"
"""Marks this command's reports."""
_WIDTH = 120
"""Width of the lines without a terminal."""


def inspect(
    input: Annotated[Path, typer.Argument(metavar="INPUT", help="The video to inspect.", show_default=False)],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all results as JSON; - for stdout.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with a picture of each face.")
    ] = None,
    sidecar: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a new sidecar: YAML to say how each person is restored."),
    ] = None,
    detector: options.Detector = None,
    device: options.Device = None,
    faces: options.Faces = None,
    min_face: options.MinFace = None,
    deinterlace: options.Deinterlace = None,
    fps: options.Fps = None,
    max_pixels: options.MaxPixels = None,
    hwaccel: options.Hwaccel = None,
    start: options.Start = None,
    end: options.End = None,
    handles: options.Handles = None,
    run_file: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Report of restore --report with the same settings; shows how much of each face was drawn.",
        ),
    ] = None,
    progress: options.Progress = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", metavar="", help="Show no progress and no table.")
    ] = False,
) -> None:
    """List the scenes of INPUT and the faces that would be restored, by their track ids."""
    from vidrestore.inspection import inspect_video, with_drawn

    settings = make_settings(
        detector=detector,
        device=device,
        faces=faces,
        min_face=min_face,
        deinterlace=deinterlace,
        fps=fps,
        max_pixels=max_pixels,
        hwaccel=hwaccel,
        start=start,
        end=end,
        handles=handles,
    )
    to_stdout = str(json_file) == "-"
    report = None if json_file is None or to_stdout else json_report(json_file, MADE_BY)
    page = None if html is None else page_report(html, MADE_BY)
    new = None if sidecar is None else new_file(sidecar)
    check_reports(*(each for each in (report, page, new) if each is not None))
    run = None if run_file is None else read_run_report(run_file)
    lines = None if progress is None else start_json_progress(progress)
    with show_progress(quiet=quiet or lines is not None) as shown:
        inspection = inspect_video(input, settings, shown if lines is None else lines.show)
    if run is not None:
        inspection = with_drawn(inspection, run)
    values = {"made_by": MADE_BY, **inspection.to_dict()}
    text = json.dumps(values, indent=2)
    if report is not None:
        report.write(text + "\n")
    if page is not None:
        from vidrestore.cli.inspect_page import render_page

        page.write(render_page(inspection) + "\n")
    if new is not None:
        from vidrestore.jobs.sidecar_text import new_sidecar_text

        new.write(new_sidecar_text(input, inspection, settings))
    if to_stdout:
        print_result(text)
    elif not quiet:
        # If a file was written, a closed standard output is not an error.
        print_result(_text(inspection), must_arrive=report is None and page is None and new is None)
    if lines is not None:
        from vidrestore.cli.inspect_page import thumbnail_uri

        thumbnails = {str(track.id): thumbnail_uri(track) for track in inspection.tracks}
        lines.write("report", **values, thumbnails=thumbnails)


def _text(inspection: Inspection) -> str:
    from rich.table import Table

    lines = [
        f"{printable(inspection.path)}: {video_summary(inspection)}"
        + (f", rotated by {inspection.rotation} degrees" if inspection.rotation else "")
        + (", mirrored" if inspection.mirrored else "")
        + (f", interlaced ({inspection.field_order} field first)" if inspection.interlaced else "")
        + (", telecined from film" if inspection.telecined else ""),
        f"{count(len(inspection.scenes), 'scene')}, starting at {_scene_starts(inspection)}",
        f"faces in {inspection.frames_with_faces} of {inspection.frames} frames",
    ]
    if not inspection.tracks:
        return render(*lines, width=_WIDTH)
    with_run = any(t.drawn is not None for t in inspection.tracks)
    table = Table(box=None, pad_edge=False)
    for title in (
        "id",
        "person",
        f"from {unit(inspection)}",
        f"to {unit(inspection)}",
        "frames",
        "side px",
        "sharpness",
        "score",
        *(("drawn",) if with_run else ()),
    ):
        table.add_column(title, justify="right", no_wrap=True)
    for t in inspection.tracks:
        side = f"{t.side[0]:.0f}-{t.side[2]:.0f}"
        drawn = (drawn_share(t),) if with_run else ()
        table.add_row(str(t.id), f"p{t.person}", *time_span(inspection, t), str(t.frames), side,
                      f"{t.sharpness:.1f}", f"{t.score:.2f}", *drawn)  # fmt: skip
    lines.append(_people_line(inspection))
    return render(*lines, table, width=_WIDTH)


def _people_line(inspection: Inspection) -> str:
    """The number of people in the tracks, and how certain the grouping is."""
    from vidrestore.identity import how_sure

    distances = [person.distance for person in inspection.people if person.distance is not None]
    people = count(len(inspection.people), "person").replace("persons", "people")
    if not distances:
        return people
    return f"{people}; tracks of one are at most {max(distances):.2f} apart: {how_sure(max(distances))}"


def _scene_starts(inspection: Inspection) -> str:
    timed = inspection.frame_rate is not None
    starts = ", ".join(f"{s.start:.2f}" if timed else str(s.first_frame) for s in inspection.scenes[:12])
    more = f" and {len(inspection.scenes) - 12} more" if len(inspection.scenes) > 12 else ""
    return f"{starts}{more} s" if timed else f"frame {starts}{more}"
