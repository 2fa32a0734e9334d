"""The studio as an ASGI app: which address is which page, behind the guard."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from slalom import lessons
from slalom.studio.desk import Desk
from slalom.studio.guard import Guard
from slalom.studio.lesson_pages import lesson_body, lesson_figure, lesson_page
from slalom.studio.pages import language_of, page
from slalom.studio.words import words

KINDS = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


def studio(hosts: Iterable[str], token: str) -> ASGIApp:
    """The app.

    Args:
        hosts: how it may be called, with the port.
        token: what opens it.
    """
    return Guard(Starlette(routes=routes()), hosts, token)


def routes() -> list[BaseRoute]:
    """All addresses that there are."""
    return [
        Route("/", home),
        Route("/lessons/{name}", lesson_page),
        Route("/lessons/{name}/body", lesson_body),
        Route("/lessons/{name}/figures/{figure}/{moment:int}", lesson_figure),
        *(Route(f"/{name}", tool(name)) for name in ("playground", "wall", "race", "map")),
        Route("/static/{name}", static),
        WebSocketRoute("/live", live),
    ]


def home(request: Request) -> Response:
    """Lessons, tools, recent runs."""
    lang = language_of(request)
    cards = [(name, lessons.title(name, lang)) for name in lessons.NAMES]
    answer: Response = page(request, "home", words(lang)["home"], cards=cards)
    return answer


def tool(name: str) -> Any:
    """A page whose template, script and title are called alike."""

    def shown(request: Request) -> Response:
        answer: Response = page(request, name, words(language_of(request))[name])
        return answer

    return shown


async def live(socket: WebSocket) -> None:
    """The socket of one page: a message, an answer, in turn."""
    await socket.accept()
    desk = Desk()
    try:
        while True:
            text = await socket.receive_text()
            await socket.send_bytes(await run_in_threadpool(desk.answer, text))
    except WebSocketDisconnect:
        pass


def _own_files() -> dict[str, bytes]:
    """Scripts and styles by name: names are looked up here and never become paths."""
    own = files("slalom.studio") / "static"
    of_lessons = files("slalom.lessons")
    found = {Path(each.name).name: each.read_bytes() for each in own.iterdir() if each.is_file()}
    return found | {name: (of_lessons / name).read_bytes() for name in ("player.js", "gallery.css")}


STATIC = _own_files()


def static(request: Request) -> Response:
    """A script, a style or an icon of ours."""
    name = request.path_params["name"]
    kind = KINDS.get(name.rpartition(".")[2])
    if name not in STATIC or kind is None:
        return PlainTextResponse("There is no such file.\n", 404)
    return Response(STATIC[name], media_type=kind)
