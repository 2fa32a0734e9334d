"""The report: one file, nothing from outside, nothing that a table says can change the page."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import slalom
from slalom import MLP, SGD
from slalom.core.errors import BadFile
from slalom.plots import learning_curves
from slalom.tabular.fit import Fit, fit_table
from slalom.tabular.report import write_report
from slalom.tabular.report.embedding import embedded

pytestmark = pytest.mark.slow

EVIL = '<script>alert("x")</script> & <b>'


class Page(HTMLParser):
    """The tags, their attributes and the visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


@pytest.fixture(scope="module")
def classification() -> Fit:
    rng = np.random.default_rng(0)
    kind = np.where(rng.random(160) > 0.5, EVIL, "plain")
    size = np.where(kind == EVIL, 1.0, -1.0) + rng.normal(size=160)
    table = pd.DataFrame(
        {EVIL + " size": size, "left $x_1$ out": rng.normal(size=160), "kind": kind}
    )
    return fit_table(table, "kind", drop=["left $x_1$ out"], epochs=2)


@pytest.fixture(scope="module")
def page(classification: Fit, tmp_path_factory: pytest.TempPathFactory) -> Page:
    path = tmp_path_factory.mktemp("report") / "page.html"
    write_report(classification, path, model="my model.slalom")
    return Page(path.read_text(encoding="utf-8"))


def test_the_page_is_well_formed_and_runs_nothing(page: Page) -> None:
    assert page.open == []
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "iframe", "object", "embed", "link", "b", "base", "form"})
    assert not [attr for _, attrs in page.tags for attr in attrs if attr.startswith("on")]


def test_the_page_loads_nothing_from_anywhere(page: Page) -> None:
    sources = [attrs["src"] for tag, attrs in page.tags if tag == "img"]
    assert len(sources) == 4
    assert all(source and source.startswith("data:image/") for source in sources)
    assert not [attrs for _, attrs in page.tags if "href" in attrs]


def test_what_tables_say_is_shown_as_text(page: Page) -> None:
    assert f"{EVIL} size" in page.text
    assert "left $x_1$ out" in page.text


def test_pictures_hold_no_script(page: Page) -> None:
    for tag, attrs in page.tags:
        if tag == "img" and "svg" in str(attrs["src"])[:20]:
            drawn = base64.b64decode(str(attrs["src"]).partition(",")[2]).decode()
            assert "<script" not in drawn
            assert not re.search(r'href="(?!#|data:image/)', drawn)


def test_every_picture_is_described(page: Page) -> None:
    assert all(attrs.get("alt") for tag, attrs in page.tags if tag == "img")


def test_the_score_stands_beside_both_baselines(page: Page, classification: Fit) -> None:
    for scores in classification.scores.values():
        for estimate in scores.values():
            assert str(estimate) in page.text
    assert "majority class" in page.text and "linear model" in page.text
    assert classification.verdict in page.text


def test_the_page_says_what_became_of_rows_and_how_to_use_the_model(
    page: Page, classification: Fit
) -> None:
    assert str(classification.rows) in page.text
    assert 'slalom predict "my model.slalom" new.csv' in page.text
    assert "from slalom import Predictor, read_table" in page.text
    assert "Predictor.load('my model.slalom')" in page.text


def test_the_page_says_what_the_training_of_the_best_member_looked_like(
    page: Page, classification: Fit
) -> None:
    said = page.text.partition("What the training looked like")[2].partition("The best of ")[0]
    run = classification.run
    assert f"The best member, {run.population[run.best()].label}:" in said
    expected = slalom.diagnose(run, run.best())
    assert expected == classification.diagnosis
    assert all(finding.text() in said for finding in expected.findings)


def test_the_page_says_when_the_learning_rate_was_too_small(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": np.linspace(-1, 1, 200)})
    slow = [slalom.Member(MLP(1, 8, 1), SGD(lr=1e-7))]
    fit = fit_table(table.assign(y=3 * table["x"]), "y", epochs=30, members=slow)
    write_report(fit, tmp_path / "r.html")
    said = Page((tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "The loss was still falling at the end" in said
    assert "Raise the learning rate (1e-07), or train longer." in said


def test_nets_that_were_never_trained_are_not_counted(page: Page, classification: Fit) -> None:
    begun = int((classification.run.leaderboard()["status"] != "not begun").sum())
    assert begun < len(classification.run.population)
    assert f"{begun} nets were trained" in page.text
    assert f"One line a member, {begun} in all" in page.text
    title = learning_curves(classification.run).axes[0].get_title(loc="left")
    assert f"loss of {begun} members" in title


def test_a_regression_has_a_picture_for_each_target(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"x": rng.normal(size=160)})
    table = table.assign(double=2 * table["x"], half=table["x"] / 2)
    write_report(fit_table(table, ["double", "half"], epochs=1), tmp_path / "r.html")
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert sum(tag == "img" for tag, _ in page.tags) == 4
    assert "RMSE double" in page.text


def test_the_same_fit_gives_the_same_page(classification: Fit, tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_report(classification, tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_a_page_that_cannot_be_written_is_a_bad_file(classification: Fit, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"could not be written to .*page\.html"):
        write_report(classification, tmp_path / "no such" / "page.html")


def test_a_picture_of_very_many_points_is_a_png() -> None:
    figure = Figure(figsize=(2, 2))
    axes = figure.add_subplot()
    assert embedded(figure).startswith("data:image/svg+xml")
    axes.plot(np.random.default_rng(0).normal(size=20_000), "o")
    assert embedded(figure).startswith("data:image/png")
