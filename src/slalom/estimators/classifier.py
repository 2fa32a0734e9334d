"""Classification in scikit-learn's conventions."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d

from slalom.core.errors import BadData
from slalom.data.missing import MissingLike
from slalom.data.target import ClassificationTarget
from slalom.engine import Engine
from slalom.engine.device import DeviceLike
from slalom.estimators.base import PopulationEstimator
from slalom.losses import LossLike
from slalom.population import MembersLike


class Classifier(ClassifierMixin, PopulationEstimator):  # type: ignore[misc]  # see the base
    """Trains a population of nets on a table and tells classes with the best of them together.

    Args:
        members: the population; when not given, 8 to 128 candidates drawn from a space of widths,
            embeddings, activations, dropouts, rates and decays (see `slalom.tabular.default`), as
            many as the time allows. Folds are set by the estimator. By default the frequencies of
            the classes have a part in each answer, 1 in 2 (n + 1) for n validation rows.
        loss: cross_entropy or bce_with_logits (two classes), or a spec; cross_entropy when not
            given.
        class_weight: None, "balanced" (classes count alike, however many rows they have), or a
            dictionary from class to weight.
        epochs, batch_size, patience, validation, missing: as for `Regressor`.
        time_limit, engine, threads, device, random_state, progress: as for `Regressor`.

    Attributes:
        classes_: the classes, sorted; columns of `predict_proba` come in this order.
        run_, predictor_, ensemble_, best_, schema_, target_: as for `Regressor`.

    Example:
        >>> import numpy as np
        >>> from slalom import Classifier
        >>> X = np.linspace(-1, 1, 80)[:, None]
        >>> labels = np.where(X[:, 0] > 0, "right", "left")
        >>> Classifier(epochs=20).fit(X, labels).predict([[0.9]]).tolist()
        ['right']
    """

    target_: ClassificationTarget

    def __init__(
        self,
        *,
        members: MembersLike | None = None,
        loss: LossLike | None = None,
        class_weight: Any = None,
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
        super().__init__(
            members=members,
            loss=loss,
            epochs=epochs,
            batch_size=batch_size,
            patience=patience,
            validation=validation,
            missing=missing,
            time_limit=time_limit,
            engine=engine,
            threads=threads,
            device=device,
            random_state=random_state,
            progress=progress,
        )
        self.class_weight = class_weight

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train on X `[N, columns]` (array or frame) and labels y `[N]` of any kind.

        Args:
            X: features; numbers, text, categories, dates and missing cells alike.
            y: labels.
            sample_weight: what each row counts, `[N]`; weight 2 is a row that stands twice.
            groups: rows of one group are never on both sides of a split, `[N]`.

        Raises:
            BadData: when X or y cannot be used, or y holds a single class.
        """
        if y is None:
            raise ValueError("Classifier requires y to be passed, but the target y is None.")
        self._name = str(getattr(y, "name", None) or "y")
        labels = column_or_1d(_plain(y), warn=True)
        if missing := int(pd.isna(labels).sum()):
            raise BadData(
                f"y must hold a label in each row, but {missing} of {len(labels)} are missing "
                "(NaN or None). Leave these rows out."
            )
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        check_consistent_length(X, labels, groups)
        return self._fit(X, labels, sample_weight, groups)

    def predict(self, X: Any) -> Any:
        """The most probable class of each row, `[N]`."""
        frame = self._ready(X)
        probabilities = self.predictor_.predict_proba(frame)
        return self._shown(self.classes_[probabilities.argmax(axis=1)], X, [self._name])

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, `[N, K]`, in the order of `classes_`."""
        frame = self._ready(X)
        return self._shown(self.predictor_.predict_proba(frame), X, self.classes_)

    def _target(
        self, y: NDArray[Any], used: NDArray[np.bool_]
    ) -> tuple[ClassificationTarget, NDArray[np.int64]]:
        self.classes_ = np.unique(y[used])
        if len(self.classes_) < 2:
            raise BadData(
                "Classification needs 2 classes or more, but y has one class: "
                f"{self.classes_.tolist()[0]!r}."
            )
        target = ClassificationTarget(self._name, tuple(self.classes_.tolist()))
        return target, np.searchsorted(self.classes_, y)


def _plain(y: Any) -> Any:
    """Labels of a nullable dtype without missing ones as what they are: NumPy makes floats of
    them."""
    dtype = getattr(y, "dtype", None)
    if not isinstance(dtype, pd.api.extensions.ExtensionDtype) or pd.isna(y).any():
        return y
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_integer_dtype(dtype):
        return np.asarray(y, dtype=bool if pd.api.types.is_bool_dtype(dtype) else np.int64)
    return y
