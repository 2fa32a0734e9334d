"""Regression in scikit-learn's conventions."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

from slalom.core.errors import BadData
from slalom.data.target import RegressionTarget
from slalom.estimators.base import PopulationEstimator


class Regressor(RegressorMixin, PopulationEstimator):  # type: ignore[misc]  # see the base
    """Trains a population of nets on a table and predicts numbers with the best of them together.

    Args:
        members: the population; when not given, 8 to 128 candidates drawn from a space of widths,
            embeddings, activations and rates (see `slalom.tabular.default`), as many as the time
            allows; the better ones are trained further. Folds are set by the
            estimator.
        loss: mse, l1, huber or gaussian_nll, or a spec; mse when not given.
        epochs: passes over the training rows; 40 when not given (24 from 10,000 rows on), and up to
            three times as many where there is time left.
        batch_size: rows a batch; about the root of the rows (16 to 256) when not given.
        patience: epochs without a better validation loss after which a member stops; half of the
            epochs when not given.
        validation: how rows to select on are found: "auto" is 5 folds below 10,000 rows and a share
            of 0.15 from there on; a share, a number of folds, a scikit-learn splitter, or pairs of
            row numbers.
        missing: values that stand for missing cells, such as -999, in all columns; `"size=-999"`,
            or a dictionary by column, for one. The model takes them for missing, too.
        time_limit: seconds for the training; the population is then as large as they allow, and
            takes fewer epochs where even the smallest needs longer.
        engine: what trains: "auto", "native", "batched", "reference", or an engine; see
            `slalom.train`.
        threads: of the native and the batched engine; one for each core when not given.
        device: "cpu", "cuda", "cuda:1" or "auto"; see `slalom.train`.
        random_state: of weights, batches and splits; 0, so that the same call gives the same model.
        progress: whether to show a progress bar; only on a terminal when not given.

    Attributes:
        run_: the whole training, a `slalom.Run`.
        predictor_: the ensemble that predicts, which can be saved to a file.
        ensemble_: member number to weight.
        best_: the single best module.
        schema_, target_: what was made of the columns of X, and of y.
        n_features_in_, feature_names_in_: as everywhere in scikit-learn.

    Example:
        >>> import numpy as np
        >>> from slalom import Regressor
        >>> X = np.linspace(-1, 1, 80)[:, None]
        >>> Regressor(epochs=20).fit(X, X[:, 0] ** 2).predict([[0.5]]).shape
        (1,)
    """

    target_: RegressionTarget

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train on X `[N, columns]` (array or frame) and y `[N]` or `[N, T]`.

        Args:
            X: features; numbers, text, categories, dates and missing cells alike.
            y: finite numbers.
            sample_weight: what each row counts, `[N]`; weight 2 is a row that stands twice.
            groups: rows of one group are never on both sides of a split, `[N]`.

        Raises:
            BadData: when X or y cannot be used.
        """
        if y is None:
            raise ValueError("Regressor requires y to be passed, but the target y is None.")
        names = [str(c) for c in getattr(y, "columns", [getattr(y, "name", None) or "y"])]
        if np.asarray(y).dtype.kind in "mM":
            raise BadData(
                "y holds dates or times. Turn them into numbers first, such as the days since a "
                "given date."
            )
        values = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y", estimator=self)
        check_consistent_length(X, values, groups)
        self._one_column = values.ndim == 1
        self._names = names
        return self._fit(X, values, sample_weight, groups)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Values `[N]` or `[N, T]`; with `return_std`, also their standard deviations.

        The deviation joins, as variances, where the nets disagree and what they together left
        unexplained on validation rows, which is one number for all rows. With the loss
        gaussian_nll the nets tell the second part themselves, row by row.
        """
        frame = self._ready(X)
        names = self.target_.names
        mean = self._shown(self._shaped(self.predictor_.predict(frame)), X, names)
        if not return_std:
            return mean
        return mean, self._shown(self._shaped(self.predictor_.predict_std(frame)), X, names)

    def _shaped(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values if self._one_column or values.ndim == 2 else values[:, None]

    def _target(
        self, y: NDArray[Any], used: NDArray[np.bool_]
    ) -> tuple[RegressionTarget, NDArray[np.float64]]:
        values = y.reshape(len(y), -1)
        count = values.shape[1]
        fit = len(self._names) == count
        names = self._names if fit else [f"y{k}" for k in range(count)]
        # Mean and deviation are found when the rows to train on are.
        target = RegressionTarget(tuple(names), (0.0,) * count, (1.0,) * count, (".",) * count)
        return target, values
