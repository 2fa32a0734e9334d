"""The runs of the store: list, open, compare, resume, remove, download."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote
from zipfile import ZipFile

import numpy as np
import pandas as pd
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from slalom.core.errors import BadPlan, SlalomError
from slalom.core.finite import finite
from slalom.core.language import tr
from slalom.runs.eject import eject_member
from slalom.runs.facts import differences, facts
from slalom.runs.folder import RunFolder
from slalom.runs.listing import rows
from slalom.runs.store import Store
from slalom.studio.office import office
from slalom.studio.pages import language_of, page
from slalom.studio.tables import answered
from slalom.studio.words import words

FILES = {"model": "model.slalom", "report": "report.html"}  # what may be fetched of a run
# A report runs no script and has its own style: it is shown as a page of nobody's.
REPORT = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
MOST_COMPARED = 20
CURVES, POINTS = 8, 300  # members whose curves are drawn, points of each


def runs_page(request: Request) -> Response:
    """All runs, the newest first."""
    return page(request, "runs", words(language_of(request))["runs"])


def run_page(request: Request) -> Response:
    """One run."""
    try:
        folder = office(request).run(request.path_params["run"])
    except SlalomError as error:
        return PlainTextResponse(f"{error}\n", 404)
    return page(request, "run", folder.name, told={"run": folder.name})


@answered
async def listed(request: Request) -> Any:
    """One object a run, the newest first; `COLUMNS` of `slalom.runs.listing` by name."""
    found = await run_in_threadpool(rows, office(request).store)
    return finite(found[::-1])


@answered
async def told(request: Request) -> Any:
    """What is known of a run: facts, result, leaderboard, curves, files, who trains it here."""
    shared = office(request)
    folder = await run_in_threadpool(shared.run, request.path_params["run"])
    workers = shared.workers.of_runs()
    return await run_in_threadpool(lambda: {**_told(folder), "worker": workers.get(folder.name)})


@answered
async def compared(request: Request) -> Any:
    """In what some runs differ: `run` is given once for each."""
    shared = office(request)
    names = list(dict.fromkeys(request.query_params.getlist("run")))
    if not 2 <= len(names) <= MOST_COMPARED:
        raise BadPlan(tr("Mark 2 to {most} runs.", most=MOST_COMPARED))
    table = await run_in_threadpool(lambda: differences([shared.run(name) for name in names]))
    return {"columns": list(table.columns), "rows": table.astype(str).values.tolist()}


@answered
async def remove(request: Request) -> Any:
    """Remove a run and all that it left, for good."""
    shared = office(request)
    folder = await run_in_threadpool(shared.run, request.path_params["run"])
    await run_in_threadpool(Store(shared.store).remove, folder.path)
    return {}


def script(request: Request) -> Response:
    """The best member as a plain PyTorch script with its rows, both in a zip; see `eject`."""
    try:
        folder = office(request).run(request.path_params["run"])
        board = _leaderboard(folder)
        if board is None:
            raise BadPlan("The run has no such file yet.")
        packed = _ejected(folder, int(board["member"].iloc[0]))
    except SlalomError as error:
        return PlainTextResponse(f"{error}\n", 404)
    named = {"Content-Disposition": f"attachment; filename*=utf-8''{quote(folder.name)}.zip"}
    return Response(packed, media_type="application/zip", headers=named)


def _ejected(folder: RunFolder, member: int) -> bytes:
    packed = io.BytesIO()
    with TemporaryDirectory() as place, ZipFile(packed, "w") as whole:
        path = eject_member(folder.plan(), folder.dataset(), member, Path(place, "train.py"))
        for each in (path, path.with_suffix(".npz")):
            whole.write(each, each.name)
    return packed.getvalue()


def file(request: Request) -> Response:
    """A file of a run, by its kind."""
    kind = request.path_params["file"]
    try:
        folder = office(request).run(request.path_params["run"])
        path = folder.path / FILES[kind]
    except (SlalomError, KeyError):
        return PlainTextResponse("There is no such file.\n", 404)
    if not path.is_file() or path.is_symlink():
        return PlainTextResponse("The run has no such file yet.\n", 404)
    if kind == "report":
        return FileResponse(path, headers={"Content-Security-Policy": REPORT})
    return FileResponse(path, filename=f"{folder.name}.slalom")


def _told(folder: RunFolder) -> dict[str, Any]:
    status = folder.status
    board = _leaderboard(folder)
    told: dict[str, Any] = finite(
        {
            "status": status.get("status"),
            "resumable": _resumable(folder, status),
            "result": status.get("result"),
            "facts": facts(folder).values.tolist(),
            "board": [] if board is None else _board(board),
            "curves": _curves(folder.path, board),
            "files": [kind for kind, name in FILES.items() if (folder.path / name).is_file()],
        }
    )
    return told


def _leaderboard(folder: RunFolder) -> pd.DataFrame | None:
    """The members, the best first; None while there is none."""
    board = folder.leaderboard()
    if board is not None and (board.empty or not {"member", "optimizer"} <= set(board.columns)):
        raise BadPlan(tr("The leaderboard of the run is damaged."))
    return board


def _resumable(folder: RunFolder, status: dict[str, Any]) -> bool:
    """Whether there is something left to do; a fit that was stopped while it was scored, too."""
    if folder.about.get("kind") == "fit" and "score" not in status:
        return status.get("status") != "running"
    return status.get("status") in ("interrupted", "killed", "not begun")


def _board(board: pd.DataFrame) -> list[dict[str, str]]:
    """The best members, as text."""
    best = board.head(10).dropna(axis=1, how="all").drop(columns=["lr"], errors="ignore")
    shown = {
        name: [f"{v:.4g}" if isinstance(v, float) else str(v) for v in best[name]]
        for name in best.columns
    }
    return [dict(zip(shown, row, strict=True)) for row in zip(*shown.values(), strict=True)]


def _curves(path: Path, board: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The losses of the best members on the way."""
    kept = path / "history.parquet"
    if board is None or not kept.is_file():
        return []
    history = pd.read_parquet(kept, columns=["member", "step", "train_loss", "validation_loss"])
    found = []
    for member in board["member"].head(CURVES):
        own = history[history["member"] == member]
        chosen = own.iloc[np.linspace(0, len(own) - 1, min(POINTS, len(own))).astype(int)]
        losses = chosen["validation_loss"]
        if not np.isfinite(losses).any():
            losses = chosen["train_loss"]
        found.append(
            {
                "member": int(member),
                "label": str(board.loc[board["member"] == member, "optimizer"].iloc[0]),
                "step": chosen["step"].tolist(),
                "loss": losses.astype(float).tolist(),
            }
        )
    return found
