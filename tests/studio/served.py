"""A studio that runs, as a person starts it, and pages of it in a browser."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page


class Served:
    """A studio in a process of its own.

    Args:
        store: the folder of its runs.
    """

    def __init__(self, store: Path) -> None:
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "slalom", "studio", "--no-browser", "--store", str(store)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        assert found, "the studio says its link first"
        self.link = found[0]
        self.base = self.link.partition("/?")[0]
        self.seconds = time.perf_counter() - began

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def kill(self) -> None:
        """As a crash or a power cut would."""
        self.process.kill()
        self.process.wait()

    @contextmanager
    def page(self, browser: Browser, path: str, **how: Any) -> Iterator[Page]:
        """A page as its reader has it; it must not complain, nor ask anybody else."""
        wrong: list[str] = []
        with browser.new_context(**({"reduced_motion": "reduce"} | how)) as context:
            page = context.new_page()
            page.on("console", lambda message: wrong.append(message.text))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("request", lambda request: self._check(request.url, wrong))
            page.goto(self.link)
            page.goto(self.base + path)
            yield page
            assert not wrong, wrong

    def _check(self, url: str, wrong: list[str]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and not url.startswith(self.base.split("//")[0]):
            wrong.append(url)
        if parts.scheme.startswith(("http", "ws")) and parts.netloc != urlsplit(self.base).netloc:
            wrong.append(url)
