"""Writes frames as photos: JPEG, PNG, TIFF, WebP, HEIC and AVIF, with the metadata of the input's files."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from PIL import Image

from vidrestore.colour.upscale import upscale_plane
from vidrestore.errors import OutputError, UsageError
from vidrestore.faces.orientation import apply_orientation
from vidrestore.types import UPRIGHT, Frame, VideoInfo
from vidrestore.video.formats.containers import IMAGES
from vidrestore.video.formats.suffixes import PHOTO_KINDS
from vidrestore.video.photos import exif, jpeg, png, samples, tiff
from vidrestore.video.photos.photo import Photo, open_photo, opened
from vidrestore.video.photos.reading import alpha_of, photos_of
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.side_data import SideData
from vidrestore.video.writing import container_support, encoder_metadata
from vidrestore.video.writing.encoder_metadata import metadata_warnings
from vidrestore.video.writing.picture_files import PictureFiles

_DEEP = {"png", "tiff"}
"""Kinds with 16 bits per sample."""
_LOSSLESS = {"png", "tiff"}
_KEEPING = {"png", "tiff"}
"""Kinds, besides JPEG, whose metadata is kept byte for byte within the kind."""
_LONGEST_SIDE = {"webp": 16383, "jpeg": 65500}
"""Pixels a side of the largest picture of these kinds."""
_QUALITY = {"webp": 95, "heif": 90, "avif": 90}
_ASPECT_NAMES = {"png": "png", "tiff": "tiff"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metadata:
    """The metadata of a file."""

    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None


class PhotoWriter:
    """Writes each frame as a photo. Used in a `with` block, with the arguments of `VideoWriter`.

    If the output has the input's kind, all bytes except the picture stay the same, with the same coding and
    EXIF orientation. Photos of another kind are written upright. `quality`: 1 to 100; None: for JPEG as the
    input, for others visually lossless.

    Raises:
        OutputError: The photo cannot be written.
        UsageError: The kind does not support an option.
    """

    def __init__(
        self,
        output: Path,
        info: VideoInfo,
        *,
        source: Input,
        side_data: SideData,
        quality: int | None = None,
        overwrite: bool = False,
        first: int = 1,
    ) -> None:
        """`make_writer` has checked that `output` may be written."""
        self.other_streams_end: Fraction | None = None
        self._kind = PHOTO_KINDS[output.suffix.lower()]
        self._suffix = output.suffix
        self._info, self._quality = info, quality
        self._sources = photos_of(source)
        if quality is not None and self._kind in _LOSSLESS:
            raise UsageError(f"{output.suffix} pictures lose nothing, at any quality; leave --quality out")
        self.warnings = [] if self._sources else _warnings_of_video(info, side_data, self._kind, output)
        if self._sources and info.interlaced:
            self.warnings.append(
                f"{output.suffix} files do not store the field order: pass it as an option to the program "
                "that reads them"
            )
        self._lost: dict[str, None] = {}
        self._files = PictureFiles(output, source, first=first, overwrite=overwrite)
        if self._kind == "jpeg":
            self._refuse_transparency(self._sources[0] if self._sources else None)

    def __enter__(self) -> Self:
        self._files.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._files.__exit__(kind, error, traceback)
        if self._lost and error is None:
            names = ", ".join(self._lost)
            self.warnings.append(f"of {self._info.path.name} {self._suffix} cannot hold: {names}")

    def write(self, frame: Frame) -> None:
        """Writes the next picture."""
        # A damaged picture may be read as several: only the first of them is the photo.
        photo = open_photo(self._sources[frame.pts]) if frame.pts < len(self._sources) else None
        if self._kind == "jpeg" and 0 < frame.pts < len(self._sources):
            self._refuse_transparency(self._sources[frame.pts])
        file = self._encoded(frame, photo)
        self._files.write(lambda path: _save(path, file))

    def _encoded(self, frame: Frame, photo: Photo | None) -> bytes:
        self._refuse_too_long(frame)
        alike = photo is not None and photo.kind == self._kind
        if photo is not None:
            lost = photo.left_out if alike else (*photo.left_out, *photo.elsewhere)
            self._lost |= dict.fromkeys(lost)
        factor = 1 if photo is None else max(self._info.width // photo.size[0], 1)
        metadata = _metadata(photo, upright=not alike, factor=factor)
        if self._kind == "jpeg":
            return self._jpeg(frame, photo if alike else None, metadata, factor)
        deep = frame.format.bit_depth > 8
        if deep and self._kind not in (*_DEEP, "heif"):
            self._lost[f"more than 8 bits a sample (the picture had {frame.format.bit_depth})"] = None
        depth = 16 if deep and self._kind in (*_DEEP, "heif") else 8
        stored = samples.stored(frame, depth=depth)
        if photo is not None and photo.grey_with_alpha:
            stored = _with_alpha(stored, photo, factor)
        if not alike or self._kind == "heif":
            stored = apply_orientation(stored, frame.orientation)
        if not (alike and self._kind in _KEEPING):  # there the profile stays byte for byte
            metadata = self._fitting(metadata, stored.shape[2])
        if self._kind == "png":
            return self._png(stored, frame, photo if alike else None, metadata, factor)
        if self._kind != "heif":
            self._note_colour(frame, metadata)
        if self._kind == "tiff":
            return _tiff(stored, photo if alike else None, metadata, factor)
        return self._by_pillow(stored, frame, photo, metadata)

    def _jpeg(self, frame: Frame, photo: Photo | None, metadata: _Metadata, factor: int) -> bytes:
        if frame.format.bit_depth > 8:
            self._lost[f"more than 8 bits a sample (the picture had {frame.format.bit_depth})"] = None
        right, down = frame.format.chroma_shift
        turned = photo is None and frame.orientation.is_transposed and right != down
        sampling = (1, 1) if turned else (1 << right, 1 << down)
        if samples.is_as_jpeg(frame) and (photo is not None or frame.orientation == UPRIGHT):
            channels, mode = tuple(np.asarray(plane, np.uint8) for plane in frame.planes), "YCbCr"
        else:
            stored = samples.stored(frame, depth=8)[..., :3]
            if photo is None:
                stored = apply_orientation(stored, frame.orientation)
            channels, mode = tuple(np.moveaxis(stored, -1, 0)), "L" if stored.shape[2] == 1 else "RGB"
        coding = photo.coding if photo is not None else None
        file = jpeg.encode(channels, mode, coding=coding, quality=self._quality, sampling=sampling)
        if photo is not None:
            segments = jpeg.kept_segments(photo.path.read_bytes())[0]
            return jpeg.with_segments(file, jpeg.with_enlarged_exif(segments, factor))
        metadata = self._fitting(metadata, len(channels))
        self._note_colour(frame, metadata)
        segments, lost = jpeg.new_segments(metadata.exif, metadata.xmp, metadata.icc, metadata.dpi)
        self._lost |= dict.fromkeys(lost)
        return jpeg.with_segments(file, segments)

    def _png(
        self, stored: samples.Samples, frame: Frame, photo: Photo | None, metadata: _Metadata, factor: int
    ) -> bytes:
        if photo is not None:
            chunks = png.with_enlarged_exif(png.kept_chunks(photo.path.read_bytes())[0], factor)
        else:
            colour = samples.colour_to_state(frame.colour)
            chunks = png.new_chunks(metadata.exif, metadata.xmp, metadata.icc, metadata.dpi, colour)
        return png.with_chunks(png.encode(stored), chunks)

    def _by_pillow(
        self, stored: samples.Samples, frame: Frame, photo: Photo | None, metadata: _Metadata
    ) -> bytes:
        options: dict[str, Any] = {"quality": self._quality or _QUALITY[self._kind]}
        stored_metadata = {"exif": metadata.exif, "icc_profile": metadata.icc, "xmp": metadata.xmp}
        options |= {name: value for name, value in stored_metadata.items() if value}
        if self._kind == "heif":
            return _heif(stored, options, samples.colour_to_state(frame.colour))
        if self._kind == "webp" and self._quality is None and (photo is None or photo.lossless):
            options |= {"lossless": True, "exact": True, "quality": 80}
        picture = Image.fromarray(stored[..., 0] if stored.shape[2] == 1 else stored, _mode(stored))
        file = io.BytesIO()
        picture.save(file, self._kind.upper(), **options)
        return file.getvalue()

    def _fitting(self, metadata: _Metadata, channels: int) -> _Metadata:
        """Removes a colour profile for grey from a coloured picture, and the other way round."""
        if not metadata.icc or (metadata.icc[16:20] == b"GRAY") == (channels < 3):
            return metadata
        self._lost["the colour profile, as the samples are of another kind"] = None
        return replace(metadata, icc=None)

    def _note_colour(self, frame: Frame, metadata: _Metadata) -> None:
        if samples.colour_to_state(frame.colour) is not None and not metadata.icc:
            self._lost["HDR or wide colour; let the name end in .png"] = None

    def _refuse_too_long(self, frame: Frame) -> None:
        """Raises OutputError if this kind of picture cannot have the frame's size."""
        longest = _LONGEST_SIDE.get(self._kind)
        if longest is not None and max(frame.width, frame.height) > longest:
            raise OutputError(
                f"{self._suffix} pictures have at most {longest} pixels a side, and this one has "
                f"{frame.width} x {frame.height}; let the name end in .png or .tif"
            )

    def _refuse_transparency(self, source: Path | None) -> None:
        """Raises OutputError if the photo, or without one the video's format, is not opaque."""
        transparent = self._info.pixel_format.has_alpha
        if source is not None and source.is_file():
            with opened(source) as picture:
                transparent = picture.has_transparency_data
                if transparent:
                    transparent = np.asarray(picture.convert("RGBA").getchannel("A")).min() < 255
        if transparent:
            raise OutputError(
                f"{source or self._info.path} has transparent places, which {self._suffix} cannot hold; "
                "let the name end in .png, .tif or .webp"
            )


def _warnings_of_video(info: VideoInfo, side_data: SideData, kind: str, output: Path) -> list[str]:
    aspect = 1 / info.pixel_aspect if info.orientation.is_transposed else info.pixel_aspect
    # RGB and JPEG imply their colours, except for HDR.
    plain = replace(info, colour=replace(info.colour, matrix=2)) if kind != "png" else info
    return [
        *container_support.all_left_out_warning(side_data.other_streams, info.path, IMAGES),
        *metadata_warnings(plain, aspect, IMAGES, _ASPECT_NAMES.get(kind, kind), f"{output.suffix} files"),
        *encoder_metadata.hdr_warnings(kind, side_data),
    ]


def _metadata(photo: Photo | None, *, upright: bool, factor: int) -> _Metadata:
    if photo is None:
        return _Metadata()
    block = exif.enlarged(photo.exif, factor) if photo.exif else None
    if not upright:
        return _Metadata(exif=block, xmp=photo.xmp, icc=photo.icc, dpi=photo.dpi)
    return _Metadata(
        exif=exif.made_upright(block),
        xmp=exif.xmp_made_upright(photo.xmp),
        icc=photo.icc,
        dpi=photo.dpi,
    )


def _with_alpha(grey: samples.Samples, photo: Photo, factor: int) -> samples.Samples:
    """Grey with its alpha, which frames do not hold."""
    alpha = upscale_plane(alpha_of(photo), factor, peak=np.iinfo(grey.dtype).max)
    times = (grey.shape[0] // alpha.shape[0], grey.shape[1] // alpha.shape[1])  # twice as large side by side
    return np.concatenate([grey, np.tile(alpha, times)[..., None]], axis=2)


def _tiff(stored: samples.Samples, photo: Photo | None, metadata: _Metadata, factor: int) -> bytes:
    if photo is None:
        order, tags = tiff.new_tags(metadata.exif, metadata.xmp, metadata.icc, metadata.dpi)
        return tiff.encode(stored, order, tags, extra=2, compressed=True)
    file = photo.path.read_bytes()
    order, kept, extra = tiff.kept_tags(file)
    enlarged = tiff.with_enlarged_exif(kept, order, factor)
    return tiff.encode(stored, order, enlarged, extra=extra, compressed=tiff.is_compressed(file))


def _heif(stored: samples.Samples, options: dict[str, Any], colour: tuple[int, int] | None) -> bytes:
    import pillow_heif

    mode = _mode(stored) if stored.dtype == np.uint8 else f"{_mode(stored)};16".replace("L;", "I;")
    height, width = stored.shape[:2]
    file = io.BytesIO()
    picture: Any = pillow_heif.from_bytes(
        mode=mode, size=(width, height), data=np.ascontiguousarray(stored).tobytes()
    )
    if "exif" in options:
        options["exif"] = b"Exif\0\0" + options["exif"]
    if icc := options.pop("icc_profile", None):
        picture[0].info |= {"icc_profile": icc, "icc_profile_type": "prof"}
    if colour is not None:
        options |= {"color_primaries": colour[0], "transfer_characteristics": colour[1]}
    picture.save(file, **options)
    return file.getvalue()


def _mode(stored: samples.Samples) -> str:
    return {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[stored.shape[2]]


def _save(path: Path, file: bytes) -> None:
    path.write_bytes(file)
