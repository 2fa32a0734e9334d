"""The documentation as a site: built as `make site` does, but for the gallery of lessons.

What is looked at is what a reader's browser gets: pages, anchors, the inventory, the search index.
"""

import json
import re
import shutil
import subprocess
import sys
import zlib
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import slalom
from slalom.core.errors import SlalomError

pytest.importorskip("sphinx", reason="the site needs the extra docs")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("site")]  # one process builds it, once

ROOT = Path(__file__).parents[2]
GALLERY = "lessons/index.html"  # `make site` writes it afterwards; it takes minutes


@dataclass
class Page(HTMLParser):
    """What a page names: anchors of its own, links to follow, and what it loads."""

    text: str
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if "id" in named:
            self.anchors.add(named["id"])
        addresses = [named[name] for name in ("href", "src") if name in named]
        self.links += addresses
        if tag != "a":
            self.loaded += addresses


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs" / "site", folder / "source")  # follows its links
    options = ["-W", "--keep-going", "--quiet", "-d", str(folder / "doctrees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(folder / "source"), str(folder / "html")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


@pytest.fixture(scope="module")
def objects(site: Path) -> Counter[str]:
    """How often each name stands in the inventory of Python objects."""
    head, packed = (site / "objects.inv").read_bytes().split(b"zlib.\n", 1)
    assert b"inventory version 2" in head
    lines = zlib.decompress(packed).decode().splitlines()
    return Counter(line.split()[0] for line in lines if line.split()[1].startswith("py:"))


def public_names() -> list[str]:
    """All of `slalom`, of the modules in it, and every error that can be caught apart."""
    toys, losses, errors = slalom.toys, slalom.losses.LOSSES.values(), SlalomError.__subclasses__()
    return [
        *(f"slalom.{name}" for name in slalom.__all__),
        *(f"slalom.lessons.{name}" for name in slalom.lessons.__all__),
        *(f"slalom.plots.{name}" for name in slalom.plots.__all__),
        *(f"slalom.toys.{name}" for name in (*toys.REGRESSION, *toys.CLASSIFICATION)),
        *(f"slalom.losses.{loss.__name__}" for loss in losses),
        *(f"slalom.core.errors.{error.__name__}" for error in errors),
    ]


def test_every_public_name_is_described_once(objects: Counter[str]) -> None:
    assert {name: objects[name] for name in public_names()} == dict.fromkeys(public_names(), 1)


def test_every_link_and_anchor_of_the_site_leads_somewhere(
    site: Path, pages: dict[Path, Page]
) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link == GALLERY:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchors = pages[target].anchors if target in pages else {""}
            if not target.is_file() or unquote(parts.fragment) not in anchors | {""}:
                broken.append(f"{path.relative_to(site)}: {link}")
    assert not broken


def test_pages_load_nothing_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    elsewhere = re.compile(r"(https?:)?//")
    assert [url for page in pages.values() for url in page.loaded if elsewhere.match(url)] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"url\(['\"]?(?:https?:)?//[^)]*|@import[^;]*", styles) == []


def test_the_search_needs_no_server_and_knows_names_and_words(site: Path) -> None:
    script = (site / "searchindex.js").read_text(
        encoding="utf-8"
    )  # loaded as a script, not fetched
    index = json.loads(script.removeprefix("Search.setIndex(").removesuffix(")"))
    named = {entry[-1] for entries in index["objects"].values() for entry in entries}
    assert {"train", "MLP", "Regressor"} <= named
    assert "leaderboard" in index["terms"]
    options = (site / "_static" / "documentation_options.js").read_text(encoding="utf-8")
    assert re.search(r"SHOW_SEARCH_SUMMARY: false", options)  # a summary would be fetched


def test_the_lessons_are_one_click_away(pages: dict[Path, Page], site: Path) -> None:
    assert GALLERY in pages[site / "lessons.html"].links


def test_all_results_of_benchmarks_are_there(site: Path) -> None:
    results = {path.stem for path in (ROOT / "benchmarks" / "results").glob("*.md")}
    assert results == {path.stem for path in (site / "benchmarks" / "results").glob("*.html")}
