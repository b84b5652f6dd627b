"""The PNG sheet of `vidrestore preview`: before and after, a grid of variants, and their commands."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from vidrestore.cli.preview_pictures import (
    CELL_SIDE,
    Picture,
    cut_square,
    face_square,
    time_label,
    variant_label,
    whole_picture,
)
from vidrestore.cli.terminal import printable
from vidrestore.jobs.preview import Preview

_COLUMNS = 4
_MARGIN, _LINE = 12, 16
_LINE_LETTERS = 46
_BACKGROUND, _TEXT = (24, 24, 26), (230, 230, 230)
_WIDTH = _COLUMNS * (CELL_SIDE + _MARGIN) + _MARGIN


def render_picture(source: Path, previews: Sequence[Preview], commands: Sequence[str], made_by: str) -> bytes:
    """The sheet as the bytes of a PNG file.

    Args:
        source: The video.
        previews: The previews, one for each time.
        commands: The command line of each variant.
        made_by: Text for the file's software tag.
    """
    blocks = [_block(source, preview, commands) for preview in previews]
    sheet = Image.new("RGB", (_WIDTH, sum(block.height for block in blocks)), _BACKGROUND)
    y = 0
    for block in blocks:
        sheet.paste(block, (0, y))
        y += block.height
    info = PngInfo()
    info.add_text("Software", made_by)
    file = io.BytesIO()
    sheet.save(file, "PNG", pnginfo=info)
    return file.getvalue()


def _block(source: Path, preview: Preview, commands: Sequence[str]) -> Image.Image:
    """The part of the sheet for one time."""
    before, first = whole_picture(preview.before), preview.cells[0]
    square = face_square(preview)
    half = (_WIDTH - 3 * _MARGIN) // 2
    pair = [_fitted(picture, half) for picture in (before, whole_picture(first.after))]
    cells: list[tuple[Picture, str]] = [(cut_square(before, square), "before")]
    for cell, command in zip(preview.cells, commands, strict=True):
        text = f"{variant_label(cell.variant)}; {cell.drawn:.0%} drawn\n{printable(command)}"
        cells.append((cut_square(whole_picture(cell.after), square), text))
    lines = [_wrapped(text) for _, text in cells]
    cell_height = CELL_SIDE + _LINE * max(len(each) for each in lines) + 2 * _MARGIN
    top = 2 * _MARGIN + _LINE + max(picture.height for picture in pair) + _MARGIN
    rows = -(-len(cells) // _COLUMNS)
    block = Image.new("RGB", (_WIDTH, top + rows * cell_height), _BACKGROUND)
    draw, font = ImageDraw.Draw(block), ImageFont.load_default(13)
    faces = "" if preview.faces else ": no face is restored in this frame"
    shown = f"{time_label(preview)}; before, and {variant_label(first.variant)}{faces}"
    draw.text((_MARGIN, _MARGIN), f"{printable(source.name)}, {shown}", _TEXT, font)
    for number, fitted in enumerate(pair):
        block.paste(fitted, (_MARGIN + number * (half + _MARGIN), 2 * _MARGIN + _LINE))
    for number, ((picture, _), words) in enumerate(zip(cells, lines, strict=True)):
        x = _MARGIN + number % _COLUMNS * (CELL_SIDE + _MARGIN)
        y = top + number // _COLUMNS * cell_height
        block.paste(Image.fromarray(picture), (x, y))
        draw.multiline_text((x, y + CELL_SIDE + 4), "\n".join(words), _TEXT, font, spacing=2)
    return block


def _fitted(picture: Picture, width: int) -> Image.Image:
    height = max(round(picture.shape[0] * width / picture.shape[1]), 1)
    return Image.fromarray(np.ascontiguousarray(picture)).resize((width, height), Image.Resampling.LANCZOS)


def _wrapped(text: str) -> list[str]:
    return [part for line in text.split("\n") for part in textwrap.wrap(line, _LINE_LETTERS)]
