"""What the two estimators share: from X and y to a trained population and a predictor."""

from collections.abc import Iterable
from numbers import Real
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from slalom.core.errors import BadData, BadPlan
from slalom.data.missing import MissingLike, mark_missing
from slalom.data.table import read_table, text_names
from slalom.data.target import Target
from slalom.engine import Engine
from slalom.engine.device import DeviceLike
from slalom.losses import LossLike
from slalom.population import MembersLike
from slalom.tabular.ensemble import Settings, fit_ensemble
from slalom.tabular.preparation import Preparation, check_enough
from slalom.tabular.splits import seed_of

_NOT_SETTINGS = ("validation", "missing", "random_state")


class PopulationEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base of `Regressor` and `Classifier`; see there."""

    def __init__(
        self,
        *,
        members: MembersLike | None = None,
        loss: LossLike | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        patience: int | None = None,
        validation: Any = "auto",
        missing: MissingLike | None = None,
        time_limit: float | None = None,
        engine: Engine | str = "auto",
        threads: int | None = None,
        device: DeviceLike | None = None,
        random_state: int | None = 0,
        progress: bool | None = None,
    ) -> None:
        self.members = members
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.validation = validation
        self.missing = missing
        self.time_limit = time_limit
        self.engine = engine
        self.threads = threads
        self.device = device
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

    def _target(self, y: NDArray[Any], used: NDArray[np.bool_]) -> tuple[Target, NDArray[Any]]:
        """What is predicted, and its values for each row: `[N, T]`, or numbers of classes `[N]`.

        Rows that are not `used` tell nothing of it.
        """
        raise NotImplementedError

    def _fit(
        self,
        X: Any,
        y: NDArray[Any],
        sample_weight: ArrayLike | None,
        groups: ArrayLike | None,
    ) -> Self:
        seed = seed_of(self.random_state)
        settings = Settings(**self._settings(), seed=seed)
        frame = mark_missing(self._frame(X, reset=True), self.missing or ())
        weight = _weights(sample_weight, len(frame))
        # Splits of one's own name rows, so that those of no weight are there too.
        used = (weight > 0) | (not isinstance(self.validation, str | Real))
        check_enough(int(used.sum()))
        target, values = self._target(y, used)
        prepared = Preparation.of(
            frame,
            target,
            values,
            weight=weight,
            groups=None if groups is None else np.asarray(groups),
            validation=self.validation,
            seed=seed,
        )
        ensemble = fit_ensemble(prepared, settings)
        self.schema_, self.target_ = prepared.schema, prepared.target
        self.run_, self.ensemble_ = ensemble.run, ensemble.weights
        self.predictor_, self.best_ = ensemble.predictor(), ensemble.run.model()
        return self

    def _settings(self) -> dict[str, Any]:
        """The parameters that say how to train."""
        parameters = self.get_params(deep=False)
        return {k: v for k, v in parameters.items() if k not in _NOT_SETTINGS}

    # Predicting.

    def _frame(self, X: Any, reset: bool) -> pd.DataFrame:
        """X as a table, checked as scikit-learn wants it."""
        if hasattr(X, "columns") or hasattr(X, "__dataframe__"):
            _check_columns(X)
            validate_data(self, X, reset=reset, skip_check_array=True)
            frame = read_table(X)
            if reset and not len(frame):
                raise BadData("X has 0 rows (0 sample(s)); at least 2 are needed to train.")
            if reset:
                self._names_in: pd.Index[Any] = frame.columns
            return frame
        if sparse.issparse(X):
            validate_data(self, X, reset=reset, accept_sparse="csr", ensure_all_finite="allow-nan")
            frame = read_table(X)
        else:
            frame = read_table(
                validate_data(
                    self,
                    X,
                    reset=reset,
                    dtype=None,
                    ensure_all_finite="allow-nan",
                    ensure_min_samples=1,
                )
            )
        if reset:
            self._names_in = frame.columns
        # An array has the columns of the fit in their order; scikit-learn says so where these had
        # names.
        return frame.set_axis(self._names_in, axis="columns")

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


def _check_columns(X: Any) -> None:
    """Refuse names of columns that scikit-learn would refuse in its own words, or none at all."""
    names = list(X.columns) if hasattr(X, "columns") else []
    if isinstance(X, pd.DataFrame):
        text_names(X, "X")
    kinds = sorted({type(name).__name__ for name in names})
    if "str" in kinds and len(kinds) > 1:
        raise BadData(
            f"X has column names of several types ({', '.join(kinds)}), so that they cannot be "
            "compared. Make all of them text: X.columns = X.columns.astype(str)."
        )


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
