"""What the two estimators share: from X and y to a trained population and a predictor."""

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from slalom.data.dataset import Dataset, Rows
from slalom.data.schema import Schema
from slalom.data.table import read_table
from slalom.data.target import Target
from slalom.engine import ReferenceEngine
from slalom.errors import BadData, BadPlan, Diverged
from slalom.estimators import recipe
from slalom.estimators.distinct import distinct_rows
from slalom.estimators.ensemble import greedy_weights
from slalom.estimators.splits import seed_of, validation_folds
from slalom.losses import Loss
from slalom.plan import Plan
from slalom.population import Population, as_population
from slalom.runs import Predictor, Run
from slalom.training import carry_out


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
            self._output = transform
        return self

    # What the two tasks do differently.

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
        began = time.perf_counter()
        frame = self._frame(X, reset=True)
        weight = _weights(sample_weight, len(frame))
        rows, weight = self._rows(frame, y, weight, groups)
        if len(rows) < 2:
            raise BadData("Training needs 2 rows or more that differ, but X has 1 sample.")
        frame, y = frame.iloc[rows], y[rows]
        self.target_ = self._target(y, weight)
        self.schema_ = Schema.fit(frame)
        data = self._dataset(frame, y, weight, None if groups is None else np.asarray(groups)[rows])
        self.run_ = self._train(data, began)
        self.predictor_ = self._select(self.run_)
        self.best_ = self.run_.model()
        return self

    def _rows(
        self, frame: pd.DataFrame, y: NDArray[Any], weight: NDArray[np.float64], groups: Any
    ) -> tuple[Rows, NDArray[np.float64]]:
        """Rows to use and what they count. Splits of one's own name rows, so none is merged."""
        if groups is None and isinstance(self.validation, str | int | float):
            return distinct_rows(frame, self._plain_target(y), weight)
        if isinstance(self.validation, str | int | float):
            kept = np.flatnonzero(weight > 0)
            return kept, weight[kept]
        return np.arange(len(frame)), weight

    def _plain_target(self, y: NDArray[Any]) -> NDArray[np.float64]:
        return np.unique(y, return_inverse=True)[1].reshape(len(y), -1).astype(np.float64)

    def _dataset(
        self, frame: pd.DataFrame, y: NDArray[Any], weight: NDArray[np.float64], groups: Any
    ) -> Dataset:
        encoded = self._encode(y)
        data = Dataset(
            self.schema_.encode(frame),
            encoded,
            task=self.target_.task,  # type: ignore[arg-type]
            weight=None if (weight == 1).all() else weight.astype(np.float32),
            feature_names=self.schema_.feature_names,
            classes=getattr(self.target_, "classes", ()),
        )
        if data.X.shape[1] == 0:
            raise BadData(
                "No column is left to learn from: every one is constant, empty or an identifier."
            )
        labels = encoded if data.task == "classification" else None
        seed = seed_of(self.random_state)
        return data.with_folds(validation_folds(self.validation, data.rows, labels, groups, seed))

    def _encode(self, y: NDArray[Any]) -> NDArray[Any]:
        raise NotImplementedError

    def _train(self, data: Dataset, began: float) -> Run:
        weight = np.ones(data.rows) if data.weight is None else data.weight.astype(np.float64)
        loss = self._loss(data.y, weight)
        plan = self._plan(data, loss)
        if self.time_limit is not None:
            plan = _within(plan, data, self.time_limit)
        limit = self.time_limit and max(0.0, self.time_limit - (time.perf_counter() - began))
        return carry_out(
            plan, data, engine=ReferenceEngine(), time_limit=limit, progress=self.progress
        )

    def _plan(self, data: Dataset, loss: Loss) -> Plan:
        rows, folds = len(data.folds[0].train), len(data.folds)
        length = self.epochs or recipe.epochs(rows)
        patience = self.patience or max(1, length // 4)
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
        predictions = np.array([_validation(run, c, folds) for c in candidates])
        finite = np.flatnonzero(np.isfinite(predictions).all(axis=(1, 2)))
        if not len(finite):
            raise Diverged("Every member diverged. Lower the learning rates, or clip the gradient.")
        counts = np.ones(data.rows) if data.weight is None else data.weight.astype(np.float64)
        score = _score(data.y[validated], counts[validated])
        weights = greedy_weights(predictions[finite], score)
        chosen = {
            int(candidate) * folds + k: float(weight) / folds
            for candidate, weight in zip(finite, weights, strict=True)
            if weight
            for k in range(folds)
        }
        self.ensemble_ = chosen
        together = np.tensordot(weights, predictions[finite], axes=1)
        return Predictor(
            schema=self.schema_,
            target=self.target_,
            loss=loss,
            nets=tuple(run.population[m].net for m in chosen),
            modules=tuple(run.model(m) for m in chosen),
            weights=tuple(chosen.values()),
            noise=self._noise(data.y[validated], together, predictions[finite], weights),
            about={
                "rows": data.rows,
                "members": len(run.population),
                "folds": folds,
                "seconds": round(run.seconds, 3),
                "interrupted": run.interrupted,
                "torch": torch.__version__.partition("+")[0],
            },
        )

    def _noise(self, truth: Any, together: Any, each: Any, weights: Any) -> tuple[float, ...]:
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
            validate_data(self, X, reset=reset, accept_sparse=True, ensure_all_finite="allow-nan")
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
        kind = getattr(self, "_output", "default")
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


def _within(plan: Plan, data: Dataset, seconds: float) -> Plan:
    """The plan with as many epochs as fit into the time, judged by a few first steps.

    A schedule that ends where the training does learns far more than one that is cut off.
    """
    engine, steps = ReferenceEngine(), 4
    state = engine.start(plan, data)
    engine.advance(state, 1)  # warm up
    began = time.perf_counter()
    engine.advance(state, steps)
    pace = (time.perf_counter() - began) / steps
    longest = int(state.layout.steps_per_epoch.max())
    affordable = max(1, int(0.8 * seconds / pace / longest))
    assert plan.epochs is not None  # the estimators count epochs
    if affordable >= plan.epochs:
        return plan
    share = affordable / plan.epochs
    members = tuple(
        replace(m, schedule=recipe.shortened(m.schedule, share)) for m in plan.population
    )
    return replace(plan, epochs=affordable, population=Population(members))


def _validation(run: Run, candidate: int, folds: int) -> NDArray[np.float64]:
    """What a candidate predicts on all validation rows, each by the member that did not see it."""
    data = run.dataset
    parts = [
        run.predict(data.X[data.folds[k].validation], member=candidate * folds + k)
        for k in range(folds)
    ]
    return np.concatenate(parts).astype(np.float64)


def _score(truth: NDArray[Any], weight: NDArray[np.float64]) -> Any:
    """Weighted squared error, or log loss, of averaged predictions `[N, O]`."""
    if np.issubdtype(truth.dtype, np.integer):
        rows = np.arange(len(truth))

        def log_loss(p: NDArray[np.float64]) -> float:
            return float(np.average(-np.log(p[rows, truth].clip(1e-7)), weights=weight))

        return log_loss
    return lambda p: float(np.average(((p - truth) ** 2).mean(axis=1), weights=weight))
