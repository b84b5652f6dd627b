"""What Apple's GPU lacks is named, by the messages of PyTorch 2.6 to 2.12."""

from __future__ import annotations

import os
import warnings

import pytest

from vidrestore.errors import DeviceError
from vidrestore.runtime.mps_fallback import allow_cpu_fallback, missing_operations_named, name_fallbacks

FELL_BACK = (
    "The operator 'aten::upsample_bicubic2d.out' is not currently supported on the MPS backend and will fall "
    "back to run on the CPU. This may have performance implications. (Triggered internally at MPSFallback.mm)"
)
MISSING = (
    "The operator 'aten::grid_sampler_2d' is not currently implemented for the MPS device. If you want this "
    "op to be considered for addition please comment on an issue"
)


@pytest.fixture(autouse=True)
def show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)


def test_a_fallback_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        name_fallbacks()
        for _ in range(3):
            warnings.warn(FELL_BACK, UserWarning, stacklevel=1)
    assert [record.getMessage() for record in caplog.records] == [
        "this PyTorch has no 'upsample_bicubic2d.out' for Apple's GPU: the CPU computes it, which is slower"
    ]


def test_other_warnings_are_shown_as_before(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shown: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", lambda message, *_, **__: shown.append(str(message)))
        name_fallbacks()
        warnings.warn("something else", UserWarning, stacklevel=1)
    assert shown == ["something else"]
    assert caplog.records == []


def test_only_on_macos_is_the_fallback_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTORCH_ENABLE_MPS_FALLBACK", "0")
    allow_cpu_fallback("darwin")
    assert os.environ["PYTORCH_ENABLE_MPS_FALLBACK"] == "0"  # the user's own value
    monkeypatch.delenv("PYTORCH_ENABLE_MPS_FALLBACK")
    allow_cpu_fallback("linux")
    assert "PYTORCH_ENABLE_MPS_FALLBACK" not in os.environ
    allow_cpu_fallback("darwin")
    assert os.environ["PYTORCH_ENABLE_MPS_FALLBACK"] == "1"


def test_a_missing_operation_without_the_fallback_is_an_error_with_advice() -> None:
    expected = "no 'grid_sampler_2d' for Apple's GPU; set PYTORCH_ENABLE_MPS_FALLBACK=1"
    with pytest.raises(DeviceError, match=expected), missing_operations_named():
        raise NotImplementedError(MISSING)
    with pytest.raises(NotImplementedError, match="other"), missing_operations_named():
        raise NotImplementedError("other")
