"""Pages say what they should, in both languages, and hold nothing that was not put there."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from slalom import lessons
from slalom.studio.app import studio
from slalom.studio.opened import open_lesson
from tests.studio.asgi import COOKIE, HOST, TOKEN, Answer, ask

STUDIO = Path(__file__).parents[2] / "src" / "slalom" / "studio"
WORDS = tomllib.loads((STUDIO / "words.toml").read_text(encoding="utf-8"))
TOOLS = ("playground", "wall", "race", "map")


@pytest.fixture(scope="module")
def app() -> Any:
    return studio([HOST], TOKEN)


def get(app: Any, path: str, query: str = "") -> Answer:
    return ask(app, path, [("host", HOST), COOKIE], query=query)


def test_every_phrase_is_there_in_both_languages_and_used_somewhere() -> None:
    files = [*STUDIO.rglob("*.py"), *STUDIO.rglob("*.j2"), *STUDIO.rglob("*.js")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    for name, said in WORDS.items():
        assert set(said) == {"en", "zh"}, name
        assert re.search(r"[\u4e00-\u9fff]", said["zh"]), name
        asked = re.search(rf"(words\.|\[\"){name}\b", text) or name in (*TOOLS, "table", "runs")
        assert asked or name.startswith(("toy_", "status_", "phase_")) or name.endswith("_what"), (
            name
        )


def test_no_script_asks_for_a_phrase_that_is_not_there() -> None:
    for path in (*STUDIO.rglob("*.js"), *STUDIO.rglob("*.j2")):
        for name in re.findall(r"\bwords\.(\w+)", path.read_text(encoding="utf-8")):
            assert name in WORDS, (path.name, name)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("page", ["", *TOOLS, "lessons/regression"])
def test_a_page_is_in_the_language_that_is_asked_for_and_links_to_itself_in_the_other(
    app: Any, page: str, lang: str
) -> None:
    answer = get(app, f"/{page}", f"lang={lang}&lr=0.5")
    assert answer.status == 200
    text = answer.body.decode()
    assert f'<html lang="{"en" if lang == "en" else "zh-Hans"}"' in text
    other = "zh" if lang == "en" else "en"
    assert f'href="/{page}?lr=0.5&amp;lang={other}"' in text
    assert WORDS["playground"][lang] in text
    assert "built-in" not in text and "undefined" not in text.lower()


@pytest.mark.parametrize(
    ("preferred", "query", "tag", "link"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh-Hans", "/wall"),
        ("de-DE, de, zh-TW", "", "zh-Hans", "/wall"),
        ("en-GB,zh", "lang=zh", "zh-Hans", "/wall?lang=zh"),
        ("zh", "lang=en", "en", "/wall?lang=en"),
        ("fr,*;q=0.5", "", "en", "/wall"),
    ],
)
def test_where_no_language_is_asked_for_it_is_that_of_the_browser(
    app: Any, preferred: str, query: str, tag: str, link: str
) -> None:
    headers = [("host", HOST), COOKIE, ("accept-language", preferred)]
    text = ask(app, "/", headers, query=query).body.decode()
    assert f'<html lang="{tag}"' in text and f'href="{link}"' in text


def test_what_a_link_says_cannot_become_part_of_a_page(app: Any) -> None:
    attack = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    for page in ("", "wall", "lessons/regression"):
        text = get(app, f"/{page}", f"lr={attack}&{attack}=1&lang={attack}").body.decode()
        assert "<script>alert" not in text
    answer = get(app, "/lessons/autograd/body", f"expression={attack}")
    assert "json" in answer.headers["content-type"]


def test_a_lesson_follows_its_parameters(app: Any) -> None:
    text = get(app, "/lessons/regression/body", "lr=0.5&steps=20").body.decode()
    plain = re.sub("<[^>]+>", "", text)
    assert "lr = 0.5" in plain and "steps = 20" in plain
    assert re.search(r"/lessons/regression/figures/losses/0\?lr=0.5&amp;steps=20", text)


def test_a_wrong_parameter_is_named(app: Any) -> None:
    answer = get(app, "/lessons/regression/body", "lr=1000")
    said = json.loads(answer.body)
    assert said["setting"] == "lr" and "from 1e-05 to 100" in said["error"]
    assert (
        "没有参数" in json.loads(get(app, "/lessons/regression/body", "x=1&lang=zh").body)["error"]
    )


def test_a_film_has_as_many_moments_as_its_page_says(app: Any) -> None:
    query = "steps=5&points=10"
    text = get(app, "/lessons/regression/body", query).body.decode()
    moments = {int(k) for k in re.findall(r"/figures/film/(\d+)\?", text)}
    last = get(app, f"/lessons/regression/figures/film/{max(moments)}", query)
    assert last.body[:4] == b"RIFF" and last.headers["content-type"] == "image/webp"
    assert get(app, f"/lessons/regression/figures/film/{max(moments) + 1}", query).status == 404
    assert get(app, "/lessons/regression/figures/no-such/0", query).status == 404
    assert get(app, "/lessons/no-such").status == 404


@pytest.mark.slow
def test_a_lesson_that_was_opened_is_not_made_again() -> None:
    lesson = lessons.get("tensors")
    first = open_lesson(lesson, {}, "en")
    assert open_lesson(lesson, {}, "en") is first
    assert open_lesson(lesson, {}, "zh") is not first
