"""The subjects of fuzzing: how to create their files, which of them to mutate, and what to run then."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import torch

from tests.support.clips import Clip, make_clip, pictures
from tests.support.films import make_film
from tests.support.jobs import interrupted_run
from tests.support.networks import SMALL
from vidrestore.cli import main
from vidrestore.daefr import Daefr, save

JOIN = "!join"
"""The word for joining a part as the last act of a run does; see `child.py`."""
SMALL_CLIP = Clip(frames=12, size=(64, 48))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A kind of file."""

    name: str
    make: Callable[[Path], object]
    """Makes all files in an empty folder."""
    target: str
    """The file that is mutated: a pattern of names within the folder, of which the first is taken."""
    commands: tuple[str, ...]
    """Of which one is drawn; words are separated by spaces, {target} is the file."""
    is_valid: bool = True
    """Whether the program succeeds while nothing is wrong with the file."""
    may_stay: frozenset[str] = field(default_factory=frozenset)
    """Names that a failed run may change or leave: a journal and its parts, kept for the next run."""

    def draw_command(self, chance: random.Random, target: str) -> list[str]:
        return [word.replace("{target}", target) for word in chance.choice(self.commands).split()]


_RESTORE = (
    "restore {target} out.mkv --codec ffv1 --quiet",
    "restore {target} out.mkv --codec ffv1 --quiet",
    "restore {target} out.mkv --codec ffv1 --quiet --strict",
    "restore {target} out.mkv --codec ffv1 --quiet --segment 1",
    "inspect {target} --json - --quiet",
)
_RESTORE_PICTURE = (
    "restore {target} out.png --quiet --fidelity 1",
    "restore {target} out.png --quiet",
    "inspect {target} --json - --quiet",
)
_JOURNAL = frozenset([".out.mkv.vidrestore", ".out.mkv.vidrestore-parts", ".out.mkv.vidrestore-journal"])


def _container(name: str, clip: Clip, commands: tuple[str, ...] = _RESTORE) -> Subject:
    def make(folder: Path) -> None:
        make_clip(folder / f"in.{name}", clip)

    return Subject(name=name, make=make, target=f"in.{name}", commands=commands)


def _picture(suffix: str) -> Subject:
    def make(folder: Path) -> None:
        import cv2

        picture = next(iter(pictures(SMALL_CLIP))).to_ndarray(format="bgr24")
        cv2.imwrite(str(folder / f"in.{suffix}"), picture)

    return Subject(name=suffix, make=make, target=f"in.{suffix}", commands=_RESTORE_PICTURE)


def _exr(folder: Path) -> None:
    import cv2
    import numpy as np

    from vidrestore.video.exr import exr_file

    light = np.asarray(
        cv2.resize(np.random.default_rng(0).random((6, 8, 3), np.float32), (64, 48)), np.float32
    )
    exr_file.save(folder / "in.exr", light, half=True)


def _unfinished(folder: Path) -> None:
    interrupted_run(folder)


def _part(folder: Path) -> None:
    """A part beside the film it is of, without a journal that knows it."""
    interrupted_run(folder)
    (part,) = folder.glob(".out.mkv.vidrestore-parts/*.part")
    part.rename(folder / "one.part")
    shutil.rmtree(folder / ".out.mkv.vidrestore-parts")
    (folder / ".out.mkv.vidrestore").unlink()


def _weights(folder: Path) -> None:
    torch.manual_seed(0)
    save(Daefr(SMALL), folder / "w.safetensors")
    make_film(folder / "in.mkv", 4, (range(4),))


def _checkpoint(folder: Path) -> None:
    state = {f"vqvae.{name}": torch.zeros(3) for name in ("encoder.a", "quant_conv.b", "decoder.c")}
    torch.save({"state_dict": state, "epoch": 3}, folder / "w.ckpt")


def _config(folder: Path) -> None:
    make_clip(folder / "in.mkv", Clip(frames=2, size=(64, 48)))
    (folder / "c.yaml").write_text(
        "strength: 0.8\nfidelity: auto\nstart: 00:00:00.04\nfaces: all\ncodec: ffv1\n"
        "fps: null\ndeflicker: true\n# a comment\nmin-face: 24\ncompare: side-by-side\n"
    )


def _record(folder: Path) -> None:
    (folder / "in").mkdir()
    make_clip(folder / "in" / "a.mkv", Clip(frames=2, size=(64, 48)))
    make_clip(folder / "in" / "b.mkv", Clip(frames=2, size=(64, 48)))
    assert main(["batch", str(folder / "in"), str(folder / "out"), "--codec", "ffv1", "--quiet"]) == 0


SUBJECTS = (
    _container("mp4", Clip(frames=12, size=(64, 48), sounds=("aac",), rotation=90)),
    _container("mov", Clip(frames=6, size=(64, 48), codec="prores_ks", pixel_format="yuv422p10le")),
    _container(
        "mkv",
        Clip(
            frames=12, size=(64, 48), time_base=Fraction(1, 1000), sounds=("aac",), subtitles=True,
            attachment=b"font", metadata={"title": "a title"},
        ),
    ),
    _container("webm", Clip(frames=8, size=(64, 48), codec="libvpx-vp9", time_base=Fraction(1, 1000))),
    _container(
        "avi",
        Clip(frames=8, size=(64, 48), codec="mpeg4", time_base=Fraction(1, 25), sounds=("mp3",)),
    ),
    _container("ts", Clip(frames=12, size=(64, 48), time_base=Fraction(1, 90000), sounds=("mp2",))),
    _container("nut", Clip(frames=4, size=(64, 48), codec="ffv1")),
    _container("flv", Clip(frames=8, size=(64, 48), time_base=Fraction(1, 1000), b_frames=0)),
    _container(
        "mxf",
        Clip(frames=6, size=(64, 48), codec="mpeg2video", time_base=Fraction(1, 25), b_frames=0),
    ),
    _container("y4m", Clip(frames=4, size=(64, 48), codec="rawvideo", time_base=Fraction(1, 25))),
    _container(
        "gif",
        Clip(frames=4, size=(64, 48), codec="gif", pixel_format="rgb8", time_base=Fraction(1, 100)),
    ),
    *map(_picture, ("png", "jpg", "tif", "webp", "bmp", "ppm")),
    Subject(name="exr", make=_exr, target="in.exr", commands=_RESTORE_PICTURE),
    Subject(
        name="journal", make=_unfinished, target=".out.mkv.vidrestore",
        commands=("resume out.mkv --quiet", "restore in.mkv out.mkv --codec ffv1 --segment 1 --quiet"),
        may_stay=_JOURNAL,
    ),
    Subject(
        name="segment", make=_unfinished, target=".out.mkv.vidrestore-parts/*.part",
        commands=("resume out.mkv --quiet",), may_stay=_JOURNAL,
    ),
    Subject(
        name="joined segment", make=_part, target="one.part",
        commands=(f"{JOIN} in.mkv one.part out.mkv",),
    ),
    Subject(
        name="safetensors", make=_weights, target="w.safetensors",
        commands=(
            "models convert w.safetensors new.safetensors",
            "models convert w.safetensors new.safetensors",
            "restore in.mkv out.mkv --model w.safetensors --codec ffv1 --quiet",
        ),
    ),
    Subject(
        name="checkpoint", make=_checkpoint, target="w.ckpt",
        commands=("models convert w.ckpt new.safetensors",),
        is_valid=False,
    ),
    Subject(
        name="config", make=_config, target="c.yaml",
        commands=("restore in.mkv out.mkv --config c.yaml --quiet",),
    ),
    Subject(
        name="record", make=_record, target="out/.vidrestore-batch",
        commands=("batch in out --codec ffv1 --quiet",), may_stay=frozenset(["out"]),
    ),
)  # fmt: skip
