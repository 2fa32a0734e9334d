"""What the two estimators share: from X and y to a trained population and a predictor."""

import time
from collections.abc import Iterable
from dataclasses import replace
from numbers import Real
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from slalom.core.errors import BadData, BadPlan, Diverged
from slalom.data.batches import steps_per_epoch
from slalom.data.dataset import Dataset, Rows, Split
from slalom.data.schema import Schema
from slalom.data.table import read_table
from slalom.data.target import Target
from slalom.engine import Engine, select
from slalom.losses import Loss
from slalom.models import Predictor
from slalom.plan import Plan
from slalom.population import Population, as_population
from slalom.runs import Run
from slalom.runs.train import carry_out, check_time_limit
from slalom.tabular import recipe
from slalom.tabular.distinct import distinct_rows
from slalom.tabular.ensemble import greedy_weights
from slalom.tabular.splits import seed_of, validation_folds

SAFETY = 0.8  # share of a time limit that is planned for; measuring and validating take the rest
MEASURED_SECONDS = 0.1  # of training, to judge how long more of it takes
FEWEST_EPOCHS = 4  # rather than train all members for fewer, train fewer members


class PopulationEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base of `Regressor` and `Classifier`; see there."""

    def __init__(
        self,
        *,
        members: Any = None,
        loss: Any = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        patience: int | None = None,
        validation: Any = "auto",
        time_limit: float | None = None,
        engine: Any = "auto",
        threads: int | None = None,
        random_state: int | None = 0,
        progress: bool | None = None,
    ) -> None:
        self.members = members
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.validation = validation
        self.time_limit = time_limit
        self.engine = engine
        self.threads = threads
        self.random_state = random_state
        self.progress = progress

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "predictor_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = True
        return tags

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what predictions come as: "default" (NumPy), "pandas" or "polars".

        Frames keep the index of X. None changes nothing.
        """
        if transform not in (None, "default", "pandas", "polars"):
            raise BadPlan(
                f"transform must be default, pandas or polars, but {transform!r} was given."
            )
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}  # which clones take over
        return self

    # What the two tasks do differently.

    def _labels(self, y: NDArray[Any]) -> NDArray[np.int64] | None:
        """Class numbers to stratify by, or None."""
        raise NotImplementedError

    def _target(self, y: NDArray[Any], weight: NDArray[np.float64]) -> Target:
        raise NotImplementedError

    def _loss(self, codes: NDArray[Any], weight: NDArray[np.float64]) -> Loss:
        raise NotImplementedError

    # From X and y to a predictor.

    def _fit(
        self,
        X: Any,
        y: NDArray[Any],
        sample_weight: ArrayLike | None,
        groups: ArrayLike | None,
    ) -> Self:
        check_time_limit(self.time_limit)
        frame = self._frame(X, reset=True)
        weight = _weights(sample_weight, len(frame))
        rows, weight = self._rows(frame, y, weight, groups)
        if len(rows) < 2:
            raise BadData("Training needs 2 rows or more that differ, but X has 1 sample.")
        frame, y = frame.iloc[rows], y[rows]
        folds = validation_folds(
            self.validation,
            len(rows),
            self._labels(y),
            None if groups is None else np.asarray(groups)[rows],
            seed_of(self.random_state),
        )
        # With one split, schema and target scale know nothing of the validation rows. With several,
        # each row is trained on by some members, and one schema has to serve them all.
        known = folds[0].train if len(folds) == 1 else np.arange(len(rows))
        if not weight[known].any():
            raise BadData("All rows to train on have a sample weight of 0.")
        self.target_ = self._target(y[known], weight[known])
        self.schema_ = Schema.fit(frame.iloc[known])
        self.run_ = self._train(self._dataset(frame, y, weight, folds))
        self.predictor_ = self._select(self.run_)
        self.best_ = self.run_.model()
        return self

    def _rows(
        self, frame: pd.DataFrame, y: NDArray[Any], weight: NDArray[np.float64], groups: Any
    ) -> tuple[Rows, NDArray[np.float64]]:
        """Rows to use and what they count. Splits of one's own name rows, so none is merged."""
        if not isinstance(self.validation, str | Real):
            return np.arange(len(frame)), weight
        if groups is None:
            return distinct_rows(frame, y, weight)
        kept = np.flatnonzero(weight > 0)
        return kept, weight[kept]

    def _dataset(
        self,
        frame: pd.DataFrame,
        y: NDArray[Any],
        weight: NDArray[np.float64],
        folds: tuple[Split, ...],
    ) -> Dataset:
        return Dataset(
            self.schema_.encode(frame),
            self._encode(y),
            task=self.target_.task,  # type: ignore[arg-type]  # both classes name one of the two
            folds=folds,
            weight=None if (weight == 1).all() else weight.astype(np.float32),
            feature_names=self.schema_.feature_names,
            classes=getattr(self.target_, "classes", ()),
            schema=self.schema_,
        )

    def _encode(self, y: NDArray[Any]) -> NDArray[Any]:
        raise NotImplementedError

    def _train(self, data: Dataset) -> Run:
        began = time.perf_counter()
        weight = np.ones(data.rows) if data.weight is None else data.weight.astype(np.float64)
        loss = self._loss(data.y, weight)
        plan = self._plan(data, loss)
        if self.time_limit is not None:
            engine, _ = select(self.engine, plan, data, self.threads)
            plan = _within(plan, data, engine, self.time_limit)
        left = self.time_limit and max(0.1, self.time_limit - (time.perf_counter() - began))
        return carry_out(
            plan,
            data,
            engine=self.engine,
            threads=self.threads,
            time_limit=left,
            progress=self.progress,
        )

    def _plan(self, data: Dataset, loss: Loss) -> Plan:
        rows, folds = len(data.folds[0].train), len(data.folds)
        length = recipe.epochs(rows) if self.epochs is None else self.epochs
        patience = max(1, length // 4) if self.patience is None else self.patience
        if self.members is None:
            members = recipe.default_population(
                inputs=data.X.shape[1],
                outputs=loss.outputs(data.targets),
                rows=rows,
                seeds=-(-recipe.MEMBERS // (len(recipe.RECIPES) * folds)),
                epochs=length,
                seed=seed_of(self.random_state),
            )
        else:
            members = as_population(self.members)
        if self.batch_size is not None:
            members = as_population(members, batch_size=self.batch_size)
        return Plan(members.on_folds(folds), loss, epochs=length, patience=patience, record="epoch")

    # From a trained population to an ensemble.

    def _select(self, run: Run) -> Predictor:
        data, loss = run.dataset, run.plan.loss
        folds = len(data.folds)
        validated = np.concatenate([fold.validation for fold in data.folds])
        candidates = range(len(run.population) // folds)
        every = {c: _validation(run, c, folds) for c in candidates}
        finite = {c: p for c, p in every.items() if p is not None and np.isfinite(p).all()}
        if not finite:
            raise Diverged(
                "Every net of the population diverged, on one fold at least. Lower the learning "
                "rates, or clip the gradient with clip_norm=1.0."
            )
        predictions = np.array(list(finite.values()))
        counts = np.ones(data.rows) if data.weight is None else data.weight.astype(np.float64)
        score = _score(data.y[validated], counts[validated])
        weights = greedy_weights(predictions, score)
        chosen = {
            candidate * folds + k: float(weight) / folds
            for candidate, weight in zip(finite, weights, strict=True)
            if weight
            for k in range(folds)
        }
        self.ensemble_ = chosen
        return Predictor(
            schema=self.schema_,
            target=self.target_,
            loss=loss,
            nets=tuple(run.population[m].net for m in chosen),
            modules=tuple(run.model(m) for m in chosen),
            weights=tuple(chosen.values()),
            noise=self._noise(data.y[validated], predictions, weights, counts[validated]),
            about={
                "rows": data.rows,
                "members": len(run.population),
                "folds": folds,
                "seconds": round(run.seconds, 3),
                "interrupted": run.interrupted,
                "torch": torch.__version__.partition("+")[0],
            },
        )

    def _noise(self, truth: Any, each: Any, weights: Any, counts: Any) -> tuple[float, ...]:
        return ()

    # Predicting.

    def _frame(self, X: Any, reset: bool) -> pd.DataFrame:
        """X as a table, checked as scikit-learn wants it."""
        if hasattr(X, "columns") or hasattr(X, "__dataframe__"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            frame = read_table(X)
            if reset and not len(frame):
                raise BadData("X has 0 rows (0 sample(s)); at least 2 are needed to train.")
            return frame
        if sparse.issparse(X):
            validate_data(self, X, reset=reset, accept_sparse="csr", ensure_all_finite="allow-nan")
            return read_table(X)
        checked = validate_data(
            self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=1
        )
        return read_table(checked)

    def _ready(self, X: Any) -> pd.DataFrame:
        check_is_fitted(self)
        return self._frame(X, reset=False)

    def _shown(self, values: NDArray[Any], X: Any, names: Iterable[Any]) -> Any:
        """Predictions in the container that `set_output` chose."""
        kind = getattr(self, "_sklearn_output_config", {}).get("transform", "default")
        if kind == "default":
            return values
        if values.ndim == 1:
            (name,) = list(names)[:1]
            series = pd.Series(values, index=getattr(X, "index", None), name=str(name))
            return series if kind == "pandas" else _polars().from_pandas(series)
        frame = pd.DataFrame(
            values, index=getattr(X, "index", None), columns=[str(name) for name in names]
        )
        return frame if kind == "pandas" else _polars().from_pandas(frame)


def _polars() -> Any:
    try:
        import polars
    except ImportError:
        raise BadPlan("polars is not installed: pip install 'slalom[polars]'") from None
    return polars


def _weights(sample_weight: ArrayLike | None, rows: int) -> NDArray[np.float64]:
    if sample_weight is None:
        return np.ones(rows)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (rows,):
        raise BadData(
            f"sample_weight must be [{rows}], one a row, but its shape is {weight.shape}."
        )
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise BadData("Sample weights must be finite and 0 or more.")
    if not weight.any():
        raise BadData("All sample weights are zero, so no row is left to train on.")
    return weight


def _within(plan: Plan, data: Dataset, engine: Engine, seconds: float) -> Plan:
    """The plan with as many epochs as fit into the time, judged by a few first steps.

    A schedule that ends where the training does learns far more than one that is cut off, and a few
    members that learn are worth more than many that do not.
    """
    pace = _seconds_per_step(plan, data, engine)
    epochs = (
        SAFETY
        * seconds
        / pace
        / max(steps_per_epoch(len(data.folds[m.fold].train), m.batch_size) for m in plan.population)
    )
    assert plan.epochs is not None  # the estimators count epochs
    if epochs >= plan.epochs:
        return plan
    population = plan.population
    if epochs < FEWEST_EPOCHS:
        folds = len(data.folds)
        candidates = len(population) // folds
        kept = max(1, int(candidates * epochs / FEWEST_EPOCHS))
        chosen = np.linspace(0, candidates, kept, endpoint=False).astype(int)
        kept_members = (population[int(c) * folds + k] for c in chosen for k in range(folds))
        population = Population(tuple(kept_members))
        epochs *= candidates / kept
    length = min(plan.epochs, max(1, int(epochs)))
    share = length / plan.epochs
    members = (replace(m, schedule=recipe.shortened(m.schedule, share)) for m in population)
    return replace(plan, epochs=length, population=Population(tuple(members)))


def _seconds_per_step(plan: Plan, data: Dataset, engine: Engine) -> float:
    """Seconds that a step of all members takes, from some steps of one member of each kind."""
    kinds = {(m.net, m.optimizer, m.batch_size): m for m in plan.population}
    sample = replace(plan, population=Population(tuple(kinds.values())))
    session = engine.prepare(sample, data)
    state = session.start()
    steps, seconds = 1, 0.0
    while seconds < MEASURED_SECONDS and state.training.any():
        began = time.perf_counter()
        session.advance(state, steps)
        pace, steps = (time.perf_counter() - began) / steps, 2 * steps
        seconds += pace * steps / 2
    return pace * len(plan.population) / len(kinds)


def _validation(run: Run, candidate: int, folds: int) -> NDArray[np.float64] | None:
    """What a candidate predicts on all validation rows, each by the member that did not see it.

    None when one of its members diverged and left no model.
    """
    data = run.dataset
    try:
        parts = [
            run.predict(data.X[data.folds[k].validation], member=candidate * folds + k)
            for k in range(folds)
        ]
    except Diverged:
        return None
    return np.concatenate(parts).astype(np.float64)


def _score(truth: NDArray[Any], weight: NDArray[np.float64]) -> Any:
    """Weighted squared error, or log loss, of averaged predictions `[N, O]`."""
    if np.issubdtype(truth.dtype, np.integer):
        rows = np.arange(len(truth))

        def log_loss(p: NDArray[np.float64]) -> float:
            return float(np.average(-np.log(p[rows, truth].clip(1e-7)), weights=weight))

        return log_loss
    return lambda p: float(np.average(((p - truth) ** 2).mean(axis=1), weights=weight))
