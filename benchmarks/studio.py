"""Is the studio quick enough to be steered by hand?

    python benchmarks/studio.py [--minutes 2]

A studio as a person starts it, and the system's Chromium without a window, on the same cores:
seconds from the command to the first page, and to a net that can be played; pictures a second of
the wall while it trains; milliseconds from the movement of a slider to the picture of the retrained
net; memory of the server, and how much more it takes after minutes of play on all live pages.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, Page, sync_playwright

from harness.results import FOLDER, digits, markdown, write

WALLS = {  # what is asked for, in pictures a second
    "wall, 100 nets, regions": ("/wall#side=10", 30),
    "wall, 100 nets, lines": ("/wall#side=10&toy=quadratic", 30),
    "wall, 400 nets, regions": ("/wall#side=20", 15),
    "wall, 400 nets, lines": ("/wall#side=20&toy=quadratic", 15),
}
PLAYED = ("/playground", "/playground#toy=spirals", "/race", "/wall", "/wall#side=20", "/map")
MEASURED = 5.0  # seconds of each wall
MOVES = 100  # of a slider
WATCH = """() => {
  window.took = [];
  let began = null;
  const moved = () => { began = performance.now(); };
  document.querySelector("[name=lr]").addEventListener("input", moved, true);
  new MutationObserver(() => {
    if (began !== null) window.took.push(performance.now() - began);
    began = null;
  }).observe(document.querySelector("[data-plot]"), { attributeFilter: ["data-frames"] });
}"""


@contextmanager
def served(store: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A studio and its link."""
    command = [sys.executable, "-m", "slalom", "studio", "--no-browser", "--store", store]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        link = re.search(r"http://\S+", process.stdout.readline())
        assert link is not None
        try:
            yield process, link[0]
        finally:
            process.terminate()


def memory(process: subprocess.Popen[str]) -> float:
    """Resident megabytes of a process."""
    text = Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii")
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def frames(page: Page) -> int:
    """Pictures that were drawn so far."""
    return int(page.evaluate("document.querySelector('canvas[data-frames]').dataset.frames"))


def start(browser: Browser, path: str, there: str, turns: int = 3) -> float:
    """Seconds from the command until something is there on a page, the most of some turns."""
    found = []
    for _ in range(turns):
        with TemporaryDirectory() as store:
            began = time.perf_counter()
            with served(store) as (_, link), browser.new_context() as context:
                page = context.new_page()
                page.goto(link.replace("/?", f"{path}?"))
                page.wait_for_selector(there)
                found.append(time.perf_counter() - began)
    return max(found)


def pace(browser: Browser, link: str, path: str) -> float:
    """Pictures a second while a page plays."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.goto(link)
        page.goto(link.partition("/?")[0] + path)
        page.wait_for_selector("canvas[data-frames]")
        page.locator("[data-do=toggle]").first.click()
        page.wait_for_timeout(1500)
        before, began = frames(page), time.perf_counter()
        page.wait_for_timeout(1000 * MEASURED)
        return (frames(page) - before) / (time.perf_counter() - began)


def drag(browser: Browser, link: str) -> np.ndarray[Any, Any]:
    """Milliseconds from each movement of the slider of the lesson on regression to its picture."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.goto(link)
        page.goto(link.partition("/?")[0] + "/lessons/regression")
        page.wait_for_selector("[data-plot][data-frames]")
        page.wait_for_timeout(4000)
        page.evaluate(WATCH)
        slider = page.locator("[name=lr]")
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
        page.mouse.down()
        for k in range(MOVES):
            across = box["x"] + (0.2 + 0.6 * k / MOVES) * box["width"]
            page.mouse.move(across, box["y"] + box["height"] / 2)
            page.wait_for_timeout(50)
        page.mouse.up()
        page.wait_for_timeout(500)
        return np.array(page.evaluate("window.took"))


def play(browser: Browser, link: str, seconds: float) -> None:
    """All live pages, one after another, again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in PLAYED:
            with browser.new_context() as context:
                page = context.new_page()
                page.goto(link)
                page.goto(link.partition("/?")[0] + path)
                page.wait_for_selector("canvas[data-frames]")
                if path != "/map":
                    page.locator("[data-do=toggle]").first.click()
                page.wait_for_timeout(min(3000, 1000 * max(0.0, end - time.monotonic())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--minutes", type=float, default=2.0, help="of play, for the memory")
    arguments = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    rows = []
    with sync_playwright() as playwright, TemporaryDirectory() as store:
        browser = playwright.chromium.launch(executable_path=program)
        first = start(browser, "/", "[data-recent] li")
        rows.append(("start to the first page, s", first, "below 3"))
        net = start(browser, "/playground", "[data-plot][data-frames]")
        rows.append(("start to a net that can be played, s", net, "below 3"))
        with served(store) as (process, link):
            for name, (path, asked) in WALLS.items():
                rows.append((f"{name}, pictures/s", pace(browser, link, path), f"{asked} or more"))
            took = drag(browser, link)
            rows.append(("slider to picture, ms, median", float(np.median(took)), ""))
            rows.append(
                ("slider to picture, ms, 95th percentile", float(np.percentile(took, 95)), "100")
            )
            play(browser, link, 60)
            before = memory(process)
            rows.append(("memory after a minute of play, MB", before, "below 700"))
            play(browser, link, 60 * arguments.minutes)
            share = memory(process) / before
            rows.append((f"after {arguments.minutes:g} more, of that", share, "below 1.1"))
        browser.close()
    table = pd.DataFrame(rows, columns=["what", "measured", "asked"])
    shown = [(what, digits(measured), asked) for what, measured, asked in rows]
    write("studio", table, markdown(table.columns, shown), folder=arguments.out)


if __name__ == "__main__":
    main()
