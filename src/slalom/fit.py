"""From a table to a trained model with an honest score: what `slalom fit` does, as a function."""

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

from slalom.data.columns.cells import counted, numbers
from slalom.data.dataset import Rows
from slalom.data.table import read_table
from slalom.data.target import (
    ClassificationTarget,
    Target,
    Task,
    fit_target,
    split_missing_target,
)
from slalom.errors import BadData, BadPlan, SlalomWarning, did_you_mean
from slalom.estimators import Classifier, Regressor
from slalom.runs import Predictor, Run
from slalom.scoring import Array, Estimate, Scores, baselines, log_loss, metrics, r2, score

TEST_SHARE = 0.2
FEWEST_ROWS = 10  # 8 to train and select on, 2 to test on: fewer say nothing
ROUGH_BELOW = 30  # test rows; the score is then said to be rough
KEPT_TO_TRAIN = 2  # rows of every class, one to train on and one to select on
IMPORTANCE_REPEATS = 5
IMPORTANCE_CELLS = 100_000  # shuffled rows x columns a repeat, so that it takes seconds


@dataclass(frozen=True)
class RowCounts:
    """What became of each row of the tables that were given.

    Args:
        train: trained on, in all folds together.
        validation: of these, held out for selection; all of them in turn with several folds.
        folds: how many splits there are.
        test: seen by neither training nor selection, and scored.
        set_aside: without a target, so neither trained on nor scored.
    """

    train: int
    validation: int
    folds: int
    test: int
    set_aside: int

    def __str__(self) -> str:
        if self.folds > 1:
            training = f"{self.train:,} trained and selected on in {self.folds} folds"
        else:
            training = f"{self.train:,} trained on and {self.validation:,} selected on"
        aside = f", {self.set_aside:,} set aside without a target" if self.set_aside else ""
        return f"{training}, {self.test:,} tested on{aside}"


@dataclass(frozen=True, eq=False)
class Fit:
    """A model, how good it is, and everything that a reader may ask about it.

    Args:
        source: what the table is called.
        predictor: the model.
        target: what is predicted, fitted on all rows that have one.
        run: the training of all members.
        rows: what became of the rows.
        scores: model ("slalom" first, then two baselines) to metric (the headline first) to
            estimate, all on the same test rows.
        lead: headline metric of slalom minus that of the better baseline, on the same samples.
        truth: of the test rows: class numbers `[N]`, or values `[N, T]`.
        predicted: for them, probabilities `[N, K]`, or values `[N, T]`.
        importance: one row a column that the model uses, the most important first: column, harm
            (what shuffling its cells costs, see `harm_in`) and error.
        left_out: columns that were left out because the caller said so.
        notes: what the reader should know, in sentences.
        stopped: what ended the training before its plan was carried out: "the time limit", "Ctrl-C"
            or "" for nothing.
        seconds: for all of it.
    """

    source: str
    predictor: Predictor
    target: Target
    run: Run
    rows: RowCounts
    scores: Scores
    lead: Estimate
    truth: Array
    predicted: Array
    importance: pd.DataFrame
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    stopped: str
    seconds: float

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the target columns."""
        if isinstance(self.target, ClassificationTarget):
            return (self.target.name,)
        return self.target.names

    @property
    def columns(self) -> pd.DataFrame:
        """What was made of each column: column, kind, features, note."""
        return self.predictor.schema.summary()

    @property
    def headline(self) -> str:
        """The metric that stands first: accuracy or R2."""
        return next(iter(self.scores["slalom"]))

    @property
    def harm_in(self) -> str:
        """What `importance` counts the loss of: R2, or log likelihood (minus the log loss).

        Not accuracy, which does not move while the same class stays the most probable one.
        """
        return "log likelihood" if self.target.task == "classification" else "R2"

    @property
    def rival(self) -> str:
        """The better one of the two baselines."""
        others = [name for name in self.scores if name != "slalom"]
        return max(others, key=lambda name: np.nan_to_num(self._headline(name), nan=-np.inf))

    @property
    def verdict(self) -> str:
        """One sentence on whether the model is worth more than the better baseline.

        Two standard errors decide, which is about one chance in twenty of a false claim.
        """
        value, error = self.lead.value, self.lead.error
        if not np.isfinite([value, error]).all():
            return f"The {self.headline} is undefined on these rows, so there is no comparison."
        if abs(value) < 2 * error or value == 0:
            return (
                f"That is not clearly different from the {self.rival}: the difference in "
                f"{self.headline} is {self.lead} on the same rows."
            )
        better = "better" if value > 0 else "worse"
        size = Estimate(abs(value), error)
        return f"That is {better} than the {self.rival}, by {size} on the same rows."

    @property
    def score_table(self) -> pd.DataFrame:
        """The scores as text: one row a model, one column a metric."""
        rows = [
            {"model": name} | {metric: str(estimate) for metric, estimate in scores.items()}
            for name, scores in self.scores.items()
        ]
        return pd.DataFrame(rows)

    def leaderboard(self, top: int = 10) -> pd.DataFrame:
        """The best candidates, without columns that say nothing.

        Members that differ only by their fold are one candidate, with its means over the folds.
        Settings in which all candidates are alike are left out, and `lr`, which the optimizer has.
        """
        setting = ["net", "optimizer", "batch_size", "seed"]
        measured = ["train_loss", "validation_loss", self.run.metric, "best_step"]
        board = self.run.leaderboard()
        board = board.groupby(setting, sort=False, dropna=False)[measured].mean().reset_index()
        board = board.sort_values("validation_loss", kind="stable").round({"best_step": 0})
        board.insert(0, "rank", range(1, len(board) + 1))
        alike = [name for name in setting[2:] if board[name].nunique(dropna=False) == 1]
        board = board.astype({"best_step": "Int64"}).drop(columns=alike).head(top)
        return board.rename(columns=lambda name: name.replace("_", " "))

    @property
    def field(self) -> str:
        """Who is on the leaderboard."""
        members = len(self.run.population)
        if self.rows.folds == 1:
            return f"{members} members"
        candidates = members // self.rows.folds
        return f"{candidates} candidates, means over {self.rows.folds} folds ({members} members)"

    def _headline(self, model: str) -> float:
        return self.scores[model][self.headline].value


def fit_table(
    table: Any,
    target: str | Sequence[str],
    *,
    test: Any = None,
    drop: Sequence[str] = (),
    task: Task | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    **arguments: Any,
) -> Fit:
    """Train on a table, and score on rows of it that neither training nor selection saw.

    Args:
        table: a path or a frame; see `slalom.read_table`.
        target: the column to predict, or several columns of numbers.
        test: another table to score on; a fifth of the rows, by class, when not given.
        drop: columns to leave out, such as those that give the target away.
        task: "regression" or "classification", to override what the target looks like.
        time_limit: seconds for the training.
        seed: of the test rows, the splits and the nets.
        **arguments: as for `Regressor` and `Classifier`, such as `epochs`.

    Returns:
        The fit. Ctrl-C during the training ends it early, and what was reached is scored.

    Raises:
        BadFile: when a table cannot be read.
        BadData: when there is no such column, or too little to train or test on.

    Example:
        >>> import numpy as np, pandas as pd
        >>> x = np.linspace(-1, 1, 200)
        >>> fit = fit_table(pd.DataFrame({"x": x, "y": 3 * x}), "y", epochs=2)
        >>> fit.rows.test, list(fit.scores)
        (40, ['slalom', 'linear model', 'mean'])
    """
    began = time.perf_counter()
    if time_limit is not None and not time_limit > 0:
        raise BadPlan(f"time_limit must be a number of seconds > 0, but {time_limit!r} was given.")
    with _noted() as caught:
        names = (target,) if isinstance(target, str) else tuple(dict.fromkeys(target))
        parts = _Parts.of(table, names, test, tuple(drop), task, seed)
        y = _readable(parts.target, parts.train)
        estimator = (Classifier if parts.target.task == "classification" else Regressor)(
            time_limit=time_limit, random_state=seed, **arguments
        )
        trained = time.perf_counter()
        estimator.fit(parts.train.drop(columns=[*names]), y)
        trained = time.perf_counter() - trained
        predictor, run = estimator.predictor_, estimator.run_
        truth, predicted = _truth(parts.target, parts.test), _outputs(predictor, parts.test)
        measures = metrics(parts.target)
        scores, lead = score(
            measures,
            truth,
            {"slalom": predicted} | _baselines(predictor, parts),
            seed=seed,
        )
        return Fit(
            source=_name(table),
            predictor=predictor,
            target=parts.target,
            run=run,
            rows=_counts(run, parts),
            scores=scores,
            lead=lead,
            truth=truth,
            predicted=predicted,
            importance=_importance(estimator, parts, truth, seed),
            left_out=tuple(drop),
            notes=tuple(dict.fromkeys(str(warning.message) for warning in caught)),
            stopped=_stopped(run, trained, time_limit),
            seconds=time.perf_counter() - began,
        )


@dataclass(frozen=True, eq=False)
class _Parts:
    """The rows to train and select on, those to test on, and how many are neither."""

    train: pd.DataFrame
    test: pd.DataFrame
    target: Target
    set_aside: int

    @classmethod
    def of(
        cls,
        table: Any,
        names: tuple[str, ...],
        test: Any,
        drop: tuple[str, ...],
        task: Task | None,
        seed: int,
    ) -> "_Parts":
        whole, aside = _with_target(table, names, drop)
        if test is None:
            _check_enough(len(whole))
        target = fit_target(whole[list(names)], task)
        if test is None:
            held = _held_out(target, whole, seed)
            return cls(whole[~held], whole[held], target, aside)
        scored, aside_test = _with_target(test, names, ())
        if len(scored) < 2:
            raise BadData(f"{_name(test)} has 1 row with a target; at least 2 are needed to score.")
        _warn_if_rough(len(scored))
        return cls(whole, scored, target, aside + aside_test)


def _with_target(
    table: Any, names: tuple[str, ...], drop: tuple[str, ...]
) -> tuple[pd.DataFrame, int]:
    """The rows that have all targets, without the columns in `drop`, and how many have not."""
    frame, where = read_table(table), _name(table)
    columns = frame.columns.tolist()
    if not names:
        raise BadData(f"Name at least one target column of {where}.")
    for name in (*names, *drop):
        if name not in columns:
            raise BadData(f"{where} has no column {name!r}. {did_you_mean(name, columns)}")
    for name in set(names) & set(drop):
        raise BadData(f"Column {name!r} cannot be both the target and left out.")
    if not set(columns) - {*names, *drop}:
        raise BadData(f"{where} has no column besides the target and those left out.")
    present, missing = split_missing_target(frame.drop(columns=[*drop]), names)
    if len(missing):
        warnings.warn(
            f"{len(missing)} of {len(frame)} rows of {where} have no {' or '.join(names)}: they "
            "are set aside, neither trained on nor scored.",
            SlalomWarning,
            stacklevel=4,
        )
    return present, len(missing)


def _check_enough(rows: int) -> None:
    if rows < FEWEST_ROWS:
        raise BadData(
            f"{counted(rows, 'row')} with a target cannot be trained on, selected on and "
            f"tested on: at least {FEWEST_ROWS} are needed. Collect more rows."
        )


def _held_out(target: Target, frame: pd.DataFrame, seed: int) -> NDArray[np.bool_]:
    """Which rows to test on: a fifth, and of each class a fifth where it has rows enough."""
    if isinstance(target, ClassificationTarget):
        rows = _fifth_of_each_class(target, target.encode(frame), seed)
    else:
        rows = train_test_split(np.arange(len(frame)), test_size=TEST_SHARE, random_state=seed)[1]
    held = np.zeros(len(frame), dtype=bool)
    held[rows] = True
    _warn_if_rough(int(held.sum()))
    return held


def _fifth_of_each_class(target: ClassificationTarget, codes: Rows, seed: int) -> Rows:
    generator = np.random.default_rng(seed)
    taken: list[Rows] = []
    untested: list[str] = []
    for code, label in enumerate(target.classes):
        rows = generator.permutation(np.flatnonzero(codes == code))
        share = max(0, min(round(TEST_SHARE * len(rows)), len(rows) - KEPT_TO_TRAIN))
        taken.append(rows[:share])
        if not share:
            untested.append(repr(label))
    held = np.concatenate(taken)
    if len(held) < 2:
        raise BadData(
            f"Target {target.name!r}: its {len(target.classes)} classes have too few of "
            f"{len(codes)} rows each to hold any out for a test. Put rare classes together, or "
            "give a table to test on."
        )
    if untested:
        listed = ", ".join(untested[:5]) + (", ..." if len(untested) > 5 else "")
        warnings.warn(
            f"Classes with too few rows to hold one out are trained on but not tested: {listed}.",
            SlalomWarning,
            stacklevel=6,
        )
    return held


def _warn_if_rough(rows: int) -> None:
    if rows < ROUGH_BELOW:
        warnings.warn(
            f"Only {rows} rows are tested on, so the score is rough.", SlalomWarning, stacklevel=5
        )


def _readable(target: Target, frame: pd.DataFrame) -> Any:
    """The target as the estimators take it: labels, or numbers whatever they were written as."""
    if isinstance(target, ClassificationTarget):
        return pd.Series(target.decode(target.encode(frame)), name=target.name)
    values = pd.DataFrame(_truth(target, frame), columns=list(target.names))
    return values if len(target.names) > 1 else values[target.names[0]]


def _truth(target: Target, frame: pd.DataFrame) -> Array:
    """Class numbers `[N]`, or values `[N, T]` in float64."""
    encoded = target.encode(frame)  # checks every cell
    if isinstance(target, ClassificationTarget):
        return encoded
    columns = zip(target.names, target.decimal, strict=True)
    return np.stack([numbers(frame[name], mark)[0] for name, mark in columns], axis=1)


def _outputs(predictor: Predictor, frame: pd.DataFrame) -> Array:
    """Probabilities `[N, K]`, or values `[N, T]`."""
    if predictor.task == "classification":
        return predictor.predict_proba(frame)
    return np.asarray(predictor.predict(frame)).reshape(len(frame), -1)


def _baselines(predictor: Predictor, parts: _Parts) -> dict[str, Array]:
    with _silent():  # what the table has to say was said when the nets were scored
        X_train, X_test = (predictor.schema.encode(part) for part in (parts.train, parts.test))
    return baselines(parts.target, X_train, parts.target.encode(parts.train), X_test)


def _importance(estimator: Any, parts: _Parts, truth: Array, seed: int) -> pd.DataFrame:
    """How much worse predictions get when the cells of one column are shuffled (Breiman 2001)."""
    predictor = estimator.predictor_
    inputs = list(predictor.schema.inputs)
    rows = min(len(truth), max(200, IMPORTANCE_CELLS // len(inputs)))
    chosen = np.sort(np.random.default_rng(seed).permutation(len(truth))[:rows])

    def goodness(_: Any, X: pd.DataFrame, y: Array) -> float:
        predicted = _outputs(predictor, X)
        return -log_loss(y, predicted) if predictor.task == "classification" else r2(y, predicted)

    with _silent():
        found = permutation_importance(
            estimator,
            parts.test[inputs].iloc[chosen],
            truth[chosen],
            scoring=goodness,
            n_repeats=IMPORTANCE_REPEATS,
            random_state=seed,
        )
    frame = pd.DataFrame(
        {"column": inputs, "harm": found.importances_mean, "error": found.importances_std}
    )
    return frame.sort_values("harm", ascending=False, kind="stable").reset_index(drop=True)


def _counts(run: Run, parts: _Parts) -> RowCounts:
    folds = run.dataset.folds
    share = len(folds[0].validation) / (len(folds[0].train) + len(folds[0].validation))
    validation = len(parts.train) if len(folds) > 1 else round(share * len(parts.train))
    train = len(parts.train) if len(folds) > 1 else len(parts.train) - validation
    return RowCounts(train, validation, len(folds), len(parts.test), parts.set_aside)


def _stopped(run: Run, seconds: float, time_limit: float | None) -> str:
    if not run.interrupted:
        return ""
    # The timer never fires early, so what ended before the limit was ended by the keyboard.
    return "Ctrl-C" if time_limit is None or seconds < time_limit else "the time limit"


def _name(table: Any) -> str:
    return Path(table).name if isinstance(table, str | Path) else "The table"


@contextmanager
def _noted() -> Iterator[list[warnings.WarningMessage]]:
    """Collect warnings; they reach the caller afterwards, even when an error follows."""
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SlalomWarning)
            yield caught
    finally:
        for w in caught:
            warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)


@contextmanager
def _silent() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlalomWarning)
        yield
