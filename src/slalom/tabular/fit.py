"""From a table to a trained model with an honest score: what `slalom fit` does, as a function."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.inspection import permutation_importance
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from slalom.core.errors import BadData, BadPlan, SlalomWarning, did_you_mean
from slalom.data.columns.cells import counted, numbers
from slalom.data.dataset import Rows
from slalom.data.schema import Schema
from slalom.data.table import read_table
from slalom.data.target import (
    ClassificationTarget,
    Target,
    Task,
    fit_target,
    split_missing_target,
)
from slalom.diagnosis import Diagnosis, diagnose
from slalom.estimators import Classifier, Regressor
from slalom.models import Predictor
from slalom.runs import Run
from slalom.tabular.holdout import alike, held_out, kinds, warn_if_rough
from slalom.tabular.scoring import Array, Estimate, Scores, baselines, log_loss, metrics, r2, score

FEWEST_ROWS = 10  # 8 to train and select on, 2 to test on: fewer say nothing
IMPORTANCE_REPEATS = 5
IMPORTANCE_CELLS = 100_000  # shuffled rows x columns a repeat, so that it takes seconds
FEWEST_TO_TELL = 100  # test rows; fewer may all be right by luck
SUSPECTS = 5  # columns, the most important first, that may tell the target all alone
TELLING = 0.99  # of what one gets wrong without any column; less is nothing strange


@dataclass(frozen=True)
class RowCounts:
    """What became of each row of the tables that were given.

    Args:
        train: trained on, in all folds together.
        validation: of these, held out for selection; all of them in turn with several folds.
        folds: how many splits there are.
        test: seen by neither training nor selection, and scored.
        set_aside: without a target, so neither trained on nor scored.
        repeated: of those with a target, the ones with all features of an earlier row.
    """

    train: int
    validation: int
    folds: int
    test: int
    set_aside: int
    repeated: int

    def __str__(self) -> str:
        if self.folds > 1:
            training = f"{self.train:,} trained and selected on in {self.folds} folds"
        else:
            training = f"{self.train:,} trained on and {self.validation:,} selected on"
        aside = f", {self.set_aside:,} set aside without a target" if self.set_aside else ""
        again = f"; {self.repeated:,} have the features of an earlier row" if self.repeated else ""
        return f"{training}, {self.test:,} tested on{aside}{again}"


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
    def stopped(self) -> str:
        """What ended the training before its plan was carried out, in words; "" for nothing."""
        return {"": "", "time limit": "the time limit", "interrupt": "Ctrl-C"}[self.run.stopped_by]

    @property
    def diagnosis(self) -> Diagnosis:
        """What the training of the best member looked like; see `slalom.diagnose`."""
        return diagnose(self.run)

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
        if not np.isfinite(value):
            return f"The {self.headline} is undefined on these rows, so there is no comparison."
        if not np.isfinite(error):
            return "So few different rows are tested on that a comparison would say nothing."
        if value == 0:
            return f"The {self.rival} is just as good on these rows."
        if abs(value) < 2 * error:
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

        Members that differ only by their fold are one candidate, with its means over the folds; one
        that diverged on a fold before it was validated there has none and comes last. Settings in
        which all candidates are alike are left out, and `lr`, which the optimizer has.
        """
        setting = ["net", "optimizer", "batch_size", "schedule", "clip_norm", "seed"]
        measured = ["train_loss", "validation_loss", self.run.metric, "best_step"]
        members = self.run.leaderboard()
        of = [self.run.population[k] for k in members["member"]]
        members["schedule"] = [str(member.schedule) for member in of]
        members["clip_norm"] = [member.clip_norm for member in of]
        members["diverged"] = members["status"].str.startswith("diverged")
        candidate = members["member"] // self.rows.folds  # its folds are adjacent
        groups = members.groupby([candidate, *setting], sort=False, dropna=False)
        board = groups[measured].agg(_mean_of_all)
        board["status"] = [self._status(folds) for folds in groups["diverged"].sum()]
        board = board.reset_index(setting).sort_values("validation_loss", kind="stable")
        board.insert(0, "rank", range(1, len(board) + 1))
        same = [name for name in setting[2:] if board[name].nunique(dropna=False) == 1]
        if not board["status"].any():
            same.append("status")
        board = board.round({"best_step": 0}).astype({"best_step": "Int64"}).drop(columns=same)
        board = board.reset_index(drop=True).head(top)
        return board.rename(columns=lambda name: name.replace("_", " "))

    @property
    def field(self) -> str:
        """Who is on the leaderboard."""
        members = len(self.run.population)
        if self.rows.folds == 1:
            return f"{members} members"
        candidates = members // self.rows.folds
        return f"{candidates} candidates, means over {self.rows.folds} folds ({members} members)"

    def _status(self, diverged: int) -> str:
        if not diverged:
            return ""
        return f"diverged on {counted(diverged, 'fold')}" if self.rows.folds > 1 else "diverged"

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
    on_columns: Callable[[pd.DataFrame], None] | None = None,
    on_model: Callable[[Predictor], None] | None = None,
    **arguments: Any,
) -> Fit:
    """Train on a table, and score on rows of it that neither training nor selection saw.

    Args:
        table: a path or a frame; see `slalom.read_table`.
        target: the column to predict, or several columns of numbers.
        test: another table to score on; when not given, a fifth of the rows, by class, none
            of them with the features of a row that is trained on (see `slalom.tabular.holdout`).
        drop: columns to leave out, such as those that give the target away.
        task: "regression" or "classification", to override what the target looks like.
        time_limit: seconds for the training.
        seed: of the test rows, the splits and the nets.
        on_columns: called before the training with what is made of each column: a frame of column,
            kind, features and note.
        on_model: called with the model as soon as there is one, before it is scored.
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
        if on_columns is not None:
            on_columns(Schema.fit(parts.train, exclude=names).summary())
        estimator = (Classifier if parts.target.task == "classification" else Regressor)(
            time_limit=time_limit, random_state=seed, **arguments
        )
        estimator.fit(parts.train.drop(columns=[*names]), y)
        predictor, run = estimator.predictor_, estimator.run_
        if on_model is not None:
            on_model(predictor)
        truth, predicted = _truth(parts.target, parts.test), _outputs(predictor, parts.test)
        encoded = _Encoded.of(predictor.schema, parts)
        rivals = baselines(parts.target, encoded.X_train, encoded.y_train, encoded.X_test)
        scores, lead = score(
            metrics(parts.target),
            truth,
            {"slalom": predicted} | rivals,
            kinds=parts.kinds,
            seed=seed,
        )
        importance = _importance(estimator, parts, truth, seed)
        _warn_if_told(importance["column"].tolist(), encoded)
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
            importance=importance,
            left_out=tuple(drop),
            notes=tuple(dict.fromkeys([*(str(w.message) for w in caught), *run.notes])),
            seconds=time.perf_counter() - began,
        )


@dataclass(frozen=True, eq=False)
class _Parts:
    """The rows to train and select on, and those to test on.

    Args:
        train, test: rows that have a target.
        target: fitted on all rows of the table.
        kinds: of the test rows `[N]`, see `slalom.tabular.holdout`.
        set_aside, repeated: see `RowCounts`.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    target: Target
    kinds: Rows
    set_aside: int
    repeated: int

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
        whole, aside = with_target(table, names, drop)
        if test is None:
            _check_enough(len(whole))
        target = fit_target(whole[list(names)], task)
        schema = Schema.fit(whole, exclude=names)  # of which columns a net can see
        if test is None:
            kind, caution = kinds(whole, schema.inputs, names)
            if caution:
                warnings.warn(caution, SlalomWarning, stacklevel=3)
            held = held_out(target, whole, kind, seed)
            warn_if_rough(kind[held])
            repeated = len(whole) - len(np.unique(alike(whole, schema.inputs)))
            return cls(whole[~held], whole[held], target, kind[held], aside, repeated)
        scored, aside_test = with_target(test, names, ())
        if len(scored) < 2:
            raise BadData(f"{_name(test)} has 1 row with a target; at least 2 are needed to score.")
        with _silent():  # refuse what does not fit before the training, not after it
            schema.encode(scored)
            target.encode(scored)
        kind, _ = kinds(scored, schema.inputs, names)
        warn_if_rough(kind)
        same = alike(pd.concat([whole, scored]), schema.inputs)
        if seen := int(np.isin(same[len(whole) :], same[: len(whole)]).sum()):
            warnings.warn(
                f"{seen} of {len(scored)} rows of {_name(test)} have the features of a row trained "
                "on: their score may come from memory.",
                SlalomWarning,
                stacklevel=3,
            )
        repeated = len(same) - len(np.unique(same))
        return cls(whole, scored, target, kind, aside + aside_test, repeated)


@dataclass(frozen=True, eq=False)
class _Encoded:
    """The same rows as the nets see them: features `[N, I]`, and targets as numbers or classes.

    Args:
        X_train, y_train, X_test, y_test: of the rows to train and to test on.
        column: which column each feature is of, `[I]`.
    """

    X_train: Array
    y_train: Array
    X_test: Array
    y_test: Array
    column: Array

    @classmethod
    def of(cls, schema: Schema, parts: _Parts) -> "_Encoded":
        made = schema.summary()
        with _silent():  # what the table has to say was said when the nets were scored
            X_train, X_test = schema.encode(parts.train), schema.encode(parts.test)
        y_train, y_test = parts.target.encode(parts.train), parts.target.encode(parts.test)
        column = np.repeat(made["column"].to_numpy(), made["features"])
        return cls(X_train, y_train, X_test, y_test, column)


def with_target(
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


def _warn_if_told(columns: Sequence[str], rows: _Encoded) -> None:
    """Say which of the columns alone tells the target: it may be known only when the target is.

    A tree finds any such rule from one column, where nets may be too smooth or lean on two at once.
    """
    if len(columns) == 1 or len(rows.X_test) < FEWEST_TO_TELL:
        return
    classes = rows.y_test.ndim == 1
    chance = np.bincount(rows.y_test).max() / len(rows.y_test) if classes else 0.0
    for name in columns[:SUSPECTS]:
        own = rows.column == name
        tree = (DecisionTreeClassifier if classes else DecisionTreeRegressor)(random_state=0)
        tree.fit(rows.X_train[:, own], rows.y_train)
        wrong = 1 - tree.score(rows.X_test[:, own], rows.y_test)
        if wrong < (1 - TELLING) * (1 - chance):
            warnings.warn(
                f"Column {name!r} alone tells the target: is it known before? If not, leave it out "
                "(drop); the score is too good then.",
                SlalomWarning,
                stacklevel=3,
            )


def _mean_of_all(values: "pd.Series[float]") -> float:
    return float(values.mean(skipna=False))


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
    return RowCounts(
        train, validation, len(folds), len(parts.test), parts.set_aside, parts.repeated
    )


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
