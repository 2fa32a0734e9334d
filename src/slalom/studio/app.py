"""The studio as an ASGI app: which address is which page, behind the guard."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.resources import files
from inspect import iscoroutinefunction
from pathlib import Path
from threading import Thread
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from slalom.runs.listing import place
from slalom.studio import tables
from slalom.studio.guard import Guard
from slalom.studio.home import home, lesson_thumbnail
from slalom.studio.later import load
from slalom.studio.memory import release
from slalom.studio.office import Office
from slalom.studio.pages import language_of, page
from slalom.studio.tables import MOST_ASKED, Endpoint
from slalom.studio.uploads import MOST_BYTES
from slalom.studio.words import words

MOST_SOCKETS = 32  # pages that are open at once; each may hold 100 MB
KINDS = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


def studio(hosts: Iterable[str], token: str, store: str | Path | None = None) -> ASGIApp:
    """The app.

    Args:
        hosts: how it may be called, with the port.
        token: what opens it.
        store: the folder of the runs; that of the command line when not given.
    """
    shared = Office(place(store).resolve())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        Thread(target=shared.desk, daemon=True).start()  # loads what the first page will need
        await run_in_threadpool(shared.tidy)
        yield
        shared.thumbnails.stop()
        await run_in_threadpool(shared.workers.stop)

    app = Starlette(routes=routes(), lifespan=lifespan)
    app.state.office = shared
    return Guard(app, hosts, token)


def routes() -> list[BaseRoute]:
    """All addresses that there are."""
    tools = ("playground", "wall", "race", "map", "table")
    return [
        Route("/", home),
        Route("/lessons/{name}", later("lesson_pages", "lesson_page")),
        Route("/lessons/{name}/body", later("lesson_pages", "lesson_body")),
        Route("/lessons/{name}/thumbnail", lesson_thumbnail),
        Route(
            "/lessons/{name}/figures/{figure}/{moment:int}", later("lesson_pages", "lesson_figure")
        ),
        *(Route(f"/{name}", tool(name)) for name in tools),
        Route("/tables", tables.send, methods=["PUT"], max_body_size=MOST_BYTES),
        Route("/tables/{table}", tables.inspect),
        Route("/tables/{table}/predictions", tables.predictions),
        post("/fits", tables.fit),
        Route("/workers/{worker}", tables.worker),
        post("/workers/{worker}/stop", tables.stop),
        Route("/runs", later("run_pages", "runs_page")),
        Route("/runs.json", later("run_pages", "listed")),
        Route("/runs/{run}", later("run_pages", "run_page")),
        Route("/runs/{run}/told", later("run_pages", "told")),
        Route("/runs/{run}/script", later("run_pages", "script")),
        Route("/runs/{run}/files/{file}", later("run_pages", "file")),
        post("/runs/{run}/resume", tables.resume),
        post("/runs/{run}/predict", tables.predict),
        post("/runs/{run}/remove", later("run_pages", "remove")),
        Route("/differences", later("run_pages", "compared")),
        Route("/static/{name}", static),
        WebSocketRoute("/live", live),
    ]


def later(module: str, name: str) -> Endpoint:
    """An endpoint whose module is loaded when it is first asked for; see `slalom.studio.later`."""

    async def endpoint(request: Request) -> Response:
        act = getattr(await run_in_threadpool(load, module), name)
        answer: Response = await (
            act(request) if iscoroutinefunction(act) else run_in_threadpool(act, request)
        )
        return answer

    return endpoint


def post(path: str, endpoint: Endpoint) -> Route:
    """An address that changes something, and is told little."""
    return Route(path, endpoint, methods=["POST"], max_body_size=MOST_ASKED)


def tool(name: str) -> Any:
    """A page whose template, script and title are called alike."""

    async def shown(request: Request) -> Response:
        return page(request, name, words(language_of(request))[name])

    return shown


async def live(socket: WebSocket) -> None:
    """The socket of one page: a message, an answer, in turn."""
    shared: Office = socket.app.state.office
    if shared.sockets >= MOST_SOCKETS:
        await socket.close(1013)  # try again later
        return
    shared.sockets += 1
    desk = None
    try:
        await socket.accept()
        desk = await run_in_threadpool(shared.desk)
        while "text" in (message := await socket.receive()):
            answer = await run_in_threadpool(desk.answer, message["text"] or "")
            await socket.send_bytes(answer)
    except WebSocketDisconnect:
        pass
    finally:
        shared.sockets -= 1
        desk = None
        await run_in_threadpool(release)


def _own_files() -> dict[str, bytes]:
    """Scripts and styles by name: names are looked up here and never become paths."""
    own = files("slalom.studio") / "static"
    of_lessons = files("slalom.lessons")
    found = {Path(each.name).name: each.read_bytes() for each in own.iterdir() if each.is_file()}
    return found | {name: (of_lessons / name).read_bytes() for name in ("player.js", "gallery.css")}


STATIC = _own_files()


async def static(request: Request) -> Response:
    """A script, a style or an icon of ours."""
    name = request.path_params["name"]
    kind = KINDS.get(name.rpartition(".")[2])
    if name not in STATIC or kind is None:
        return PlainTextResponse("There is no such file.\n", 404)
    return Response(STATIC[name], media_type=kind)
