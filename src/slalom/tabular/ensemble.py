"""From a prepared table to an ensemble: train a population, and choose who predicts together."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight

from slalom.core.errors import BadPlan, Diverged
from slalom.data.dataset import Dataset
from slalom.data.target import ClassificationTarget, RegressionTarget
from slalom.engine import Engine, select
from slalom.engine.contract import cores
from slalom.engine.device import DeviceLike
from slalom.losses import CrossEntropy, GaussianNLL, Loss, LossLike, as_loss
from slalom.models import Predictor
from slalom.nets import NetSpec
from slalom.plan import Plan
from slalom.population import MembersLike, as_population
from slalom.runs import Run
from slalom.runs.folder import RunFolder
from slalom.runs.stopping import check_time_limit
from slalom.runs.train import Watch, carry_out
from slalom.tabular import default
from slalom.tabular.candidate import Candidate, candidates
from slalom.tabular.doubt import doubt, net_of_frequencies
from slalom.tabular.elimination import by_first_fold, share
from slalom.tabular.greedy import Score, greedy_weights
from slalom.tabular.pace import SAFETY, duration, within
from slalom.tabular.preparation import Preparation


@dataclass(frozen=True)
class Settings:
    """How a population is trained on a table: what `Regressor` and `Classifier` explain.

    Raises:
        BadPlan: when the time limit makes no sense.
    """

    members: MembersLike | None = None
    loss: LossLike | None = None
    class_weight: Any = None
    epochs: int | None = None
    batch_size: int | None = None
    patience: int | None = None
    time_limit: float | None = None
    engine: Engine | str = "auto"
    threads: int | None = None
    device: DeviceLike | None = None
    seed: int = 0
    progress: bool | None = None
    watch: Watch | None = None

    def __post_init__(self) -> None:
        check_time_limit(self.time_limit)


Weighted: TypeAlias = tuple[NetSpec, torch.nn.Module, float]
# From what makes the plan of a new run, and the data, to the folder where the run is kept.
Keep: TypeAlias = Callable[[Callable[[], Plan], Dataset], RunFolder]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """A trained population, and what its candidates count when they predict together.

    Args:
        prepared: what they were trained on.
        run: the training of all members.
        candidates: all of them, with their weights.
        doubt: what the frequencies of the classes count beside them; see `slalom.tabular.doubt`.
    """

    prepared: Preparation
    run: Run
    candidates: tuple[Candidate, ...]
    doubt: float = 0.0

    @property
    def chosen(self) -> tuple[Candidate, ...]:
        """Those that predict."""
        return tuple(candidate for candidate in self.candidates if candidate.weight)

    @property
    def weights(self) -> dict[int, float]:
        """What each member that predicts counts, by its number; together 1."""
        return {k: c.weight / len(c.members) for c in self.chosen for k in c.members}

    def predictor(self) -> Predictor:
        """The model that they are together."""
        run, data = self.run, self.prepared.dataset
        members = [(run.population[k].net, run.model(k), w) for k, w in self.weights.items()]
        nets, modules, weights = zip(*self._doubted(members), strict=True)
        return Predictor(
            schema=self.prepared.schema,
            target=self.prepared.target,
            loss=run.plan.loss,
            nets=nets,
            modules=modules,
            weights=weights,
            noise=self._noise(),
            about={
                "rows": data.rows,
                "members": len(run.population),
                "folds": len(data.folds),
                "seconds": round(run.seconds, 3),
                "interrupted": run.interrupted,
                "torch": torch.__version__.partition("+")[0],
            },
        )

    def _doubted(self, members: list[Weighted]) -> list[Weighted]:
        """The members, and where there is doubt a net of frequencies beside them."""
        if not self.doubt:
            return members
        data, loss = self.prepared.dataset, self.run.plan.loss
        counts = self.prepared.weight * loss.row_weights(torch.from_numpy(data.y)).numpy()
        ignorant = net_of_frequencies(data.X.shape[1], data.y, counts, len(data.classes))
        sure = [(net, module, (1 - self.doubt) * weight) for net, module, weight in members]
        return [*sure, (*ignorant, self.doubt)]

    def _noise(self) -> tuple[float, ...]:
        """What they together leave unexplained on validation rows, beyond where they disagree."""
        target = self.prepared.target
        if isinstance(self.run.plan.loss, GaussianNLL) or not isinstance(target, RegressionTarget):
            return ()  # the nets tell it themselves, row by row; or there are classes
        truth, counts = _validated(self.prepared, trained_folds(self.run))
        weights = [candidate.weight for candidate in self.chosen]
        each = np.array([candidate.predictions for candidate in self.chosen])
        together = np.tensordot(weights, each, axes=1)
        spread = np.tensordot(weights, (each - together) ** 2, axes=1)
        spread, unexplained = (
            np.average(squares, axis=0, weights=counts)
            for squares in (spread, (truth - together) ** 2)
        )
        return tuple(np.sqrt(np.maximum(unexplained - spread, 0.0)) * np.array(target.scale))


def fit_ensemble(prepared: Preparation, settings: Settings, keep: Keep | None = None) -> Ensemble:
    """Train a population on a prepared table and weight its candidates on validation rows.

    Args:
        prepared: the table.
        settings: how to train.
        keep: gives the folder where the run is kept; nowhere when not given.

    Raises:
        BadPlan: when the settings make no sense for the table.
        Diverged: when no candidate has a model.
        KeyboardInterrupt: at Ctrl-C, when the run is kept. Else what was reached is weighted.
    """
    began = time.perf_counter()
    data, make = prepared.dataset, partial(_plan_in_time, prepared, settings)
    folder = None if keep is None else keep(make, data)
    plan = make() if folder is None else folder.plan()
    left = settings.time_limit and max(0.1, settings.time_limit - (time.perf_counter() - began))
    run = carry_out(
        plan,
        data,
        engine=settings.engine,
        threads=settings.threads,
        device=settings.device,
        time_limit=left,
        progress=settings.progress,
        watch=settings.watch,
        steer=by_first_fold if settings.members is None else None,
        folder=folder,
        rewind_bytes=0,  # its states are large, and nobody goes back to a step of a fit
    )
    if folder is not None and run.stopped_by == "interrupt":
        raise KeyboardInterrupt  # all that was reached is kept
    # A net that somebody chose is to answer as it does.
    cautious = settings.members is None and isinstance(plan.loss, CrossEntropy)
    rows = len(_validated(prepared, trained_folds(run))[0])
    return Ensemble(prepared, run, _weighted(prepared, run), doubt(rows) if cautious else 0.0)


def _plan_in_time(prepared: Preparation, settings: Settings) -> Plan:
    """What to train, in the time that is given."""
    plan, limit = _plan(prepared, settings), settings.time_limit
    return plan if limit is None else _in_time(plan, prepared, settings, limit)


def _in_time(plan: Plan, prepared: Preparation, settings: Settings, limit: float) -> Plan:
    """A plan that ends in time; with more candidates by default, where the machine is fast."""
    data = prepared.dataset
    engine, _ = select(settings.engine, plan, data, settings.threads, settings.device)
    if settings.members is not None:
        return within(plan, data, engine, limit)
    faster = SAFETY * limit / duration(plan, data, engine, _carried_out(plan, data))
    if faster > 1:  # measured anew then, for other members may have another pace
        plan = _plan(prepared, settings, faster)
    return within(plan, data, engine, limit, _carried_out(plan, data))


def _carried_out(plan: Plan, data: Dataset) -> float:
    """What a default population costs of the training of all its members."""
    return share(len(data.folds), len(plan.population) // len(data.folds))


def _plan(prepared: Preparation, settings: Settings, faster: float = 1.0) -> Plan:
    """What to train; by default as much as a machine does that is so much faster than usual."""
    data, loss = prepared.dataset, _loss(prepared, settings)
    rows, folds = len(data.folds[0].train), len(data.folds)
    if settings.members is None:
        seconds = settings.time_limit or default.seconds(rows)
        members, length = default.default_population(
            inputs=data.X.shape[1],
            outputs=loss.outputs(data.targets),
            classes=data.task == "classification",
            numbers=prepared.schema.numbers,
            rows=rows,
            folds=folds,
            operations=faster * default.operations_in(seconds, settings.threads or cores()),
            epochs=settings.epochs,
            seed=settings.seed,
        )
    else:
        members = as_population(settings.members)
        length = default.usual_epochs(rows) if settings.epochs is None else settings.epochs
    patience = max(1, length // 2) if settings.patience is None else settings.patience
    if settings.batch_size is not None:
        members = as_population(members, batch_size=settings.batch_size)
    return Plan(members.on_folds(folds), loss, epochs=length, patience=patience, record="epoch")


def _loss(prepared: Preparation, settings: Settings) -> Loss:
    target, given = prepared.target, settings.class_weight
    loss = as_loss(settings.loss, target.task)
    if given is None:
        return loss
    if not isinstance(loss, CrossEntropy) or not isinstance(target, ClassificationTarget):
        raise BadPlan("class_weight goes with the loss cross_entropy.")
    codes, classes = prepared.dataset.y, np.arange(len(target.classes))
    if given == "balanced":
        weights = compute_class_weight(
            "balanced", classes=classes, y=codes, sample_weight=prepared.weight
        )
    else:
        weights = compute_class_weight(
            given, classes=target.decode(classes), y=target.decode(codes)
        )
    return replace(loss, weight=tuple(weights))


def trained_folds(run: Run) -> NDArray[np.int64]:
    """The folds that somebody was trained on: all, unless the training ended before."""
    return np.unique(run.population.columns().fold[run.state.step > 0])


def _weighted(prepared: Preparation, run: Run) -> tuple[Candidate, ...]:
    """The candidates with what they predict and count, on the folds that were trained."""
    folds = trained_folds(run)
    every = (candidate.on(folds, run.population) for candidate in candidates(run.population))
    judged = [candidate.judged(run) for candidate in every]
    predictions = [c.predictions for c in judged if c.predictions is not None]
    if not predictions:
        raise Diverged(
            "Every net of the population diverged, on one fold at least. Lower the learning "
            "rates, or clip the gradient with clip_norm=1.0."
        )
    truth, weight = _validated(prepared, folds)
    told = np.array([_telling(p, truth) for p in predictions])
    weights = iter(greedy_weights(told, _score(truth, weight)).tolist())
    return tuple(c if c.predictions is None else replace(c, weight=next(weights)) for c in judged)


def _validated(
    prepared: Preparation, folds: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Target and weights of all validation rows, fold after fold."""
    rows = np.concatenate([prepared.dataset.folds[k].validation for k in folds])
    return prepared.dataset.y[rows], prepared.weight[rows]


def _telling(predictions: NDArray[np.float64], truth: NDArray[Any]) -> NDArray[np.float64]:
    """What `_score` looks at: values `[N, T]`, or the probability of the true class `[N, 1]`."""
    if np.issubdtype(truth.dtype, np.integer):
        return predictions[np.arange(len(truth)), truth, None]
    return predictions


def _score(truth: NDArray[Any], weight: NDArray[np.float64]) -> Score:
    """Weighted squared error, or log loss, of averaged predictions as `_telling` gives them."""
    if np.issubdtype(truth.dtype, np.integer):
        return lambda p: float(np.average(-np.log(p[:, 0].clip(1e-7)), weights=weight))
    return lambda p: float(np.average(((p - truth) ** 2).mean(axis=1), weights=weight))
