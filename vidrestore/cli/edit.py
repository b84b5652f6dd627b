"""`vidrestore edit IN.otio OUT.otio --media FOLDER`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer

from vidrestore.cli import options
from vidrestore.cli.item_progress import ItemPrinter
from vidrestore.cli.progress_json import outcome_values, start_json_progress
from vidrestore.cli.terminal import print_line
from vidrestore.cli.wording import count
from vidrestore.errors import UsageError
from vidrestore.settings import make_settings

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore edit cut.otio cut_restored.otio --media restored

vidrestore edit cut.otio cut_restored.otio --media restored --handles 48 --codec prores --container mov

[bold]Exit codes[/bold]

0 all media are restored; 1 at least one failed or was skipped; 2 arguments cannot be used; 130 interrupted
"""


def edit(
    input: Annotated[Path, typer.Argument(metavar="IN.otio", help="The timeline.", show_default=False)],
    output: Annotated[
        Path,
        typer.Argument(metavar="OUT.otio", help="The new timeline, with both media.", show_default=False),
    ],
    media: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Folder of the restored media; created if needed.", show_default=False
        ),
    ],
    handles: Annotated[
        int, typer.Option(metavar="N", min=0, max=100_000, help="Frames around each used range.")
    ] = 24,
    active: Annotated[
        Literal["restored", "original"],
        typer.Option(metavar="restored|original", help="The medium that clips in OUT show first."),
    ] = "restored",
    model: options.Model = None,
    detector: options.Detector = None,
    device: options.Device = None,
    strength: options.Strength = None,
    fidelity: options.Fidelity = None,
    temporal: options.Temporal = None,
    grain: options.Grain = None,
    deflicker: options.Deflicker = None,
    codec: options.Codec = None,
    crf: options.Crf = None,
    quality: options.Quality = None,
    preset: options.Preset = None,
    container: options.Container = None,
    max_pixels: options.MaxPixels = None,
    hwaccel: options.Hwaccel = None,
    strict: options.Strict = None,
    deinterlace: options.Deinterlace = None,
    config: options.Config = None,
    overwrite: options.Overwrite = None,
    progress: options.Progress = None,
    quiet: options.Quiet = False,
) -> None:
    """Restore the media ranges that a timeline uses; write a timeline with original and restored media."""
    settings = make_settings(
        config,
        model=model,
        detector=detector,
        device=device,
        strength=strength,
        fidelity=fidelity,
        temporal=temporal,
        grain=grain,
        deflicker=deflicker,
        codec=codec,
        crf=crf,
        quality=quality,
        preset=preset,
        container=container,
        max_pixels=max_pixels,
        hwaccel=hwaccel,
        strict=strict,
        deinterlace=deinterlace,
        overwrite=overwrite,
    )
    if find_spec("opentimelineio") is None:
        raise UsageError("edit needs OpenTimelineIO, which is not installed: pip install 'vidrestore[otio]'")
    from vidrestore.integrations.edit import restore_edit

    lines = None if progress is None else start_json_progress(progress)
    outcomes = restore_edit(
        input,
        output,
        media,
        settings,
        handles=handles,
        active=active,
        on_progress=ItemPrinter(quiet=quiet).show if lines is None else lines.show_item,
    )
    incomplete = [outcome for outcome in outcomes if outcome.state in ("failed", "skipped")]
    if not quiet:
        frames, faces = sum(o.frames for o in outcomes), sum(o.faces for o in outcomes)
        print_line(
            f"{len(outcomes) - len(incomplete)} media restored, {count(frames, 'frame')}, "
            f"{count(faces, 'face')}, {len(incomplete)} failed or skipped: {output}"
        )
    if lines is not None:
        lines.write("report", output=str(output), outcomes=[outcome_values(o) for o in outcomes])
    if incomplete:
        raise typer.Exit(1)
