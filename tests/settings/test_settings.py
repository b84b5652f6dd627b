"""Settings: one set of names, checked before work starts."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidrestore.errors import UsageError
from vidrestore.settings import Settings, make_settings


def test_given_values_override_the_file_and_none_means_not_given(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("strength: 0.5\ntemporal: 0.1\nmin-face: 40\n")
    settings = make_settings(tmp_path / "c.yaml", strength=0.9, temporal=None)
    assert (settings.strength, settings.temporal, settings.min_face) == (0.9, 0.1, 40)


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("# nothing yet\n")
    assert make_settings(tmp_path / "c.yaml") == Settings()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"strenght": 1}, "there is no setting 'strenght'"),
        ({"strength": 1.5}, "strength"),
        ({"device": "gpu"}, "device must be auto, cpu, cuda, cuda:N or mps, got 'gpu'"),
        ({"compare": "above"}, "compare"),
        ({"start": 5, "end": 4}, "end .4 s. must be after start .5 s."),
        ({"min_face": 2}, "min_face"),
        ({"fidelity": "much"}, "^fidelity must be auto or a number from 0 to 1, got 'much'$"),
        ({"fidelity": "2"}, "^fidelity must be auto or a number from 0 to 1, got '2'$"),
        ({"grain": float("nan")}, "^grain must be auto or a number from 0 to 1, got nan$"),
        ({"batch": 0}, "batch"),
        ({"start": "1:60"}, "HH:MM:SS.mmm"),
        ({"start": -1}, "start"),
    ],
)
def test_an_invalid_setting_gives_one_error_message(values: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        make_settings(**values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("value", "expected"), [("auto", "auto"), ("0.3", 0.3), (1, 1.0)])
def test_fidelity_and_grain_are_auto_or_a_number(value: object, expected: object) -> None:
    settings = make_settings(fidelity=value, grain=value)
    assert (settings.fidelity, settings.grain) == (expected, expected)
    assert (Settings().fidelity, Settings().grain) == ("auto", "auto")


@pytest.mark.parametrize("text", ["- a list", "a: [unclosed", "\x00"])
def test_a_malformed_configuration_file_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"odd\.yaml") as caught:
        make_settings(tmp_path / "odd.yaml")
    assert "\n" not in str(caught.value)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{two}: &{two} [{', '.join([f'*{one}'] * 10)}]\n" for one, two in pairwise("abcdefghi")
)
"""A few lines that say 10 ** 9 values."""


@pytest.mark.parametrize(
    "text",
    [
        "strength: 2001-13-45", "strength: 2001-01-01", "start: 2001-01-01 12:00:00", "crf: !!timestamp soon",
        "strength: " + "[" * 20_000, "strength: " + "{a: " * 20_000, f"start: {'9' * 5000}",
        f"min_face: {'9' * 5000}", f"fps: {'9' * 5000}", "fps: 1e999999999", "fps: 1e-999999999",
        "strength: !!python/object:os.system x",
        LAUGHS + "strength: *i", "strength: &a [*a]", "? [a, b]\n: 1", "? {a: b}\n: 1", 'model: "a\\0b"',
        'codec: "a\\x1b[2J"', "strength: .nan", "strength: .inf", "segment: 1e308", "start: 1e300",
        "faces: '" + "9" * 5000 + "'", "size: 99999999999x1", "device: cuda:99999999999", "<<: 1", "*a",
        "strength: !!binary x",
        "x: 1" * 100_000, "batch: 3.5", "engine: [ray]", "end: -0.0", "1: 2",
    ],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_any_invalid_content_of_a_file_gives_one_short_error_message(text: str, tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        make_settings(tmp_path / "odd.yaml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1200


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a device without end")
def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(UsageError, match="is not a configuration: it is larger"):
        make_settings(Path("/dev/zero"))


def test_an_absent_file_is_named() -> None:
    with pytest.raises(UsageError, match=r"^there is no configuration absent\.yaml; check the name and"):
        make_settings(Path("absent.yaml"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12.5", 12.5), ("1:30", 90.0), ("00:01:30.250", 90.25), ("01:02:03", 3723.0), ("0", 0.0)],
)
def test_times_read_as_in_ffmpeg(text: str, seconds: float) -> None:
    assert make_settings(start=text).start == pytest.approx(seconds)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59_999))
def test_any_clock_time_comes_back_as_its_seconds(hours: int, minutes: int, milliseconds: int) -> None:
    text = f"{hours:02}:{minutes:02}:{milliseconds / 1000:06.3f}"
    assert make_settings(start=text).start == pytest.approx(hours * 3600 + minutes * 60 + milliseconds / 1000)


@pytest.mark.parametrize("text", ["", "a", "1:2:3:4", "-1:30", "1:-3", "1.5:30", "nan:00", "1:nan", "::"])
def test_an_invalid_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="start"):
        make_settings(start=text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "nan", "inf"])
def test_times_are_finite(value: object) -> None:
    with pytest.raises(UsageError, match="start"):
        make_settings(start=value)


@pytest.mark.parametrize("value", [True, False])
def test_true_and_false_are_no_numbers(value: bool) -> None:
    for name, field in Settings.model_fields.items():
        if field.annotation is not bool and name != "sidecar":
            with pytest.raises(UsageError, match=rf"^{name}.*, got {value}$"):
                make_settings(**{name: value})
    with pytest.raises(UsageError, match=rf"^strength must be a number, got {value}$"):
        make_settings(strength=value)
    with pytest.raises(UsageError, match=rf"^grain must be auto or a number from 0 to 1, got {value}$"):
        make_settings(grain=value)


def test_every_setting_explains_itself() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        *((25, Fraction(25)), ("24000/1001", Fraction(24000, 1001)), (23.976, Fraction(24000, 1001))),
        *(("29.97", Fraction(30000, 1001)), ("59.94", Fraction(60000, 1001)), ("12.5", Fraction(25, 2))),
    ],
)
def test_rounded_broadcast_rates_are_read_as_exact_fractions(value: object, rate: Fraction) -> None:
    assert make_settings(fps=value).fps == rate


@pytest.mark.parametrize("value", ["", "fast", "0", "-25", "24/0", "1e9", "nan"])
def test_an_invalid_frame_rate_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="fps"):
        make_settings(fps=value)


@pytest.mark.parametrize("value", ["1920", "1920x", "x1080", "0x0", "1920 x 1080", "-1x5"])
def test_an_invalid_size_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="size"):
        make_settings(size=value)
