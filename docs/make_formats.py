"""Makes docs/formats.md of the tables in `vidrestore/video/formats/pieces.py`."""

from __future__ import annotations

from pathlib import Path

from vidrestore.video.formats import pieces

_HEAD = """\
# What is carried

Made of the tables in `vidrestore/video/formats/pieces.py` by `python docs/make_formats.py`; the program
follows the same tables, and a test feeds each piece through each container.

- **carried**: kept as it is.
- **rebuilt**: made again, saying the same.
- **by codec**: copied where the container takes the stream's codec, otherwise named in a warning.
- **named**: left out, and a warning names it.

An asterisk: by these encoders of the video alone; with others it is named.

## Videos

"""


def page() -> str:
    """The whole page."""
    lines = [f"| piece | where | {' | '.join(pieces.CONTAINERS.values())} | remark |"]
    lines.append("|" + "---|" * (len(pieces.CONTAINERS) + 3))
    encoders: dict[str, frozenset[str]] = {}
    for key, piece in pieces.PIECES.items():
        cells = []
        for muxer in pieces.CONTAINERS:
            how = pieces.handling(key, muxer)
            star = "*" if piece.encoders is not None and how == "carried" else ""
            cells.append(how + star)
        if piece.encoders is not None:
            encoders[piece.name] = piece.encoders
        lines.append(f"| {piece.name} | {piece.place} | {' | '.join(cells)} | {piece.remark} |")
    lines.append("")
    groups: dict[frozenset[str], list[str]] = {}
    for name, those in encoders.items():
        groups.setdefault(those, []).append(name)
    for those, names in groups.items():
        lines.append(f"\\* {', '.join(names)}: {', '.join(f'`{encoder}`' for encoder in sorted(those))}.")
        lines.append("")
    lines += [
        "## Photos",
        "",
        "A photo that becomes another of its own kind also keeps what is in no row here:",
    ]
    lines += ["segments of JPEG, chunks of PNG and tags of TIFF are kept byte for byte.", ""]
    lines.append(f"| piece | {' | '.join(pieces.PHOTO_KINDS.values())} | remark |")
    lines.append("|" + "---|" * (len(pieces.PHOTO_KINDS) + 2))
    for name, (kinds, remark) in pieces.PHOTO_PIECES.items():
        cells = ["carried" if kind in kinds else "named" for kind in pieces.PHOTO_KINDS]
        lines.append(f"| {name} | {' | '.join(cells)} | {remark} |")
    return _HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("formats.md").write_text(page(), encoding="utf-8")
