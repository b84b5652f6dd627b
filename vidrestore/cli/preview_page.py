"""The HTML page of `vidrestore preview`: a slider between before and after, and a grid of variants."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path

from vidrestore.cli.preview_pictures import (
    Picture,
    cut_square,
    face_square,
    time_label,
    variant_label,
    whole_picture,
)
from vidrestore.cli.report_file import generator
from vidrestore.cli.terminal import printable
from vidrestore.jobs.preview import Preview, PreviewCell

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: CanvasText; background: Canvas }
h1 { font-size: 1.2rem } h2 { font-size: 1.05rem; margin-top: 2rem }
.compare { position: relative; display: inline-block; max-width: 100%; line-height: 0 }
.compare img { max-width: 100% } .compare .after { position: absolute; inset: 0; clip-path: inset(0 0 0 50%) }
input[type=range] { display: block; width: 100%; max-width: 60rem; margin: .5rem 0 1rem }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 1rem }
figure { margin: 0 } figure img { width: 100%; border-radius: 4px }
code { display: block; font-size: .8rem; overflow-wrap: anywhere; user-select: all; padding: .3rem;
  border: 1px solid color-mix(in srgb, CanvasText 25%, Canvas); border-radius: 4px }
small { opacity: .75 }
"""
_SCRIPT = """
for (const slider of document.querySelectorAll('input[type=range]'))
  slider.addEventListener('input', () => {
    slider.previousElementSibling.querySelector('.after').style.clipPath = `inset(0 0 0 ${slider.value}%)`;
  });
"""


def render_page(source: Path, previews: Sequence[Preview], commands: Sequence[str]) -> str:
    """The sheet as an HTML page without external resources.

    Args:
        source: The video.
        previews: The previews, one for each time.
        commands: The command line of each variant.
    """
    name = escape(printable(source.name))
    sections = "".join(_section(preview, commands) for preview in previews)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{generator("vidrestore preview")}'
        f'<meta name="viewport" content="width=device-width"><title>{name}</title><style>{_STYLE}</style>'
        f"<h1>{name}</h1>{sections}<script>{_SCRIPT}</script></html>"
    )


def _section(preview: Preview, commands: Sequence[str]) -> str:
    before, label = whole_picture(preview.before), escape(time_label(preview))
    first = preview.cells[0]
    square = face_square(preview)
    note = "" if preview.faces else "<p>No face is restored in this frame.</p>"
    cells = "".join(
        _figure(cut_square(whole_picture(cell.after), square), _caption(cell), command)
        for cell, command in zip(preview.cells, commands, strict=True)
    )
    return (
        f"<h2>{label}</h2>{note}<div class=compare>{_image(before, f'before, {label}')}"
        f"{_image(whole_picture(first.after), f'after, {label}', 'after')}</div>"
        f'<input type=range min=0 max=100 value=50 aria-label="before and after, {label}">'
        f"<p><small>Left of the slider: before. Right: {escape(variant_label(first.variant))}.</small></p>"
        f"<div class=grid>{_figure(cut_square(before, square), 'before', None)}{cells}</div>"
    )


def _caption(cell: PreviewCell) -> str:
    return f"{variant_label(cell.variant)}; {cell.drawn:.0%} drawn"


def _figure(picture: Picture, caption: str, command: str | None) -> str:
    text = escape(caption)
    code = "" if command is None else f"<code>{escape(printable(command))}</code>"
    return f"<figure>{_image(picture, text)}<figcaption>{text}{code}</figcaption></figure>"


def _image(picture: Picture, label: str, kind: str = "") -> str:
    import cv2

    png = b64encode(cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()).decode("ascii")
    return f'<img class="{kind}" alt="{label}" src="data:image/png;base64,{png}">'
