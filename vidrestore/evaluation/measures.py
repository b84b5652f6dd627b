"""All measures, in the order of the reports, with names, units and meanings.

`scope` is a whole picture, or a face in it. `needs` is the file with which the result is compared: the clean
truth; the reference, which is the truth or, without one, the degraded input; the input; or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "near one"]
Scope = Literal["picture", "face"]
Needs = Literal["truth", "reference", "input", "nothing"]
Subject = Literal["result", "input", "truth"]
"""The file to which a value belongs."""

FACE_SIDE = 256
"""Side of the measured aligned faces [px]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A reported number."""

    name: str
    """Its name in JSON and CSV, and of its column."""
    title: str
    unit: str = ""
    better: Better
    scope: Scope
    needs: Needs
    about: str
    """A sentence for the reader of the report."""
    digits: int = 2
    over_time: bool = False
    """Whether it needs the previous frame."""
    deviation_of: str = ""
    """For a standard deviation over time in each track: the measure it is computed from; else ''."""


def _picture(
    name: str, title: str, unit: str, better: Better, needs: Needs, digits: int, about: str
) -> Measure:
    return Measure(
        name=name,
        title=title,
        unit=unit,
        better=better,
        scope="picture",
        needs=needs,
        digits=digits,
        about=about,
    )


def _face(name: str, title: str, unit: str, better: Better, needs: Needs, digits: int, about: str) -> Measure:
    return Measure(
        name=name,
        title=title,
        unit=unit,
        better=better,
        scope="face",
        needs=needs,
        digits=digits,
        about=about,
    )


def _time(
    name: str, title: str, unit: str, needs: Needs, digits: int, about: str, deviation_of: str = ""
) -> Measure:
    return Measure(
        name=name,
        title=title,
        unit=unit,
        better="lower",
        scope="face",
        needs=needs,
        digits=digits,
        about=about,
        over_time=True,
        deviation_of=deviation_of,
    )


MEASURES = (
    _picture("psnr", "PSNR", "dB", "higher", "truth", 2,
             "Of the whole picture, over all channels; equal pictures count as 100 dB."),
    _picture("ssim", "SSIM", "", "higher", "truth", 4,
             "Of the whole picture, mean of the RGB channels, as basicsr computes it with no border cut."),
    _picture("ms_ssim", "MS-SSIM", "", "higher", "truth", 4, "Of the whole picture, by piq; pictures only."),
    _picture("changed_outside", "changed outside faces", "%", "lower", "input", 4,
             "Samples outside the faces' squares that differ from the input's; 0 with a lossless codec."),
    _picture("change_outside", "largest change outside faces", "codes", "lower", "input", 1,
             "The largest difference from the input outside the faces' squares, in codes of 8 bits."),
    _face("face_psnr", "PSNR, faces", "dB", "higher", "truth", 2, "Of the aligned face of 256 pixels."),
    _face("face_ssim", "SSIM, faces", "", "higher", "truth", 4, "Of the aligned face, mean of the channels."),
    _face("face_ms_ssim", "MS-SSIM, faces", "", "higher", "truth", 4,
          "Of the aligned face, by piq; of videos once a second."),
    _face("eyes_psnr", "PSNR, eyes", "dB", "higher", "truth", 2, "Of the squares around the eyes."),
    _face("mouth_psnr", "PSNR, mouth", "dB", "higher", "truth", 2, "Of the square around the mouth."),
    _face("lpips", "LPIPS", "", "lower", "truth", 4,
          "Perceptual distance of the aligned face (VGG); of videos once a second."),
    _face("edges", "edge energy", "", "near one", "truth", 2,
          "Squared gradients over the truth's: below 1 blurred, above 1 noisy or oversharpened."),
    _face("identity", "identity angle", "°", "lower", "reference", 1,
          "Angle between the recogniser's descriptions; 0 for the same face."),
    _face("identity_distance", "identity distance", "", "lower", "reference", 3,
          "Distance of the recogniser's descriptions; below 0.6 is the same person by its author."),
    _face("landmarks", "landmark distance", "px", "lower", "reference", 2,
          "Mean distance of the five points, in pixels of the aligned face."),
    _face("recognised", "seen as a face", "%", "higher", "nothing", 1,
          "Faces that the landmark network takes for one, of those in the reference."),
    _face("lids", "lid opening, error", "%", "lower", "reference", 2,
          "Difference of how far the lids are open, in percent of the distance between the eyes."),
    _face("mouth", "mouth opening, error", "%", "lower", "reference", 2,
          "Difference of how far the lips are apart, in percent of the mouth's width."),
    _face("niqe", "NIQE (faces)", "", "lower", "nothing", 2,
          "Distance from natural faces under this project's model; of videos once a second."),
    _face("sharpness", "sharpness", "codes", "higher", "nothing", 1,
          "Mean Laplacian around eyes and mouth; noise counts as sharpness."),
    _time("flicker", "flicker", "codes", "truth", 3,
          "Mean change from frame to frame beyond the truth's own, in codes of 8 bits."),
    _time("warping_error", "warping error", "1e-3", "nothing", 3,
          "Squared change along the motion of the truth or, without one, of the video itself."),
    _time("vidd", "VIDD", "", "nothing", 3, "Distance of the descriptions of neighbouring frames."),
    _time("jitter", "landmark jitter", "px", "nothing", 2,
          "Second difference of the five points over time, in pixels of the aligned face."),
    _time("sigma_ids", "sigma-IDS", "", "truth", 4,
          "Deviation over time of the similarity to the truth's identity.", "ids"),
    _time("sigma_akd", "sigma-AKD", "px", "truth", 3,
          "Deviation over time of the landmark distance.", "landmarks"),
)  # fmt: skip
"""All measures. A value that cannot be measured is not reported."""

FID = _face("fid", "FID, faces", "", "lower", "truth", 2,
            "Distance of all faces from the truth's as sets; depends on their number.")  # fmt: skip
"""Of a whole set of faces: no single face has it."""

BY_NAME = {measure.name: measure for measure in (*MEASURES, FID)}

HIDDEN = ("ids",)
"""Columns that are not reported: the similarity of identities, for its deviation over time."""

ALSO_OF_TRUTH = ("niqe", "sharpness", "vidd", "jitter")
"""Measures that are also computed for the truth, for comparison."""


def columns(scope: Scope, subjects: tuple[Subject, ...]) -> tuple[str, ...]:
    """The names of the columns of these subjects, such as result.psnr."""
    names = [m.name for m in MEASURES if m.scope == scope and not m.deviation_of]
    if scope == "face":
        names += HIDDEN
    return tuple(
        f"{subject}.{name}"
        for subject in subjects
        for name in names
        if subject != "truth" or name in ALSO_OF_TRUTH
    )
