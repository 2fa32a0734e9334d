"""Scores with their uncertainty, and the baselines that they are read beside."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import floor, isfinite, log10
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from slalom.data.dataset import Rows
from slalom.data.target import ClassificationTarget, Target

Array: TypeAlias = NDArray[Any]
Metric: TypeAlias = Callable[[Array, Array], float]

FEWEST = 8  # different test rows; with fewer no error is given
DRAWS = 200  # bootstrap samples: a standard error from 200 is itself known to 5 %
LOWER_IS_BETTER = ("RMSE", "MAE", "log loss")


@dataclass(frozen=True)
class Estimate:
    """A number measured on test rows, and how far it is likely to be off.

    Args:
        value: measured on all test rows; NaN where it is undefined.
        error: its bootstrap standard error (Efron 1979).

    Example:
        >>> print(Estimate(0.87234, 0.01213), Estimate(1234567.8, 4321.0))
        0.872 ± 0.012 1,234,600 ± 4,300
    """

    value: float
    error: float

    def __str__(self) -> str:
        if not isfinite(self.value):
            return "undefined"
        if not isfinite(self.error):
            return f"{self.value:.4g}"
        if self.error == 0:
            return f"{self.value:.4g} ± 0"
        digits = 1 - floor(log10(self.error))  # two significant digits of the error
        places = max(digits, 0)
        value = round(self.value, digits) + 0.0  # which makes 0 of a -0
        return f"{value:,.{places}f} ± {round(self.error, digits):,.{places}f}"


Scores: TypeAlias = dict[str, dict[str, Estimate]]


def metrics(target: Target) -> dict[str, Metric]:
    """What is measured for a target, the headline first.

    Each takes the truth and the predictions: class numbers `[N]` and probabilities `[N, K]`, or
    values `[N, T]` twice. With several targets R2 is their mean, and each has its own numbers too.
    """
    if isinstance(target, ClassificationTarget):
        binary: dict[str, Metric] = {"ROC AUC": roc_auc} if len(target.classes) == 2 else {}
        return {"accuracy": accuracy, "log loss": log_loss} | binary
    if len(target.names) == 1:
        return {"R2": r2, "RMSE": rmse, "MAE": mae}
    named: dict[str, Metric] = {"R2": r2}
    for k, name in enumerate(target.names):
        for label, one in (("R2", r2), ("RMSE", rmse), ("MAE", mae)):
            named[f"{label} {name}"] = partial(_of_target, one, k)
    return named


def score(
    named: Mapping[str, Metric],
    truth: Array,
    predictions: Mapping[str, Array],
    *,
    groups: Rows | None = None,
    seed: int = 0,
) -> tuple[Scores, Estimate]:
    """Every metric of every model, and the lead of the first model over the best of the others.

    Standard errors come from resampling the test rows, the same samples for every model. The lead
    is in the first metric (for which higher is better), its error that of the paired difference.

    Args:
        named: metrics by name, the headline first.
        truth: `[N]` or `[N, T]`.
        predictions: of each model by name, in the form that the metrics take.
        groups: `[N]`; rows of one group are as good as copies, and drawn together. All differ when
            not given.
        seed: of the resampling.
    """
    groups = np.arange(len(truth)) if groups is None else np.unique(groups, return_inverse=True)[1]
    independent, rows = int(groups.max()) + 1, _draws(groups, seed)
    if independent < FEWEST:
        rows = rows[:0]  # so few say nothing of their own spread
    scores: Scores = {}
    headline, samples = next(iter(named)), {}
    for model, predicted in predictions.items():
        drawn = _resampled(named, truth, predicted, rows)
        scores[model] = {
            name: Estimate(
                metric(truth, predicted), _spread(drawn[name]) or _least(metric, independent)
            )
            for name, metric in named.items()
        }
        samples[model] = drawn[headline]
    ours, *others = predictions
    rival = max(others, key=lambda model: np.nan_to_num(scores[model][headline].value, nan=-np.inf))
    lead = scores[ours][headline].value - scores[rival][headline].value
    return scores, Estimate(lead, _spread(samples[ours] - samples[rival]))


def baselines(target: Target, X_train: Array, y_train: Array, X_test: Array) -> dict[str, Array]:
    """What two simple models predict for the test rows: no features at all, and a straight line.

    Args:
        target: whose encoding `y_train` is in.
        X_train, X_test: features of the schema, `[N, I]`.
        y_train: standardised values `[N, T]`, or class numbers `[N]`.

    Returns:
        Predictions by name, in the form that `metrics` take.
    """
    if isinstance(target, ClassificationTarget):
        majority = DummyClassifier(strategy="prior").fit(X_train, y_train)
        linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        with warnings.catch_warnings():
            # After 1000 steps it is as good as it gets, whether or not the gradient is quite 0.
            warnings.simplefilter("ignore", ConvergenceWarning)
            linear.fit(X_train, y_train)
        models = {"linear model": linear, "majority class": majority}
        return {name: model.predict_proba(X_test) for name, model in models.items()}
    linear = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13)))
    models = {"linear model": linear, "mean": DummyRegressor()}
    return {
        name: target.decode(model.fit(X_train, y_train).predict(X_test).reshape(len(X_test), -1))
        for name, model in models.items()
    }


# These are scikit-learn's metrics, which the tests hold them to, without its checks of the input:
# the bootstrap calls each of them 600 times, and the checks take longer than the numbers.


def accuracy(truth: Array, probabilities: Array) -> float:
    """Share of rows whose most probable class is the true one."""
    return float((probabilities.argmax(axis=1) == truth).mean())


def log_loss(truth: Array, probabilities: Array) -> float:
    """Mean of minus the natural logarithm of the probability that the true class was given."""
    given = probabilities[np.arange(len(truth)), truth]
    eps = np.finfo(np.float64).eps  # as in scikit-learn: a certainty that fails costs 36, not inf
    return float(-np.log(np.clip(given, eps, 1 - eps)).mean())


def roc_auc(truth: Array, probabilities: Array) -> float:
    """Chance that a random row of class 1 is given a higher probability than one of class 0.

    NaN when there is only one class. Computed from ranks (Mann and Whitney 1947).
    """
    ones = int((truth == 1).sum())
    zeros = len(truth) - ones
    if not ones or not zeros:
        return float("nan")
    ranks = rankdata(probabilities[:, 1])
    return float((ranks[truth == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def r2(truth: Array, predicted: Array) -> float:
    """Share of the variance that is explained, the mean over targets; NaN for constant truth."""
    total = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    if not (total > 0).all():
        return float("nan")
    return float((1 - ((truth - predicted) ** 2).sum(axis=0) / total).mean())


def rmse(truth: Array, predicted: Array) -> float:
    """Root of the mean squared error, in the target's units."""
    return float(np.sqrt(((truth - predicted) ** 2).mean()))


def mae(truth: Array, predicted: Array) -> float:
    """Mean absolute error, in the target's units."""
    return float(np.abs(truth - predicted).mean())


def _of_target(metric: Metric, k: int, truth: Array, predicted: Array) -> float:
    return metric(truth[:, [k]], predicted[:, [k]])


def _draws(groups: Rows, seed: int) -> list[Rows]:
    """Row numbers of `DRAWS` samples: as many groups as there are, each with all of its rows."""
    number = int(groups.max()) + 1
    drawn = np.random.default_rng(seed).integers(number, size=(DRAWS, number))
    every = np.arange(len(groups))
    return [np.repeat(every, np.bincount(sample, minlength=number)[groups]) for sample in drawn]


def _resampled(
    named: Mapping[str, Metric], truth: Array, predicted: Array, rows: list[Rows]
) -> dict[str, NDArray[np.float64]]:
    """The value of each metric on each sample of rows."""
    values = {name: np.empty(len(rows)) for name in named}
    for i, drawn in enumerate(rows):
        sample, guess = truth[drawn], predicted[drawn]
        for name, metric in named.items():
            values[name][i] = metric(sample, guess)
    return values


def _least(metric: Metric, rows: int) -> float:
    """The error of a metric that is the same in every sample.

    All rows right is no proof that all rows ever will be: a share of 0 or 1 gets the error that it
    would have with two more rows right and two wrong (Agresti and Coull 1998).
    """
    if metric is not accuracy:
        return 0.0
    return float(np.sqrt(2 * (rows + 2) / (rows + 4) ** 3))


def _spread(values: NDArray[np.float64]) -> float:
    """Standard deviation of the samples in which the metric is defined; NaN with fewer than two."""
    defined = values[np.isfinite(values)]
    if len(defined) < 2:
        return float("nan")
    spread = float(defined.std(ddof=1))
    return spread if spread > 1e-12 * np.abs(defined).max() else 0.0  # less is rounding
