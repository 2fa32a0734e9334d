"""Lessons with parameters that are moved: the page, its text at some values, and its pictures."""

from typing import Any

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from slalom import lessons
from slalom.core.errors import BadPlan
from slalom.core.language import language
from slalom.lessons.lesson import Choice, Lesson, Number, Parameter, Whole
from slalom.lessons.page import Link, Shown, body
from slalom.studio.office import office
from slalom.studio.opened import open_lesson
from slalom.studio.pages import language_of, page
from slalom.studio.words import words


def lesson_page(request: Request) -> Response:
    """The page of a lesson, whose text comes when it is made."""
    try:
        lesson = lessons.get(request.path_params["name"])
    except BadPlan as error:
        return PlainTextResponse(f"{error}\n", 404)
    lang = language_of(request)
    place = lessons.NAMES.index(lesson.name)
    return page(
        request,
        "lesson",
        lessons.title(lesson.name, lang),
        which=words(lang)["which"].format(place + 1, lessons.minutes(lesson.name)),
        lesson=lesson,
        kinds={each.name: kind_of(each) for each in lesson.parameters},
        before=_neighbour(place - 1, lang),
        after=_neighbour(place + 1, lang),
        told={
            "lesson": lesson.name,
            "parameters": {each.name: _told(each) for each in lesson.parameters},
        },
    )


async def lesson_body(request: Request) -> Response:
    """What a lesson says at some values: prose, code and exercises as HTML.

    A value that it cannot have is no fault of the page, but what somebody is typing: the answer is
    JSON then, with a sentence.
    """
    async with office(request).lessons:
        return await run_in_threadpool(_body, request)


def _body(request: Request) -> Response:
    lang = language_of(request)
    try:
        with language(lang):
            opened = open_lesson(*_asked(request), lang)
    except BadPlan as error:
        return JSONResponse({"error": str(error), "setting": _setting(error, request)})
    query = str(request.query_params).replace("{", "%7B").replace("}", "%7D")
    name = opened.made.lesson.name
    address = f"/lessons/{name}/figures/{{figure}}/{{moment}}?{query}"

    def source(figure: str) -> Shown:
        return opened.shown(figure, address)

    with language(lang):
        return HTMLResponse(_without_title(body(opened.made, lang, source)))


async def lesson_figure(request: Request) -> Response:
    """One image of a lesson at some values."""
    async with office(request).lessons:
        return await run_in_threadpool(_figure, request)


def _figure(request: Request) -> Response:
    lang, asked = language_of(request), request.path_params
    try:
        with language(lang):
            opened = open_lesson(*_asked(request), lang)
            image = opened.drawing(asked["figure"]).image(asked["moment"])
    except BadPlan as error:
        return PlainTextResponse(f"{error}\n", 404)
    # The address holds all that the image depends on.
    return Response(image, media_type="image/webp", headers={"Cache-Control": "private"})


def kind_of(parameter: Parameter) -> str:
    """How a parameter is moved."""
    if isinstance(parameter, Number | Whole):
        return "range"
    return "choice" if isinstance(parameter, Choice) else "text"


def _told(parameter: Parameter) -> dict[str, Any]:
    told: dict[str, Any] = {"default": parameter.default, "kind": kind_of(parameter)}
    if isinstance(parameter, Number | Whole):
        told |= {"low": parameter.low, "high": parameter.high}
        told |= {"log": isinstance(parameter, Number) and parameter.log}
        told |= {"whole": isinstance(parameter, Whole)}
    return told


def _asked(request: Request) -> tuple[Lesson, dict[str, str]]:
    given = {name: value for name, value in request.query_params.items() if name != "lang"}
    return lessons.get(request.path_params["name"]), given


def _setting(error: BadPlan, request: Request) -> str:
    """Which parameter a refusal speaks of: it begins with its name."""
    return next((name for name in request.query_params if str(error).startswith(name)), "")


def _neighbour(place: int, lang: str) -> Link | None:
    if not 0 <= place < len(lessons.NAMES):
        return None
    name = lessons.NAMES[place]
    return Link(f"/lessons/{name}", lessons.title(name, lang))


def _without_title(text: Markup) -> Markup:
    """The page has a title already, which stands while the text is made."""
    before, _, after = text.partition("<h1>")
    return Markup(before + after.partition("</h1>")[2])
