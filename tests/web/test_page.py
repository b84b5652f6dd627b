"""The page in a real browser: open, preview, choose people, queue, lose the server, continue, look."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.films import make_film
from tests.support.footage import Footage
from tests.support.jobs import ENVIRONMENT
from vidrestore.settings.yaml_file import read_yaml

pytest.importorskip("starlette", reason="the extra [web] is not installed")
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("there is no chromium here", allow_module_level=True)
WAIT = 240_000
"""Milliseconds."""
SCREENSHOTS = os.environ.get("VIDRESTORE_TEST_SCREENSHOTS")


@contextmanager
def served(folder: Path, state: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address with the token, and the server's process."""
    command = [sys.executable, "-m", "vidrestore", "web", str(folder), "--port", "0", "--state", str(state)]
    server = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None
        yield found[0], server
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        result = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield result
        result.close()


def _open(browser: Any, address: str, problems: list[str], **how: Any) -> Any:
    """The page; what goes wrong in it, and requests to elsewhere, are added to `problems`."""
    page = browser.new_page(**how)
    page.set_default_timeout(WAIT)
    host = address.split("/")[2]
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request",
        lambda r: problems.append(r.url) if not r.url.startswith((f"http://{host}/", "data:")) else None,
    )
    page.goto(address)
    return page


def _picture(page: Any, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=str(Path(SCREENSHOTS) / f"{name}.png"), full_page=True)


@pytest.mark.slow
def test_from_opening_a_video_to_its_result_with_a_server_that_is_killed(
    browser: Any, tmp_path: Path
) -> None:
    folder, state, problems = tmp_path / "films", tmp_path / "state", []
    folder.mkdir()
    h264 = Footage(codec="libx264", options={"crf": "12", "g": "12"})
    make_film(folder / "film.mp4", 24, (range(4, 18),), h264)
    with served(folder, state) as (address, server):
        page = _open(browser, address, problems, viewport={"width": 1440, "height": 900})
        assert "token" not in page.url
        page.get_by_role("button", name="film.mp4").click()
        page.get_by_text(re.compile("144 . 128")).wait_for()
        page.locator("#scrub").fill("0.4")
        page.get_by_role("button", name="Preview this frame").click()
        page.get_by_text(re.compile(r"Frame 10: 1 face")).wait_for()
        page.locator("#divider").focus()
        page.keyboard.press("ArrowRight")
        assert "inset(0px 0px 0px 51%)" in page.locator("#after").evaluate("e => e.style.clipPath")
        after = page.locator("#after").get_attribute("src")
        page.locator("#strength").fill("0.5")
        page.wait_for_function("src => document.getElementById('after').src !== src", arg=after)
        page.locator("#strength").fill("1")
        page.get_by_role("button", name="Find people").click()
        person = page.locator("#people button").first
        person.wait_for()
        assert person.get_attribute("aria-pressed") == "true"
        assert page.locator("#scenes button").count() >= 1
        _picture(page, "wide")
        page.locator("#whom").select_option("p0")
        page.locator("#where").select_option("scene")
        page.locator("#strength-usual").uncheck()
        with page.expect_response(lambda r: '"strength":0.5' in (r.request.post_data or "")):
            page.locator("#strength").fill("0.5")
        page.get_by_text("saved in film.mp4.yaml").wait_for()
        page.locator("#scenes button.own").wait_for()
        said = read_yaml(folder / "film.mp4.yaml")
        assert [scene["people"] for scene in said["scenes"].values() if "people" in scene] == [
            {"p0": {"strength": 0.5}}
        ]
        _picture(page, "scene")
        page.locator("#scenes button[aria-current]").focus()
        page.keyboard.press("ArrowLeft")
        page.locator("#scenes button[data-scene='0'][aria-current]").wait_for()
        assert page.locator("#scrub").input_value() == "0"
        page.locator("#whom").select_option("")
        page.locator("#where").select_option("")
        person.press("Enter")
        assert page.locator("#faces").input_value() != "all"
        person.press("Enter")
        assert page.locator("#faces").input_value() == "all"
        for name in ("one.mp4", "two.mp4"):
            page.locator("#output").fill(str(folder / name))
            page.get_by_role("button", name="Add to the queue").click()
            page.locator("#jobs").get_by_text(name).wait_for()
        page.locator("#jobs .running").wait_for()
        page.locator("#jobs .frame img").wait_for()
        _picture(page, "queue")
        server.send_signal(signal.SIGKILL)
        server.wait(30)
        page.close()
    problems.clear()  # of the requests that nobody answered
    with served(folder, state) as (address, _):
        page = _open(browser, address, problems, viewport={"width": 420, "height": 900}, color_scheme="dark")
        page.locator("#jobs .done").nth(1).wait_for()
        page.get_by_role("button", name="Compare:").first.click()
        page.get_by_text(re.compile(r"24 frames, \d+ faces")).wait_for()
        for name in ("original", "result"):
            page.wait_for_function(f"() => document.getElementById('{name}').readyState >= 2")
        page.locator("#scrub").fill("0.4")
        page.wait_for_function(
            "() => ['original', 'result'].every(id => document.getElementById(id).currentTime == 0.4)"
        )
        page.get_by_role("button", name="Play").press("Enter")
        page.wait_for_function("() => document.getElementById('result').ended")
        page.locator("#scrub").fill("0.4")
        _picture(page, "narrow-dark")
        page.locator("#zoom").select_option("full")
        for width in (320, 420, 800):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        page.set_viewport_size({"width": 1440, "height": 900})
        _picture(page, "wide-dark")
        assert sorted(path.name for path in folder.iterdir()) == [
            "film.mp4",
            "film.mp4.yaml",
            "one.mp4",
            "two.mp4",
        ]
        page.close()
    assert problems == []


def _done_job(state: Path, source: Path, target: Path) -> None:
    """A job in the queue of the next server, as if it had been run."""
    from vidrestore.web.job_store import JobStore

    store = JobStore(state / "jobs.sqlite")
    drawn = [{"track": 0, "frames": 12, "mean": 0.6, "maximum": 0.9}]
    report = {"frames": 12, "faces": 12, "tracks": 1, "seconds": 3.0, "warnings": [], "drawn": drawn}
    store.update(store.add("restore", source, target, {}).id, state="done", result=report)


@pytest.mark.slow
def test_files_that_are_dropped_in_results_that_no_browser_plays_and_a_server_that_is_gone(
    browser: Any, tmp_path: Path
) -> None:
    folder, state, problems = tmp_path / "films", tmp_path / "state", []
    folder.mkdir()
    markup = "<img src=x onerror=document.title=1>.mkv"
    for name in ("in.mkv", "out.mkv", markup):
        make_film(folder / name, 12, (range(12),))
    small = make_film(tmp_path / "small film.mkv", 6, (range(6),))
    with served(folder, state) as (address, _):
        page = _open(browser, address, problems)
        page.close()
    _done_job(state, folder / "in.mkv", folder / "out.mkv")
    with served(folder, state) as (address, server):
        page = _open(browser, address, problems, viewport={"width": 1440, "height": 900})
        _picture(page, "empty")
        page.get_by_role("button", name=markup).click()
        page.get_by_role("heading", name=markup).wait_for()
        assert page.title() == "vidrestore"
        page.locator("#drop-file").set_input_files(str(small))
        page.get_by_role("heading", name="small film.mkv").wait_for()
        page.locator("#viewer:not([aria-busy])").wait_for()
        assert (state / "dropped" / "small film.mkv").read_bytes() == small.read_bytes()
        page.get_by_role("button", name="Remove small film.mkv").click()
        page.get_by_text("No videos or pictures here.").wait_for()
        assert not (state / "dropped" / "small film.mkv").exists()
        page.get_by_role("button", name="Compare: out.mkv").press("Enter")
        page.get_by_text("compared frame by frame").wait_for()
        page.locator("#report td", has_text="60 %").wait_for()
        _picture(page, "stills")
        page.locator("#scrub").fill("0.2")
        page.locator("#after[src*='out.mkv'][src*='at=0.2']").wait_for()
        assert problems == []
        server.send_signal(signal.SIGKILL)
        server.wait(30)
        page.get_by_text("vidrestore web does not answer").wait_for()
        _picture(page, "gone")
        page.close()
