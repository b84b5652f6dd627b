"""The page of `vidrestore inspect --html`: one file with embedded pictures, without external resources."""

from __future__ import annotations

import shlex
from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

from vidrestore.cli.report_file import generator
from vidrestore.cli.terminal import printable
from vidrestore.cli.wording import count, drawn_share, time_span, unit, video_summary

if TYPE_CHECKING:
    from vidrestore.identity import Person
    from vidrestore.inspection import FaceTrack, Inspection

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; background: #fafafa }
h1 { font-size: 1.2rem } h2 { font-size: 1rem }
ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 1rem }
li { background: #fff; border: 1px solid #ddd; border-radius: 6px; padding: .7rem; width: 11rem }
img { width: 100%; border-radius: 4px } b { font-size: 1.1rem } small { color: #666 }
svg { width: 100%; background: #fff; border: 1px solid #ddd }
"""
_ROW = 14


def render_page(inspection: Inspection) -> str:
    """The whole page as HTML."""
    name = escape(printable(inspection.path.name))
    summary = escape(video_summary(inspection)).replace(" x ", " &times; ", 1)
    scenes, frames = count(len(inspection.scenes), "scene"), count(inspection.frames_with_faces, "frame")
    line = f"{summary}, {scenes}, faces in {frames}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{generator("vidrestore inspect")}'
        f"<title>{name}</title>"
        f"<style>{_STYLE}</style><h1>{name}</h1><p>{line}</p>{_command(inspection)}{_timeline(inspection)}"
        f"{''.join(_person(inspection, person) for person in inspection.people)}</html>"
    )


def thumbnail_uri(track: FaceTrack) -> str:
    """The picture of a track, as a `data:` address."""
    import cv2

    png = cv2.imencode(".png", track.thumbnail[:, :, ::-1])[1].tobytes()
    return f"data:image/png;base64,{b64encode(png).decode('ascii')}"


def _person(inspection: Inspection, person: Person) -> str:
    """The tracks of a person, side by side."""
    from vidrestore.identity import how_sure

    tracks = [track for track in inspection.tracks if track.id in person.tracks]
    sure = ""
    if person.distance is not None:
        sure = f"; tracks at most {person.distance:.2f} apart: {how_sure(person.distance)}"
    return (
        f"<h2>p{person.id}: {count(person.frames, 'frame')}, {count(len(tracks), 'track')}{sure}</h2>"
        f"<ul>{''.join(_card(inspection, track) for track in tracks)}</ul>"
    )


def _command(inspection: Inspection) -> str:
    """A command that restores only these tracks, for the user to copy and shorten."""
    if not inspection.tracks:
        return ""
    source = inspection.path
    target = source.with_name(f"{source.stem}-restored{source.suffix}")
    ids = ",".join(str(track.id) for track in inspection.tracks)
    words = ["vidrestore", "restore", str(source), str(target), "--faces", ids]
    command = escape(printable(shlex.join(words)))
    return f"<p>To restore only some of them, remove the other numbers: <code>{command}</code></p>"


def _card(inspection: Inspection, track: FaceTrack) -> str:
    first, last = time_span(inspection, track)
    when = f"frame {first} to {last}" if unit(inspection) == "frame" else f"{first} to {last} s"
    drawn = drawn_share(track)
    return (
        f'<li><img alt="track {track.id}" src="{thumbnail_uri(track)}">'
        f"<b>{track.id}</b> {when}<br><small>{count(track.frames, 'frame')}, "
        f"{track.side[0]:.0f} to {track.side[2]:.0f} px, sharpness {track.sharpness:.1f}, "
        f"score {track.score:.2f}{drawn and f', drawn {drawn}'}</small></li>"
    )


def _timeline(inspection: Inspection) -> str:
    """One row for each track, with cuts as vertical lines; one unit of width is one frame."""
    height = _ROW * max(len(inspection.tracks), 1)
    first = inspection.scenes[0].first_frame if inspection.scenes else 0
    cuts = "".join(
        f'<line x1="{s.first_frame - first}" x2="{s.first_frame - first}" y1="0" y2="{height}" '
        'stroke="#bbb" vector-effect="non-scaling-stroke"/>'
        for s in inspection.scenes[1:]
    )
    bars = "".join(
        f'<rect x="{t.first_frame - first}" y="{row * _ROW + 2}" width="{t.last_frame - t.first_frame + 1}" '
        f'height="{_ROW - 4}" fill="#3a7"><title>track {t.id}</title></rect>'
        for row, t in enumerate(inspection.tracks)
    )
    return (
        f'<svg viewBox="0 0 {max(inspection.frames, 1)} {height}" preserveAspectRatio="none" '
        f'height="{height}">{cuts}{bars}</svg>'
    )
