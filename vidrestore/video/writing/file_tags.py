"""Tags of a file that another container can keep, and how it stores them."""

from __future__ import annotations

from collections.abc import Mapping

from vidrestore.video.formats.containers import ISO_MEDIA

_OF_THE_FILE = {
    "major_brand", "minor_version", "compatible_brands", "encoder", "creation_time", "duration", "software",
}  # fmt: skip
"""Tags that describe the file itself and are written again; the date is kept if the container can hold it."""
_COMMON = {"title", "artist", "comment", "copyright", "date", "genre"}
_ITUNES = _COMMON | {
    "album", "album_artist", "composer", "description", "disc", "episode_id", "episode_sort", "show",
    "gapless_playback", "grouping", "hd_video", "keywords", "lyrics", "media_type", "network", "tmpo",
    "track", "season_number", "sort_album", "sort_album_artist", "sort_artist", "sort_composer", "sort_name",
    "sort_show", "synopsis", "compilation", "make", "model", "location",
}  # fmt: skip
_KEPT = {
    "mp4": _ITUNES,
    "ipod": _ITUNES,
    "mov": _COMMON | {"album", "make", "model", "location"},
    "avi": _COMMON | {"track", "language"},
    "mpegts": {"title", "service_name", "service_provider"},
}
_KEEP_ALL = {"matroska", "webm", "nut", "asf", "flv"}
_LONGEST_SERVICE_NAME = 120
"""Bytes: name and provider of a TS must fit into one descriptor of 255 bytes."""
_KEYED = "use_metadata_tags"


def kept_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags that stay valid in another file."""
    return {key: text for key, text in tags.items() if key.lower() not in _OF_THE_FILE - {"creation_time"}}


def uses_keys(muxer: str, tags: Mapping[str, str]) -> bool:
    """Whether MP4 and MOV write tags with full names, as phones do, instead of iTunes' codes.

    Players that read only iTunes' codes would find no tags in such an MP4, so only if there are tags that
    need it.
    """
    if muxer == "mov":
        return any(key.lower() not in _KEPT["mov"] | _OF_THE_FILE for key in tags)
    return muxer in ISO_MEDIA and any(key.lower().startswith("com.") for key in tags)


def movflags(muxer: str, tags: Mapping[str, str]) -> str:
    """The text to add to the muxer's option `movflags`."""
    return f"+{_KEYED}" if uses_keys(muxer, tags) else ""


def lost_tags(muxer: str, tags: Mapping[str, str]) -> list[str]:
    """Names of the tags that the container cannot hold, or not as a whole."""
    if muxer in _KEEP_ALL or uses_keys(muxer, tags):
        return []
    kept = _KEPT.get(muxer, {"title"}) | _OF_THE_FILE
    return [
        key
        for key, text in tags.items()
        if key.lower().partition("-")[0] not in kept or _is_too_long(muxer, key, text)
    ]


def short_tags(muxer: str, tags: Mapping[str, str]) -> dict[str, str]:
    """The tags without those that are too long for the container, at which its muxer fails."""
    return {key: text for key, text in tags.items() if not _is_too_long(muxer, key, text)}


def _is_too_long(muxer: str, key: str, text: str) -> bool:
    is_name = key.lower() in _KEPT["mpegts"]
    return muxer == "mpegts" and is_name and len(text.encode(errors="replace")) > _LONGEST_SERVICE_NAME
