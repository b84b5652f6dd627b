"""Table of everything that an input can hold besides its samples, and what each container keeps of it.

Writers use it for warnings, `docs/formats.md` is generated from it, and a test sends each piece through each
container.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Handling = Literal["carried", "rebuilt", "by codec", "named"]
"""Kept unchanged; written again with the same meaning; kept if the container can hold the codec, else named
in a warning; named in a warning."""
CONTAINERS = {
    "mp4": "MP4",
    "mov": "MOV",
    "matroska": "MKV",
    "webm": "WebM",
    "mpegts": "TS",
    "avi": "AVI",
    "nut": "NUT",
}
"""FFmpeg's names of the containers in the table, and their usual names. For other containers, only certain
pieces count as kept."""
_ALL = frozenset(CONTAINERS) | {"ipod", "asf"}
_ISO = frozenset({"mp4", "mov", "ipod"})
_MATROSKA = frozenset({"matroska", "webm"})
_MARKED = _ISO | _MATROSKA
MARKED_ENCODERS = frozenset({
    "libx264", "libx264rgb", "libx265", "libsvtav1", "libvpx", "libvpx-vp9", "prores_ks", "prores", "ffv1",
    "mpeg4", "mpeg2video", "mjpeg", "h264_nvenc", "hevc_nvenc", "av1_nvenc",
})  # fmt: skip
"""Encoders for whose streams marks can be added to a container's header (`writing/stream_marks.py`)."""


ACTIVE_FORMAT_ENCODERS = frozenset({
    "libx264", "libx264rgb", "libx265", "h264_nvenc", "hevc_nvenc", "mpeg2video",
})  # fmt: skip
"""Encoders for whose pictures the active format can be inserted (`writing/user_data.py`)."""
CAPTION_ENCODERS = ACTIVE_FORMAT_ENCODERS | {"libsvtav1", "av1_nvenc"}
"""Encoders for whose pictures captions can be inserted (`writing/user_data.py`)."""
PROFILE_ENCODERS = frozenset({
    "libx264", "libx264rgb", "libx265", "libsvtav1", "libvpx-vp9", "prores_ks", "prores", "ffv1", "mpeg4",
    "h264_nvenc", "hevc_nvenc", "av1_nvenc",
})  # fmt: skip
"""Encoders for whose streams a colour profile can be added (`writing/iso_profile.py`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Something that an input can hold."""

    name: str
    """Its name in warnings."""
    place: Literal["file", "stream", "video's header", "pictures", "packets"]
    carried: frozenset[str] = frozenset()
    """Containers that keep it."""
    rebuilt: frozenset[str] = frozenset()
    """Containers in which it is written again with the same meaning."""
    by_codec: bool = False
    """Whether it is a stream, which is copied if the container can hold its codec."""
    encoders: frozenset[str] | None = None
    """The encoders that can carry it; None: it does not depend on them."""
    remark: str = ""


PIECES: dict[str, Piece] = {
    "sound": Piece(name="sound", place="stream", by_codec=True, remark="Packet by packet."),
    "subtitles": Piece(name="subtitles", place="stream", by_codec=True, remark="Never converted."),
    "data": Piece(name="data streams", place="stream", by_codec=True, remark="KLV, GPMF, SCTE-35."),
    "cover": Piece(name="cover", place="stream", by_codec=True),
    "further video": Piece(name="further video streams", place="stream", by_codec=True,
                           remark="Not restored."),
    "attachments": Piece(
        name="attachments", place="stream", carried=frozenset({"matroska"}), remark="Fonts and others."
    ),
    "title": Piece(name="title", place="file", carried=_ALL - {"mpegts"}, rebuilt=frozenset({"mpegts"}),
                   remark="In TS it is the service's name."),
    "common tags": Piece(name="common tags", place="file", carried=_ALL - {"mpegts"},
                         remark="Artist, comment, copyright, date, genre."),
    "other tags": Piece(
        name="other tags", place="file", carried=_MATROSKA | {"nut", "asf", "mov"},
        remark="In MP4 those that iTunes knows, and with Apple's or Android's keys (com.…) all.",
    ),
    "apple tags": Piece(
        name="Apple's and Android's tags", place="file", carried=_ISO | _MATROSKA | {"nut", "asf"},
        remark="com.apple.quicktime.…: place, date, camera.",
    ),
    "chapters": Piece(name="chapters", place="file", carried=_MARKED | {"nut", "asf"}),
    "plays": Piece(name="how often the animation is shown", place="file",
                   carried=frozenset({"gif", "apng"}), remark="GIF and APNG keep it."),
    "default picture": Piece(name="picture for viewers without animation", place="file",
                             remark="Of an APNG: a picture that is no frame of it."),
    "notes": Piece(name="notes in an animation (EXIF, XMP, text)", place="file",
                   remark="A GIF's comment is a common tag."),
    "programs": Piece(name="programs", place="file",
                      remark="TS keeps one program's name and provider; all streams become one."),
    "stream groups": Piece(name="stream groups", place="file", remark="Tile grids, IAMF."),
    "track titles": Piece(name="titles of tracks", place="stream", carried=_ALL - {"mpegts", "asf"}),
    "languages": Piece(name="languages", place="stream", carried=_ALL - {"avi"}),
    "roles": Piece(name="roles of tracks (forced, commentary and so on)", place="stream",
                   carried=frozenset({"matroska", "mp4"})),
    "timecode": Piece(name="timecode", place="stream", carried=_MATROSKA | {"nut"},
                      rebuilt=frozenset({"mp4", "mov"}), remark="As a track, or as a tag."),
    "rotation": Piece(name="rotation and mirroring", place="video's header", carried=_MARKED,
                      remark="Pictures are written turned."),
    "distortion": Piece(name="display matrix that slants or scales", place="video's header", carried=_ISO),
    "stereo": Piece(name="stereo mark", place="video's header", carried=_MARKED, encoders=MARKED_ENCODERS),
    "spherical": Piece(name="360-degree mark", place="video's header", carried=_MARKED,
                       encoders=MARKED_ENCODERS),
    "cropping": Piece(name="cropping by the container", place="video's header", carried=_MARKED,
                      encoders=MARKED_ENCODERS),
    "HDR10": Piece(name="HDR10 metadata (mastering display, light level)", place="video's header",
                   carried=_MARKED, encoders=MARKED_ENCODERS,
                   remark="In the stream as well by libx264, libx265 and libsvtav1."),
    "Dolby Vision": Piece(name="Dolby Vision", place="video's header",
                          remark="It describes the pictures as they were coded before."),
    "HDR10+": Piece(name="HDR10+ or HDR Vivid", place="pictures",
                    remark="It describes the pictures as they were coded before."),
    "ICC": Piece(name="ICC profile of the video", place="video's header", carried=_ISO,
                 encoders=PROFILE_ENCODERS, remark="Not with another mark of the header."),
    "ICC in pictures": Piece(name="ICC profiles of the pictures", place="pictures",
                             remark="PNG, MJPEG: PyAV can set no side data of a picture."),
    "viewing light": Piece(name="ambient viewing environment", place="video's header"),
    "LCEVC": Piece(name="LCEVC enhancement layer", place="video's header"),
    "3D displays": Piece(name="reference displays of 3D video", place="video's header"),
    "layers": Piece(name="further layers (a second view, or depth)", place="packets",
                    remark="MV-HEVC: the base view is restored."),
    "alpha": Piece(name="alpha beside the stream", place="packets", carried=_MATROSKA,
                   encoders=frozenset({"libvpx", "libvpx-vp9", "ffv1"}), remark="VP8 and VP9 in Matroska."),
    "captions": Piece(name="embedded captions (CEA-608, CEA-708)", place="pictures", carried=_ALL,
                      encoders=CAPTION_ENCODERS),
    "picture format": Piece(name="active format description", place="pictures", carried=_ALL,
                            encoders=ACTIVE_FORMAT_ENCODERS,
                            remark="No decoder of AV1 reads it."),
    "user data": Piece(name="user data in the stream (SEI)", place="pictures",
                       remark="But for what encoders write of themselves."),
    "picture timecodes": Piece(name="timecodes in the pictures", place="pictures"),
    "film grain": Piece(name="film grain parameters", place="pictures", rebuilt=_ALL,
                        remark="The decoder draws the grain into the pictures."),
    "pan and scan": Piece(name="pan and scan", place="pictures"),
    "motion vectors": Piece(name="motion vectors", place="pictures", rebuilt=_ALL),
}  # fmt: skip
"""The pieces by key."""
PHOTO_KINDS = {"jpeg": "JPEG", "png": "PNG", "tiff": "TIFF", "webp": "WebP", "heif": "HEIC", "avif": "AVIF"}
_PHOTOS = frozenset(PHOTO_KINDS)
PHOTO_PIECES: dict[str, tuple[frozenset[str], str]] = {
    "EXIF": (_PHOTOS, "Byte for byte within a kind; the turn is 1 where the picture was turned."),
    "XMP": (_PHOTOS, "Extended XMP from JPEG to JPEG alone."),
    "ICC profile": (_PHOTOS, "Not a grey one with colours, or the other way round."),
    "resolution": (frozenset({"jpeg", "png", "tiff"}), "Pixels an inch."),
    "transparency": (_PHOTOS - {"jpeg"}, "Refused in JPEG unless the picture is opaque."),
    "16 bits a sample": (frozenset({"png", "tiff"}), "HEIC keeps 10; others 8, and a warning says so."),
    "grey": (frozenset({"jpeg", "png", "tiff", "heif", "avif"}), "WebP knows no grey."),
    "IPTC and Photoshop notes": (frozenset({"jpeg", "tiff"}), "Within a kind."),
    "comments and text": (frozenset({"jpeg", "png"}), "Within a kind."),
    "HDR and wide colour without a profile": (frozenset({"png", "heif"}), "cICP, nclx."),
    "further pictures, gain maps, depth maps": (frozenset(), "Named."),
    "the video of a motion photo, bursts, data after the picture": (frozenset(), "Named."),
    "content credentials": (frozenset(), "Named: they sign the picture as it was."),
    "further pages": (frozenset(), "Named."),
}
"""Pieces of photos, the kinds that keep each, and a remark. All others name it in a warning."""


def handling(key: str, muxer: str, encoder: str | None = None) -> Handling:
    """What the container `muxer` does with a piece; `encoder` is the video's, if it is known.

    Args:
        key: The key of the piece in `PIECES`.
        muxer: The container's muxer.
        encoder: The video's encoder, if it is known.
    """
    piece = PIECES[key]
    if piece.by_codec:
        return "by codec"
    if piece.encoders is not None and encoder is not None and encoder not in piece.encoders:
        return "named"
    if muxer in piece.carried:
        return "carried"
    return "rebuilt" if muxer in piece.rebuilt else "named"
