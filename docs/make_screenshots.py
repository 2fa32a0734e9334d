"""Take the pictures of the studio in the README: `python docs/make_screenshots.py`.

A studio of its own and the system's Chromium without a window; both are ended afterwards.
"""

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
SIZE = {"width": 1180, "height": 760}
COLORS = 128  # of which a screenshot has few: a quarter of the bytes
PAGES = {  # address, and seconds until there is something to see
    "studio-playground": ("/playground#toy=spirals&n=300&hidden=16-8&noise=0.05&at=2500", 2),
    "studio-wall": ("/wall#side=12", 5),
}


def taken(browser: Browser, link: str, path: str, seconds: float) -> Image.Image:
    """A page while it plays."""
    with browser.new_context(viewport=SIZE, color_scheme="light") as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(link)
        page.goto(link.partition("/?")[0] + path)
        page.wait_for_selector("canvas[data-frames]")
        play = page.locator("[data-do=toggle]")
        if play.count():
            play.first.click()
        page.wait_for_timeout(1000 * seconds)
        return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def main() -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with TemporaryDirectory() as store, sync_playwright() as playwright:
        command = [sys.executable, "-m", "slalom", "studio", "--no-browser", "--store", store]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            browser = playwright.chromium.launch(executable_path=program)
            for name, (path, seconds) in PAGES.items():
                image = taken(browser, found[0], path, seconds)
                image.quantize(COLORS).save(PICTURES / f"{name}.png", optimize=True)
            browser.close()
            process.terminate()


if __name__ == "__main__":
    main()
