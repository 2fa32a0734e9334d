"""Your table: send it, see what is made of it, fit it, predict with what came out."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from slalom.core.errors import BadPlan, SlalomError
from slalom.core.language import language, tr
from slalom.studio.office import Office, office
from slalom.studio.pages import language_of
from slalom.studio.uploads import FOLDER
from slalom.studio.workers import Worker

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
MOST_ASKED = 2**16  # bytes of what a page says with a request


def answered(act: Callable[[Request], Awaitable[Any]]) -> Endpoint:
    """An endpoint that answers with JSON: what `act` gives, or what was wrong, in a sentence."""

    async def endpoint(request: Request) -> Response:
        try:
            with language(language_of(request)):
                found = await act(request)
        except OSError as error:  # a SlalomError may be one
            said = str(error) if isinstance(error, SlalomError) else error.strerror
            return JSONResponse({"error": _without(request, str(said)), "setting": ""}, 400)
        except SlalomError as error:
            return JSONResponse({"error": _without(request, str(error)), "setting": ""}, 400)
        return found if isinstance(found, Response) else JSONResponse(found)

    return endpoint


def _without(request: Request, text: str) -> str:
    """A sentence that does not say where on this machine the store lies."""
    plain = text.replace(f"{office(request).store}/", "")
    return re.sub(rf"{re.escape(FOLDER)}/[0-9a-f]{{32}}/", "", plain)


@answered
async def send(request: Request) -> Any:
    """A table, as the body of the request; its name is in the address."""
    name = request.query_params.get("name", "")
    uploads = office(request).uploads
    identifier = await uploads.take(request, name)
    return {"table": identifier, "name": uploads.find(identifier).name}


@answered
async def inspect(request: Request) -> Any:
    """What a table holds and what would be made of it."""
    shared = office(request)
    return await _read(shared, shared.uploads.find(request.path_params["table"]))


@answered
async def fit(request: Request) -> Any:
    """Begin a fit; the answer names the worker."""
    asked = await _asked(request)
    shared = office(request)
    path = shared.uploads.find(str(asked.get("table")))
    await _read(shared, path)  # within its limits, before anything is trained
    limit = asked.get("time_limit")
    if limit is not None and not (isinstance(limit, int | float) and 1 <= limit <= 86_400):
        raise BadPlan(tr("The time lies from a second to a day."))
    work: dict[str, Any] = {"do": "fit", "table": str(path), "target": str(asked.get("target"))}
    work |= {"store": str(shared.store), "time_limit": limit}
    work |= {name: _words(asked.get(name), name) for name in ("drop", "missing")}
    return {"worker": shared.workers.begin(work)}


@answered
async def worker(request: Request) -> Any:
    """What a worker has said so far."""
    found = office(request).workers.find(request.path_params["worker"])
    return {**found.said, "over": found.over.is_set()}


@answered
async def stop(request: Request) -> Any:
    """Let a worker end; what it has reached is kept."""
    office(request).workers.find(request.path_params["worker"]).stop()
    return {}


@answered
async def resume(request: Request) -> Any:
    """Go on with a run; the answer names the worker."""
    shared = office(request)
    folder = await run_in_threadpool(shared.run, request.path_params["run"])
    return {"worker": shared.workers.begin({"do": "resume", "run": str(folder.path)})}


@answered
async def predict(request: Request) -> Any:
    """Predict a table with the model of a run."""
    asked, shared = await _asked(request), office(request)
    folder = await run_in_threadpool(shared.run, request.path_params["run"])
    model = folder.path / "model.slalom"
    if not model.is_file() or model.is_symlink():
        raise BadPlan(tr("The run has no model yet."))
    table = str(asked.get("table"))
    path, out = shared.uploads.find(table), shared.uploads.predictions(table)
    return await _waited(
        shared, {"do": "predict", "model": str(model), "table": str(path), "out": str(out)}
    )


@answered
async def predictions(request: Request) -> Any:
    """The predictions of a table, as a file."""
    path = office(request).uploads.predictions(request.path_params["table"])
    if not path.is_file():
        raise BadPlan(tr("There are no predictions for that table yet."))
    return FileResponse(path, filename=path.name, media_type="text/csv")


async def _read(shared: Office, path: Path) -> Any:
    """What is known of a table, which is read once."""
    if path not in shared.known:
        shared.known[path] = await _waited(shared, {"do": "inspect", "table": str(path)})
    return shared.known[path]


async def _waited(shared: Office, asked: dict[str, Any]) -> Any:
    """What a worker comes to, a few at a time."""
    async with shared.reading:
        return await run_in_threadpool(lambda: Worker(asked).result())


async def _asked(request: Request) -> dict[str, Any]:
    """What a page says with its request."""
    try:
        found = await request.json()
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadPlan(tr("A request to the studio is a JSON object."))
    return found


def _words(value: Any, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise BadPlan(tr("{name} must be a list of words.", name=name))
    return value
