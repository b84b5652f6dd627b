"""Files that are no valid weights, whatever they claim: one error message, in little memory and time."""

from __future__ import annotations

import io
import json
import pickle
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.support.networks import SMALL
from vidrestore.cli import main
from vidrestore.daefr import Daefr, load, save
from vidrestore.daefr.checkpoint import HEADER_KEY
from vidrestore.detection import make_detector
from vidrestore.detection.landmark_net import load_landmark_net
from vidrestore.errors import WeightsError
from vidrestore.evidence.checkpoint import load_evidence
from vidrestore.runtime.tensor_files import read_checkpoint
from vidrestore.weights import embedded_path

NAME = "post_quant_conv.weight"
BILLIONS = 2**40


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and header of weights that load."""
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save(Daefr(SMALL), path, torch.float32)
    load(path)
    return load_file(path), {HEADER_KEY: json.dumps(SMALL.to_dict())}


def refused(path: Path, words: str = "") -> None:
    began = time.process_time()
    with pytest.raises(WeightsError, match=words) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600 + len(str(path))
    assert time.process_time() - began < 20


def values(change: Callable[[Tensor], Tensor]) -> Callable[[dict[str, Tensor]], None]:
    def apply(state: dict[str, Tensor]) -> None:
        state[NAME] = change(state[NAME]).contiguous()

    return apply


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (values(lambda t: t.clone().index_fill_(0, torch.tensor([0]), float("nan"))), "not finite"),
        (values(lambda t: t.clone().fill_(float("inf"))), "not finite"),
        (values(lambda t: torch.full(t.shape, 1e300, dtype=torch.float64)), "not finite"),
        (values(lambda t: torch.ones(t.shape, dtype=torch.int64)), "not floating-point"),
        (values(lambda t: torch.ones(t.shape, dtype=torch.bool)), "not floating-point"),
        (values(lambda t: torch.ones(t.shape, dtype=torch.uint8)), "not floating-point"),
        (values(lambda t: t.to(torch.float8_e4m3fn)), "not floating-point"),
        (values(lambda t: torch.ones(t.shape, dtype=torch.complex64)), "post_quant_conv|cannot be read"),
        (values(lambda t: t[:1]), "does not fit"),
        (values(lambda t: torch.zeros(0, BILLIONS)), "does not fit"),
        (values(lambda t: t.reshape(-1)), "does not fit"),
        (lambda state: state.pop(NAME), "lacks"),
        (lambda state: state.update(more=torch.zeros(1)), "unexpected tensors"),
        (lambda state: state.clear(), "lacks"),
    ],
)
def test_tensors_that_are_not_finite_floats_of_the_right_shape_are_refused(
    stored: tuple[dict[str, Tensor], dict[str, str]], tmp_path: Path, change: Callable[..., Any], words: str
) -> None:
    state = dict(stored[0])
    change(state)
    save_file(state, tmp_path / "w.safetensors", metadata=stored[1])
    refused(tmp_path / "w.safetensors", words)


DEEP = "[" * 50_000 + "]" * 50_000


@pytest.mark.parametrize(
    "header",
    [
        "", "no JSON", "null", "[]", "3", '"text"', "{}", DEEP, '{"name": ' + DEEP + "}", '{"a": 1, "a": 2}',
        *(
            json.dumps(SMALL.to_dict() | change)
            for change in (
                {"image_size": 2**22}, {"image_size": 0}, {"image_size": -64}, {"image_size": "64"},
                {"image_size": 64.0}, {"image_size": True}, {"image_size": None}, {"image_size": [64]},
                {"width": 2**22}, {"width": 10**400}, {"codes": BILLIONS}, {"layers": 10**9}, {"groups": 0},
                {"heads": 0}, {"encoder_widths": []}, {"encoder_widths": [2**22] * 3},
                {"encoder_widths": [[16]]}, {"encoder_widths": "16"}, {"encoder_widths": [16] * 10_000},
                {"encoder_stem": 0}, {"detail_width": -2}, {"detail_width": 2**30}, {"name": 3},
                {"name": "x" * 10_000, "layers": 0}, {"level_attention": 7}, {"more": 1},
                {"width": 8192, "feedforward": 8192, "layers": 64, "heads": 8}, {"codes": 8192},
            )
        ),
        json.dumps(SMALL.to_dict()).replace("64", "NaN"),
    ],
    ids=lambda header: header[:40],
)  # fmt: skip
def test_a_header_with_an_invalid_configuration_is_refused(
    stored: tuple[dict[str, Tensor], dict[str, str]], tmp_path: Path, header: str
) -> None:
    save_file(stored[0], tmp_path / "w.safetensors", metadata={HEADER_KEY: header})
    refused(tmp_path / "w.safetensors")


def raw(header: object, data: bytes = b"", size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


TENSOR = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    "content",
    [
        raw({}, size=2**63), raw({}, size=2**40), raw(b"{"), raw(b"\xff\xfe"), raw([]), raw({"a": 1}),
        raw({"a": TENSOR}), raw({"a": TENSOR | {"shape": [BILLIONS, BILLIONS]}}, bytes(4)),
        raw({"a": TENSOR | {"data_offsets": [4, 0]}}, bytes(4)),
        raw({"a": TENSOR | {"dtype": "F31"}}, bytes(4)),
        raw({"a": TENSOR | {"shape": [-1]}}, bytes(4)), raw({"a": TENSOR, "b": TENSOR}, bytes(4)),
        raw({"__metadata__": {HEADER_KEY: 3}, "a": TENSOR}, bytes(4)), raw(DEEP.encode()), bytes(100),
    ],
    ids=lambda content: "",
)  # fmt: skip
def test_a_damaged_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    for read in (load, load_evidence, load_landmark_net):
        with pytest.raises(WeightsError):
            read(tmp_path / "w.safetensors")


class Recursive:
    """Pickles as a list that holds itself."""

    def __reduce__(self) -> Any:
        return (list, ([],))


def compressed_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(2**28))
    return file.getvalue()


def checkpoint(value: object) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def legacy(value: object) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        compressed_bomb(), pickle.dumps({"a": 1}), pickle.dumps(Recursive()), b"PK\3\4" + bytes(100),
        b"(" * 10**5, b"\x80\x02" + b"]" * 10**5 + b".", checkpoint([1]), checkpoint({}), checkpoint(None),
        checkpoint({"state_dict": None}), checkpoint({"state_dict": [torch.zeros(1)]}),
        checkpoint({"state_dict": {"a": 1}}), checkpoint({"state_dict": {3: torch.zeros(1)}}),
        checkpoint({3: torch.zeros(1)}), checkpoint({"a": torch.zeros(2, 2).to_sparse()}),
        checkpoint({"a": torch.empty(BILLIONS, device="meta")}),
        checkpoint({"a": torch.zeros(1).expand(BILLIONS)}),
        checkpoint({"a": torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.qint8)}),
        legacy({"a": 1}), legacy({"a": torch.zeros(3)})[:-20], checkpoint({"a": torch.zeros(300)})[:-200],
        checkpoint(torch.zeros(1)),
        checkpoint({f"{prefix}quant_conv.weight": torch.zeros(1) for prefix in ("", "vqvae.")}),
    ],
    ids=lambda content: "",
)  # fmt: skip
def test_a_damaged_or_foreign_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.ckpt"
    path.write_bytes(content)
    refused(path)
    with pytest.raises(WeightsError):
        make_detector(f"retinaface_mobile0.25={path}", "cpu")


class RunsCode:
    def __reduce__(self) -> tuple[object, ...]:
        return exec, ("raise SystemExit",)


@pytest.mark.parametrize(
    "content", [checkpoint({"state_dict": RunsCode()}), pickle.dumps(RunsCode()), b"text" * 100]
)
def test_the_message_does_not_advise_to_run_code_from_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.ckpt"
    path.write_bytes(content)
    with pytest.raises(WeightsError) as raised:
        read_checkpoint(path)
    message = str(raised.value)
    assert "weights_only" not in message
    assert len(message.removeprefix(str(path))) < 200
    assert message.isprintable()


def test_warnings_of_libraries_are_not_printed(tmp_path: Path) -> None:
    path = tmp_path / "w.ckpt"
    path.write_bytes(checkpoint({"a": torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.qint8)}))
    words = ["models", "convert", str(path), str(tmp_path / "new.safetensors")]
    result = subprocess.run(
        [sys.executable, "-m", "vidrestore", *words],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", ["missing", "folder", "/dev/zero", "/dev/null", "~nobody/w", "w" * 5000])
def test_a_weights_path_that_is_not_a_file_is_refused_without_reading(tmp_path: Path, kind: str) -> None:
    (tmp_path / "folder").mkdir()
    path = Path(kind) if kind.startswith(("/", "~")) else tmp_path / kind
    refused(path, "no weights at")


def test_the_embedded_weights_can_be_loaded() -> None:
    assert load(embedded_path("compact.safetensors")).config.name == "compact"
    load_evidence(embedded_path("evidence.safetensors"))
    load_landmark_net(embedded_path("landmarks.safetensors"))


def test_converting_weights_replaces_no_file_of_the_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(Daefr(SMALL), tmp_path / "w.safetensors", torch.float32)
    (tmp_path / "film.mp4").write_bytes(b"the user's own")
    (tmp_path / ".new.safetensors.partial").write_bytes(b"the user's own")
    words = ["models", "convert", str(tmp_path / "w.safetensors")]
    assert main([*words, str(tmp_path / "film.mp4")]) == 2
    assert (tmp_path / "film.mp4").read_bytes() == b"the user's own"
    assert main([*words, str(tmp_path / "none" / "w.safetensors")]) == 2
    assert capsys.readouterr().err.count("\n") == 2
    assert main([*words, str(tmp_path / "new.safetensors")]) == 0
    assert load(tmp_path / "new.safetensors").config == SMALL
    assert (tmp_path / ".new.safetensors.partial").read_bytes() == b"the user's own"
    assert len(list(tmp_path.iterdir())) == 4
