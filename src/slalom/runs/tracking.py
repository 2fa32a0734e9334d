"""Telling other trackers of a run: one run of theirs for a population, its members as a table.

A run a member would be what they were made for, and choke on: a population has thousands. So they
get how the members are spread at each epoch, the curve of the best one, and the leaderboard.
"""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slalom.core.errors import BadRun, MissingExtra
from slalom.plan import Plan
from slalom.runs.folder import RunFolder
from slalom.runs.run import Run

SHOWN = 100  # members in the table of TensorBoard, which is text
_BATCH = 1000  # numbers that MLflow takes at once
_QUARTILES = {0.25: "lower quartile", 0.5: "median", 0.75: "upper quartile"}


def to_tensorboard(run: Run | RunFolder, folder: str | Path) -> Path:
    """Write a run for TensorBoard, which shows it with `tensorboard --logdir FOLDER`.

    Args:
        run: in the memory, or its folder; it must have ended.
        folder: where the events go, one folder a run.

    Returns:
        The folder.

    Raises:
        MissingExtra: without the extra `tensorboard`.
        BadRun: when the run has not ended.

    Example:
        >>> import slalom
        >>> from tempfile import mkdtemp
        >>> run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100), steps=5)
        >>> [path.name.split(".")[0] for path in to_tensorboard(run, mkdtemp()).iterdir()]
        ['events']
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtra("Writing for TensorBoard", "tensorboard") from error
    told = _told(run)
    board = told.leaderboard.head(SHOWN)
    shown = f"The best {len(board)} of {len(told.leaderboard):,} members.\n\n"
    with SummaryWriter(str(folder)) as writer:
        writer.add_text("members", shown + _markdown(board))
        writer.add_text("plan", "\n".join(f"- {k}: {v}" for k, v in told.parameters.items()))
        for name, epoch, value in told.points():
            writer.add_scalar(name, value, epoch)
        for name, epoch, values in told.spreads():
            writer.add_histogram(f"members/{name}", values, epoch)
    return Path(folder)


def to_mlflow(run: Run | RunFolder, uri: str | None = None, experiment: str = "slalom") -> str:
    """Write a run as one of MLflow.

    Args:
        run: in the memory, or its folder; it must have ended.
        uri: of the tracking server or store; as `MLFLOW_TRACKING_URI` says when not given.
        experiment: which the run is put into.

    Returns:
        The identifier that MLflow gives it.

    Raises:
        MissingExtra: without the extra `mlflow`.
        BadRun: when the run has not ended, or MLflow cannot be reached.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nobody asked to call home
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # 7 take minutes
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        raise MissingExtra("Writing for MLflow", "mlflow") from error
    told = _told(run)
    try:
        return _log(told, MlflowClient(uri, uri), experiment)
    except (MlflowException, OSError) as error:
        why = str(error).partition("\n")[0]
        raise BadRun(f"MLflow could not be told of the run {told.name}: {why}") from error


def _log(told: "_Told", client: Any, experiment: str) -> str:
    from mlflow.entities import Metric, Param

    known = client.get_experiment_by_name(experiment)
    home = known.experiment_id if known else client.create_experiment(experiment)
    own = str(client.create_run(home, run_name=told.name).info.run_id)
    client.log_batch(own, params=[Param(k, str(v)) for k, v in told.parameters.items()])
    metrics = [Metric(name, value, 0, epoch) for name, epoch, value in told.points()]
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(own, metrics=metrics[start : start + _BATCH])
    with warnings.catch_warnings():  # of pandas, about how MLflow chooses columns
        warnings.simplefilter("ignore")
        client.log_table(own, told.leaderboard, "members.json")
    client.log_text(own, told.plan.dumps(), "plan.json")
    client.set_terminated(own)
    return own


@dataclass(frozen=True, eq=False)
class _Told:
    """What there is to tell of a run that has ended."""

    name: str
    plan: Plan
    history: pd.DataFrame
    leaderboard: pd.DataFrame

    @property
    def parameters(self) -> dict[str, Any]:
        """What holds for all members."""
        plan = {k: v for k, v in self.plan.to_json().items() if isinstance(v, str | int | float)}
        return {"members": len(self.leaderboard), "loss": self.plan.loss.kind, **plan}

    def curves(self) -> pd.DataFrame:
        """A row an epoch, a column for each quartile of what is recorded, and the best member."""
        values = self._by_epoch()
        epochs = values.groupby("epoch")
        parts = [epochs.quantile(q).add_suffix(f"/{name}") for q, name in _QUARTILES.items()]
        best = values.xs(self.leaderboard["member"].iloc[0], level="member")
        return pd.concat([*parts, best.add_suffix("/best member")], axis=1)

    def points(self) -> list[tuple[str, int, float]]:
        """The curves point for point: name, epoch, value."""
        found = self.curves().rename_axis("epoch").reset_index().melt("epoch").dropna()
        names, epochs, values = (found[c].tolist() for c in ("variable", "epoch", "value"))
        return list(zip(names, epochs, values, strict=True))

    def spreads(self) -> list[tuple[str, int, NDArray[np.float64]]]:
        """Name, epoch, and the finite values of all members."""
        values = self._by_epoch().replace([np.inf, -np.inf], np.nan)
        return [
            (str(name), int(str(epoch)), column.dropna().to_numpy())
            for epoch, rows in values.groupby("epoch")
            for name, column in rows.items()
            if column.notna().any()
        ]

    def _by_epoch(self) -> pd.DataFrame:
        """What was recorded last of each member in each epoch, which all members share, unlike
        steps."""
        whole = self.history.assign(epoch=np.ceil(self.history["epoch"]).astype(int))
        last = whole.groupby(["member", "epoch"]).last().drop(columns="step")
        return last.dropna(axis=1, how="all")


def _told(run: Run | RunFolder) -> _Told:
    if isinstance(run, Run):
        name = run.folder.name if run.folder else "run"
        return _Told(name, run.plan, run.history, run.leaderboard())
    board, path = run.leaderboard(), run.path / "history.parquet"
    if board is None or not path.is_file():
        raise BadRun(f"The run {run.name} has not ended. Go on: slalom runs resume {run.name}")
    try:
        return _Told(run.name, run.plan(), pd.read_parquet(path), board)
    except (OSError, ValueError) as error:
        raise BadRun(f"The history {path} is damaged: {error}.") from error


def _markdown(table: pd.DataFrame) -> str:
    rows = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)
