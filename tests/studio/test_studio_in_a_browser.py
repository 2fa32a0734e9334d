"""What a person does in the studio, in a browser: that of the system, without a window."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

import slalom
from slalom.studio.settings import wanted
from tests.studio.served import Served
from tests.windows import WINDOWS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("studio")]

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
PAGES = (
    *("/", "/playground", "/wall", "/race", "/map", "/table", "/runs", "/runs/sine"),
    *("/lessons/regression", "/lessons/autograd", "/playground?lang=zh", "/table?lang=zh"),
)
SHOWS = {  # when a page is there
    "/lessons": "[data-body] h2",
    "/playground": "[data-plot][data-frames]",
    "/wall": "[data-wall][data-frames]",
    "/race": "[data-race][data-frames]",
    "/runs": "tbody td",
}
SIZES = {1280: 800, 390: 844}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studio") / "runs"
    population = slalom.grid(net=slalom.MLP(1, 4, 1), optimizer=slalom.SGD, lr=[0.1, 0.2])
    slalom.train(population, slalom.toys.sine(30), steps=20, store=folder, name="sine")
    return folder


@pytest.fixture(scope="module")
def served(store: Path) -> Iterator[Served]:
    found = Served(store)
    yield found
    found.close()


def place(page: Page) -> tuple[int, int]:
    """The step where a training stands, and how many there are, as a person reads them."""
    at, count = page.locator("[data-transport] output").inner_text().split(" / ")
    return int(at), int(count)


def until(page: Page, holds: str, seconds: float = 30) -> None:
    """Wait for something; `wait_for_function` would need what the policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(holds):
        assert time.monotonic() < end, f"{holds} did not come about"
        page.wait_for_timeout(50)


def at(page: Page, step: int) -> None:
    """Wait until a training stands at a step, or beyond it if that is negative."""
    number = "parseInt(document.querySelector('[data-transport] output').textContent)"
    until(page, f"{number} === {step}" if step >= 0 else f"{number} > {-step}")


def ready(page: Page, canvas: str = "[data-plot]") -> None:
    page.wait_for_selector(f"{canvas}[data-frames]")


def set_slider(page: Page, name: str, value: float) -> None:
    page.locator(f"[name={name}]").fill(str(value))


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_every_page_opens_fits_its_window_and_can_be_read_by_all(
    served: Served, browser: Browser, axe: Path, width: int, scheme: Any
) -> None:
    size: Any = {"width": width, "height": SIZES[width]}
    for path in PAGES:
        with served.page(browser, path, viewport=size, color_scheme=scheme) as page:
            shows = next((mark for start, mark in SHOWS.items() if path.startswith(start)), "h1")
            page.wait_for_selector(shows, timeout=60_000)
            page.wait_for_timeout(500)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            found = page.evaluate(axe.read_text(encoding="utf-8") + "\n; axe.run()")
            assert [
                (each["id"], each["help"], [node["html"] for node in each["nodes"]])
                for each in found["violations"]
            ] == [], path


def test_a_regression_plays_pauses_and_has_learned(served: Served, browser: Browser) -> None:
    with served.page(browser, "/playground") as page:
        ready(page)
        assert place(page) == (0, 0)
        page.get_by_role("button", name="Play").click()
        until(page, "Number(document.querySelector('[data-number=train]').textContent) < 0.02")
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Play").wait_for()
        step, furthest = place(page)
        assert step == furthest > 10
        expect(page.locator("[data-diagnosis]")).to_contain_text("Nothing wrong so far")


def test_one_goes_back_to_any_step_and_on_to_the_same_numbers(
    served: Served, browser: Browser
) -> None:
    loss = "[data-number=train]"
    with served.page(browser, "/playground") as page:
        ready(page)
        forward = page.get_by_role("button", name="One step forward")
        losses = []
        for k in range(1, 7):
            forward.click()
            at(page, k)
            losses.append(page.locator(loss).inner_text())
        assert place(page) == (6, 6)
        scrub = page.get_by_role("slider", name="Step", exact=True)
        scrub.fill("2")
        expect(page.locator(loss)).to_have_text(losses[1])
        assert place(page) == (2, 6)
        for k in (3, 4, 5):
            forward.click()
            expect(page.locator(loss)).to_have_text(losses[k - 1])
        page.get_by_role("button", name="To the start").click()
        expect(page.locator(loss)).to_have_text("–")
        page.get_by_role("button", name="One epoch forward").click()
        until(page, "document.querySelector('[data-number=epoch]').textContent === '1'")


def test_a_learning_rate_that_is_too_large_is_seen_and_explained(
    served: Served, browser: Browser
) -> None:
    with served.page(browser, "/playground") as page:
        ready(page)
        page.select_option("[name=optimizer]", "SGD")
        page.get_by_role("button", name="Play").click()
        at(page, -30)
        set_slider(page, "lr", 1)
        expect(page.locator("[data-number=train]")).to_contain_text("diverged at step")
        expect(page.locator("[data-diagnosis] [data-kind=diverged]")).to_contain_text(
            "learning rate"
        )
        expect(page.locator("[data-outside]")).to_be_visible()


def test_the_lesson_moves_with_the_slider_and_so_do_its_text_its_code_and_its_address(
    served: Served, browser: Browser
) -> None:
    with served.page(browser, "/lessons/regression?steps=50") as page:
        ready(page)
        expect(page.locator("[data-body]")).to_contain_text("steps = 50")
        before = page.locator("[data-selected]").inner_text()
        set_slider(page, "lr", -1)
        expect(page.locator("[data-selected]")).not_to_have_text(before)
        expect(page.locator("[data-body]")).to_contain_text("lr = 0.1")
        assert set(urlsplit(page.url).query.split("&")) == {"steps=50", "lr=0.1"}
        here = lessons_loss(lr=0.1, steps=50)
        assert float(page.locator("[data-selected]").inner_text().split()[-1]) == pytest.approx(
            here, rel=0.01
        )
        page.get_by_role("link", name="简体中文").click()
        expect(page.locator("[data-body]")).to_contain_text("lr = 0.1")
        expect(page.locator("h1")).to_have_text("回归")


def lessons_loss(**values: Any) -> float:
    """What the lesson itself says, by the reference engine."""
    return float(slalom.lessons.get("regression").make(**values).numbers["final_loss"])


def test_a_wrong_expression_is_refused_where_it_was_written(
    served: Served, browser: Browser
) -> None:
    with served.page(browser, "/lessons/structures") as page:
        page.wait_for_selector("[data-body] h2")
    with served.page(browser, "/lessons/autograd") as page:
        page.wait_for_selector("[data-body] h2")
        page.on("console", lambda message: None)
        page.fill("[name=expression]", "mean(v * )")
        expect(page.locator("[data-field=expression] .wrong")).to_contain_text("expression")
        page.fill("[name=expression]", "sum(v)")
        expect(page.locator(".wrong")).to_have_count(0)


def test_a_net_of_the_wall_is_opened_in_the_playground(served: Served, browser: Browser) -> None:
    with served.page(browser, "/wall#side=4&toy=quadratic") as page:
        ready(page, "[data-wall]")
        for _ in range(3):
            page.get_by_role("button", name="One epoch forward").click()
        at(page, -10)
        step, _ = place(page)
        wall = page.locator("[data-wall]")
        wall.focus()
        wall.press("ArrowRight")
        wall.press("ArrowDown")
        said = page.locator("[data-selected]").inner_text()
        wall.press(" ")
        expect(page.locator("[data-compared] figcaption").first).to_contain_text(said[:12])
        page.select_option("[name=click]", "mark")  # for fingers, which have no Shift key
        wall.click(position={"x": 700, "y": 80})
        said = page.locator("[data-selected]").inner_text()
        expect(page.locator("[data-compared] figcaption").nth(1)).to_contain_text(said[:12])
        wall.press("Enter")
        page.wait_for_url("**/playground*")
        ready(page)
        at(page, step)
        label = said.partition(":")[0]
        widths = re.findall(r"\d+", label.split()[0])[1:-1]
        fields = page.locator(".widths input").evaluate_all("all => all.map(each => each.value)")
        assert fields == widths
        rate = float(re.search(r"lr=([\d.e-]+)", label)[1])  # type: ignore[index]
        shown = float(page.locator("[data-field=lr] output").inner_text())
        assert shown == pytest.approx(rate, rel=0.02)


def test_points_are_drawn_and_learned(served: Served, browser: Browser) -> None:
    with served.page(browser, "/playground") as page:
        ready(page)
        page.select_option("[name=toy]", "drawn")
        canvas = page.locator("[data-plot]")
        for x, y in ((100, 60), (120, 90), (140, 70), (150, 100)):
            canvas.click(position={"x": x, "y": y})
        page.get_by_label("class 2").check()
        for x, y in ((300, 300), (320, 330), (340, 310), (350, 340)):
            canvas.click(position={"x": x, "y": y})
        until(page, "document.querySelector('[data-net]') !== null")
        page.get_by_role("button", name="Play").click()
        until(page, "Number(document.querySelector('[data-number=train]').textContent) < 0.3")
        assert "drawn=" in page.url


def test_columns_of_a_table_are_learned_in_the_playground(served: Served, browser: Browser) -> None:
    with served.page(browser, "/playground") as page:
        ready(page)
        page.select_option("[name=toy]", "table")
        page.set_input_files("[data-file]", str(PENGUINS))
        page.wait_for_selector("[data-columns]:not([hidden])")
        page.select_option("[data-column=x]", "bill_length_mm")
        page.select_option("[data-column=y]", "bill_depth_mm")
        page.select_option("[data-column=color]", "species")
        page.get_by_role("button", name="Play").click()
        until(page, "Number(document.querySelector('[data-number=train]').textContent) < 0.2")
        assert "color=species" in page.url


def test_a_layer_that_cannot_be_is_refused_where_it_stands(
    served: Served, browser: Browser
) -> None:
    with served.page(browser, "/playground") as page:
        ready(page)
        page.locator(".widths input").first.fill("0")
        page.locator(".widths input").first.blur()
        expect(page.locator("[data-field=hidden] .wrong")).to_contain_text("1 to 256 neurons")
        page.locator(".widths input").first.fill("3")
        page.locator(".widths input").first.blur()
        expect(page.locator(".wrong")).to_have_count(0)


def test_racers_race_and_the_map_is_trained_where_one_looks(
    served: Served, browser: Browser
) -> None:
    with served.page(browser, "/race") as page:
        ready(page, "[data-race]")
        page.get_by_role("button", name="Play").click()
        at(page, -60)
        expect(page.locator("[data-lanes] li")).to_have_count(5)
        page.get_by_label("AdamW", exact=True).check()
        expect(page.locator("[data-lanes] li")).to_have_count(6)
    with served.page(browser, "/map") as page:
        ready(page, "[data-map]")
        page.get_by_role("button", name="Zoom in").click()
        until(page, "location.hash.includes('view=')")
        page.locator("[data-map]").press("ArrowLeft")
        until(
            page,
            "parseInt(document.querySelector('[data-count]').textContent.replace(',', '')) > 9000",
        )


def test_penguins_are_fitted_from_a_file_and_the_model_is_taken_away(
    served: Served, browser: Browser, tmp_path: Path
) -> None:
    with served.page(browser, "/table") as page:
        page.set_input_files("[data-file]", str(PENGUINS))
        page.wait_for_selector("[data-known]:not([hidden])")
        expect(page.locator("[data-state]")).to_contain_text("344 rows, 7 columns")
        page.select_option("[name=target]", "species")
        page.select_option("[name=time_limit]", "10")
        page.get_by_role("button", name="Fit").click()
        page.wait_for_selector("[data-leaders] li", timeout=60_000)
        page.wait_for_selector("[data-get=model]", timeout=120_000)
        with page.expect_download() as download:
            page.locator("[data-get=model]").click()
        path = tmp_path / "penguins.slalom"
        download.value.save_as(path)
        assert len(slalom.Predictor.load(path).predict_proba(pd.read_csv(PENGUINS))) == 344
        page.set_input_files("[data-predict]", str(PENGUINS))
        page.wait_for_selector("[data-get=predictions]")
        address = page.url
    with served.page(browser, address.removeprefix(served.base)) as page:  # and it is there again
        page.wait_for_selector("[data-get=model]")


def test_a_training_goes_on_when_its_page_is_closed_and_is_there_when_it_is_opened(
    served: Served, browser: Browser, store: Path
) -> None:
    net, data = slalom.MLP(1, 64, 64, 1), slalom.toys.sine(2000)
    slalom.train(net, data, steps=3000, time_limit=0.1, record="epoch", store=store, name="half")
    with served.page(browser, "/runs/half") as page:
        page.get_by_role("button", name="Go on").click()
        until(page, "!document.querySelector('[data-stop]').hidden")
    with served.page(browser, "/runs/half") as page:
        expect(page.locator("[data-state]")).to_have_text("done", timeout=60_000)
    assert int(slalom.open_run("half", store).state.step[0]) == 3000
    with served.page(browser, "/runs") as page:
        row = page.locator("tr", has_text="half")
        row.get_by_role("button", name="Remove").click()
        row.get_by_role("button", name="Yes, remove it").click()
        expect(page.locator("tr", has_text="half")).to_have_count(0)
    assert not (store / "half").exists()


def test_another_fit_begins_with_an_empty_page(
    served: Served, browser: Browser, tmp_path: Path
) -> None:
    with served.page(browser, "/table") as page:
        page.set_input_files("[data-file]", str(PENGUINS))
        for target in ("species", "island"):
            page.select_option("[name=target]", target)
            page.select_option("[name=time_limit]", "10")
            expect(page.locator("[data-result]")).to_be_hidden()
            page.locator("[data-fit]").click()
            expect(page.locator("[data-leaders] li")).to_have_count(0)
            page.locator("[data-leaders] li").first.wait_for(timeout=60_000)
            page.locator("[data-stop]").click()
            expect(page.locator("[data-going]")).to_be_hidden(timeout=60_000)
            expect(page.locator("[data-result] table")).to_have_count(0)


MOONS = {"toy": "moons", "n": 100, "noise": 0.2, "seed": 1, "held_out": 0.3}


def test_five_people_train_at_once_and_each_sees_their_own(
    served: Served, browser: Browser
) -> None:
    pages, contexts = [], []
    for seed in range(5):
        context = browser.new_context()
        page = context.new_page()
        page.goto(served.link)
        page.goto(f"{served.base}/playground#seed={seed}&toy=moons")
        ready(page)
        page.get_by_role("button", name="Play").click()
        pages.append(page)
        contexts.append(context)
    for page in pages:
        at(page, -60)
    for seed, page in enumerate(pages):
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Play").wait_for()
        page.get_by_role("slider", name="Step", exact=True).fill("50")
        at(page, 50)
        run = slalom.train(
            slalom.MLP(2, 8, 8, 2, activation="tanh"),
            wanted({"data": MOONS}).dataset,
            optimizer=slalom.Adam(0.01), batch_size=16, seed=seed, steps=50, record="step",
        )  # fmt: skip
        expected = run.history["train_loss"].iloc[-1]
        shown = float(page.locator("[data-number=train]").inner_text())
        assert shown == pytest.approx(expected, rel=0.01)
    for context in contexts:
        context.close()


def test_a_studio_that_was_killed_starts_again_with_the_same_runs(
    browser: Browser, store: Path
) -> None:
    first = Served(store)
    with first.page(browser, "/runs") as page:
        page.wait_for_selector("tbody a")
        names = page.locator("tbody a").all_inner_texts()
    first.kill()
    first.close()
    again = Served(store)
    with again.page(browser, "/runs") as page:
        page.wait_for_selector("tbody a")
        assert "sine" in names
        assert page.locator("tbody a").all_inner_texts() == names
    again.close()


def test_without_the_cookie_there_is_nothing(served: Served, browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        answer = page.goto(served.base + "/playground")
        assert answer is not None and answer.status == 403
        assert "link that the terminal printed" in page.content()
