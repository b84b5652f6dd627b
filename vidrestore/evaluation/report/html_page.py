"""An evaluation as one page: summary, plots, tracks, checks, and the worst faces as pictures."""

from __future__ import annotations

import base64
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.evaluation.evaluation import Evaluation
from vidrestore.evaluation.measures import BY_NAME, Subject
from vidrestore.evaluation.report.plots import plots
from vidrestore.evaluation.report.table import by_measure, number, place, title, track_count
from vidrestore.evaluation.report.whole_frames import LONGEST_SIDE, frames_at
from vidrestore.evaluation.summary import SummaryRow, summarise, track_rows
from vidrestore.evaluation.worst import WorstFace

_ORDER: tuple[Subject, ...] = ("input", "result", "truth")
_MOST_TRACKS_ACROSS = 8
"""With more, each track is a line of the table, not a column."""
_TOO_SHORT = "No intervals are stated: they need five seconds of faces, or five pictures."
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 84rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #eee; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
td.about { white-space: normal; text-align: left; color: #666; min-width: 18rem; font-size: 13px }
.failed { color: #b00020; font-weight: 600 } .passed { color: #1b6e2f }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)); gap: 1rem }
.plots svg { width: 100%; height: auto }
.wide { overflow-x: auto }
figure { margin: 0 0 1.5rem }
.faces { display: flex; gap: .5rem; overflow-x: auto } .faces img { height: 16rem; width: auto }
figcaption { color: #555 } small { color: #666 } li { overflow-wrap: anywhere }
"""


def page(found: Evaluation) -> str:
    """The evaluation as an HTML page in one file: it needs no other file and no network.

    Reads the frames of the worst faces once more.

    Raises:
        UsageError: matplotlib is not installed.
    """
    name = escape(found.paths["result"].name)
    parts = [
        f"<h1>Evaluation of {name}</h1>",
        _facts(found),
        "<h2>Measures</h2>",
        _measures(found, summarise(found)),
        _checks(found),
        "<h2>Over time</h2>" if found.is_video else "<h2>Values</h2>",
        f'<div class="plots">{"".join(plots(found).values())}</div>',
        _tracks(found),
        _worst(found),
        _left_out(found),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="generator" content="vidrestore evaluate"><title>Evaluation of {name}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _facts(found: Evaluation) -> str:
    files = "".join(
        f"<li>{subject}: <code>{escape(str(found.paths[subject]))}</code></li>"
        for subject in _ORDER
        if subject in found.paths
    )
    what = "frames" if found.is_video else "pictures"
    width, height = found.size
    tracks = f" in {track_count(found)}" if found.is_video else ""
    faces = f"{len(found.pictures)} {what} of {width} x {height} pixels, {len(found.faces)} faces{tracks}."
    note = ""
    if found.reference == "input":
        note = " Identity, landmarks and openings are compared with the input."
    return f"<ul>{files}</ul><p>{faces}{note}</p>"


def _measures(found: Evaluation, rows: list[SummaryRow]) -> str:
    grouped = by_measure(rows)
    subjects = [s for s in _ORDER if any(s in group for group in grouped.values())]
    has_ends = any(row.low is not None for row in rows if row.subject == "result")
    head = "".join(f"<th>{subject}</th>" for subject in subjects)
    head += "<th>95 % of result</th>" if has_ends else ""
    lines = [f"<tr><th></th>{head}<th>values</th><th>worst</th><th></th></tr>"]
    for group in grouped.values():
        measure = next(iter(group.values())).measure
        cells = "".join(f"<td>{number(group[s].mean, measure) if s in group else ''}</td>" for s in subjects)
        result = group.get("result")
        ends = count = worst = ""
        if result is not None:
            count = str(result.count)
            if result.worst is not None and result.worst != result.mean:
                worst = f"{number(result.worst, measure)} ({escape(place(found, result))})"
            if result.low is not None and result.high is not None:
                ends = f"{number(result.low, measure)} … {number(result.high, measure)}"
        lines.append(
            f"<tr><td>{escape(title(measure))}</td>{cells}{f'<td>{ends}</td>' if has_ends else ''}"
            f'<td>{count}</td><td>{worst}</td><td class="about">{escape(measure.about)}</td></tr>'
        )
    short = "" if has_ends else f"<p><small>{_TOO_SHORT}</small></p>"
    return f'<div class="wide"><table>{"".join(lines)}</table></div>{short}'


def _checks(found: Evaluation) -> str:
    if not found.checks:
        return ""
    lines = "".join(
        f'<li class="{"passed" if check.passed else "failed"}">{escape(check.name)}: '
        f"{escape(check.sentence)}</li>"
        for check in found.checks
    )
    return f"<h2>Checks</h2><ul>{lines}</ul>"


def _tracks(found: Evaluation) -> str:
    rows = track_rows(found)
    if len(rows) < 2:  # a single track has the values of the table above
        return ""
    columns = sorted(
        {name for row in rows for name in row.values if name.startswith("result.")},
        key=lambda name: list(BY_NAME).index(name.partition(".")[2]),
    )
    measures = [BY_NAME[name.partition(".")[2]] for name in columns]
    table = [
        ["track", *(str(row.track) for row in rows)],
        ["frames", *(f"{row.first_frame}-{row.last_frame}" for row in rows)],
        ["faces", *(str(row.faces) for row in rows)],
    ]
    for name, measure in zip(columns, measures, strict=True):
        cells = [number(row.values[name], measure) if name in row.values else "" for row in rows]
        table.append([title(measure), *cells])
    if len(rows) > _MOST_TRACKS_ACROSS:
        table = [list(column) for column in zip(*table, strict=True)]
    lines = [
        "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in line)
        for tag, line in zip(["th", *["td"] * len(table)], table, strict=False)
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<h2>Tracks</h2><div class="wide"><table>{body}</table></div>'


def _worst(found: Evaluation) -> str:
    if not found.worst:
        return ""
    frames = _whole_frames(found)
    parts = [
        "<h2>The worst faces</h2>",
        f"<p><small>From left to right: {_shown(found.worst[0])}.</small></p>",
    ]
    for face in found.worst:
        measure = BY_NAME[face.measure]
        where = face.name or f"frame {face.frame}, {face.seconds:.2f} s, track {face.track}"
        strip = np.hstack([face.pictures[subject] for subject in _ORDER if subject in face.pictures])
        whole = frames.get(face.frame)
        frame = "" if whole is None else _picture(_with_box(whole, face, found))
        caption = f"{measure.title} {number(face.value, measure)} {measure.unit}".rstrip()
        parts.append(
            f'<figure><div class="faces">{_picture(strip)}{frame}</div>'
            f"<figcaption>{escape(caption)}: {escape(where)}</figcaption></figure>"
        )
    return "\n".join(parts)


def _shown(face: WorstFace) -> str:
    return (
        ", ".join(subject for subject in _ORDER if subject in face.pictures)
        + "; the whole frame of the result"
    )


def _whole_frames(found: Evaluation) -> dict[int, NDArray[np.uint8]]:
    """The result's frames with the worst faces, by number."""
    if found.names:
        paths = {face.frame: found.paths["result"] / face.name for face in found.worst}
        if not found.paths["result"].is_dir():
            paths = dict.fromkeys(paths, found.paths["result"])
        return {frame: frames_at(path, [(0, 0.0)])[0] for frame, path in paths.items() if path.is_file()}
    wanted = sorted({(face.frame, face.seconds) for face in found.worst})
    pictures = frames_at(found.paths["result"], wanted)
    return {frame: picture for (frame, _), picture in zip(wanted, pictures, strict=True)}


def _with_box(picture: NDArray[np.uint8], face: WorstFace, found: Evaluation) -> NDArray[np.uint8]:
    """The frame with the face's box. Rotated videos get no box, as boxes are in unrotated pixels."""
    marked = picture.copy()
    scale = picture.shape[1] / found.size[0]
    if abs(picture.shape[0] / found.size[1] - scale) < 0.02 * scale or max(found.size) <= LONGEST_SIDE:
        x0, y0, x1, y1 = (round(v * scale) for v in face.box)
        cv2.rectangle(marked, (x0, y0), (x1, y1), (255, 200, 0), 2)
    return marked


def _left_out(found: Evaluation) -> str:
    if not found.left_out:
        return ""
    lines = "".join(f"<li>{escape(item.name)}: {escape(item.reason)}</li>" for item in found.left_out)
    return f"<h2>Left out</h2><ul>{lines}</ul>"


def _picture(picture: NDArray[np.uint8]) -> str:
    done, packed = cv2.imencode(
        ".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 90]
    )
    assert done, "OpenCV writes every picture as JPEG"
    text = base64.b64encode(packed.tobytes()).decode()
    return f'<img src="data:image/jpeg;base64,{text}" alt="">'
