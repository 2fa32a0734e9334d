"""From a table to a trained model with an honest score: what `slalom fit` does, as a function."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from slalom.core.errors import SlalomWarning
from slalom.data.columns.cells import counted
from slalom.data.dataset import Task
from slalom.data.missing import MissingLike
from slalom.data.schema import Encoded
from slalom.data.target import Target
from slalom.diagnosis import Diagnosis, diagnose
from slalom.models import Predictor
from slalom.runs import Run
from slalom.tabular.candidate import candidate_numbers
from slalom.tabular.ensemble import Keep, Settings, fit_ensemble
from slalom.tabular.importance import importance
from slalom.tabular.preparation import Preparation
from slalom.tabular.rows import TableRows, name_of
from slalom.tabular.scoring import Array, Estimate, Scores, baselines, metrics, score

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
        target: what is predicted.
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
        return self.target.columns

    @property
    def columns(self) -> pd.DataFrame:
        """What was made of each column: column, group, features, note."""
        return self.predictor.schema.summary()

    @property
    def stopped(self) -> str:
        """What ended the training before its plan was carried out, in words; "" for nothing."""
        return {
            "": "",
            "time limit": "the time limit",
            "interrupt": "Ctrl-C",
            "terminate": "SIGTERM",
        }[self.run.stopped_by]

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
        that diverged on a fold before it was validated there has none and comes last, and one that
        was trained on its first fold alone is left out. Settings in which all that are shown are
        alike are left out, and `lr`, which the optimizer has.
        """
        setting = ["net", "optimizer", "batch_size", "schedule", "clip_norm", "seed"]
        measured = ["train_loss", "validation_loss", self.run.metric, "best_step"]
        members = self.run.leaderboard()
        members["candidate"] = candidate_numbers(self.run.population)[members["member"]]
        begun = members["status"] != "not begun"
        whole = begun.groupby(members["candidate"]).transform("all")
        members = members[whole if whole.any() else begun]  # or none got beyond the first fold
        of = [self.run.population[k] for k in members["member"]]
        members["schedule"] = [str(member.schedule) for member in of]
        members["clip_norm"] = [member.clip_norm for member in of]
        members["diverged"] = members["status"].str.startswith("diverged")
        groups = members.groupby(["candidate", *setting], sort=False, dropna=False)
        board = groups[measured].agg(_mean_of_all)
        board["status"] = [self._status(folds) for folds in groups["diverged"].sum()]
        board = board.reset_index(setting).sort_values("validation_loss", kind="stable").head(top)
        board.insert(0, "rank", range(1, len(board) + 1))
        same = [name for name in setting[2:] if board[name].nunique(dropna=False) == 1]
        if not board["status"].any():
            same.append("status")
        board = board.round({"best_step": 0}).astype({"best_step": "Int64"}).drop(columns=same)
        board = board.reset_index(drop=True)
        return board.rename(columns=lambda name: name.replace("_", " "))

    @property
    def trained(self) -> int:
        """How many members were trained at all; `tabular.elimination` held the others back."""
        return int((self.run.state.step > 0).sum())

    @property
    def field(self) -> str:
        """Who is on the leaderboard."""
        members, folds = len(self.run.population), self.rows.folds
        if folds == 1:
            return f"{members} members"
        trained, candidate = self.run.state.step > 0, candidate_numbers(self.run.population)
        candidates, whole = members // folds, int((np.bincount(candidate[trained]) == folds).sum())
        if whole == candidates:
            return f"{candidates} candidates, means over {folds} folds ({members} members)"
        if not whole:
            return (
                f"{candidates} candidates, on the first of {folds} folds ({trained.sum()} members)"
            )
        return (
            f"{candidates} candidates, of which the {whole} best of the first fold were trained on "
            f"all {folds} ({trained.sum()} members)"
        )

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
    missing: MissingLike = (),
    validation: Any = "auto",
    on_columns: Callable[[pd.DataFrame], None] | None = None,
    on_model: Callable[[Predictor], None] | None = None,
    keep: Keep | None = None,
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
        missing: values that stand for missing cells, such as -999, in all columns; one such as
            "size=-999" in one. The model takes them for missing, too.
        validation: which rows to select on; as for `Regressor`.
        on_columns: called before the training with what is made of each column: a frame of column,
            group, features and note.
        on_model: called with the model as soon as there is one, before it is scored.
        keep: gives the folder where the run is kept; nowhere when not given. See
            `slalom.tabular.keeping`.
        **arguments: as for `Regressor` and `Classifier`, such as `epochs`; and `watch`, which is
            called with the `Training` before it begins, to listen to it.

    Returns:
        The fit. Ctrl-C during the training ends it early, and what was reached is scored; or, where
        the run is kept, raises a KeyboardInterrupt, and `slalom.resume` goes on with it.

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
    settings = Settings(time_limit=time_limit, seed=seed, **arguments)
    with _noted() as caught:
        names = (target,) if isinstance(target, str) else tuple(dict.fromkeys(target))
        rows = TableRows.of(table, names, test, tuple(drop), task, seed, missing)
        prepared = _train(rows, seed, validation)
        # Encoded, and refused where it does not fit, before the training and not after it.
        tested, truth = prepared.schema.encode_once(rows.test), rows.target.values(rows.test)
        if on_columns is not None:
            on_columns(prepared.schema.summary())
        ensemble = fit_ensemble(prepared, settings, keep)
        predictor, run = ensemble.predictor(), ensemble.run
        if on_model is not None:
            on_model(predictor)
        predicted = predictor.predict_features(tested.features)
        rivals = baselines(prepared.target, prepared.X, prepared.y, tested.features)
        scores, lead = score(
            metrics(rows.target),
            truth,
            {"slalom": predicted} | rivals,
            groups=rows.groups,
            seed=seed,
        )
        needed = importance(predictor, tested, truth, seed)
        _warn_if_told(
            needed["column"].tolist(), prepared, tested, prepared.target.standardised(truth)
        )
        return Fit(
            source=name_of(table),
            predictor=predictor,
            target=prepared.target,
            run=run,
            rows=_counts(run, rows),
            scores=scores,
            lead=lead,
            truth=truth,
            predicted=predicted,
            importance=needed,
            left_out=tuple(drop),
            notes=_notes(caught, prepared, run),
            seconds=time.perf_counter() - began,
        )


def _notes(
    caught: list[warnings.WarningMessage], prepared: Preparation, run: Run
) -> tuple[str, ...]:
    """What was said on the way, and what was left out when the table was read; each once."""
    said = [str(warning.message) for warning in caught]
    read = [note for note in prepared.schema.notes if not any(note in each for each in said)]
    return tuple(dict.fromkeys([*said, *read, *run.notes]))


def _train(rows: TableRows, seed: int, validation: Any) -> Preparation:
    """The rows to train and select on, prepared."""
    target = rows.target
    features = rows.train.drop(columns=[*target.columns])
    return Preparation.of(
        features, target, target.values(rows.train), validation=validation, seed=seed
    )


def _warn_if_told(
    columns: Sequence[str], prepared: Preparation, tested: Encoded, y_test: Array
) -> None:
    """Say which of the columns alone tells the target: it may be known only when the target is.

    A tree finds any such rule from one column, where nets may be too smooth or lean on two at once.
    """
    if len(columns) == 1 or len(y_test) < FEWEST_TO_TELL:
        return
    classes = y_test.ndim == 1
    chance = np.bincount(y_test).max() / len(y_test) if classes else 0.0
    own = {group.name: group.slice for group in prepared.schema.groups}
    for name in columns[:SUSPECTS]:
        tree = (DecisionTreeClassifier if classes else DecisionTreeRegressor)(random_state=0)
        tree.fit(prepared.X[:, own[name]], prepared.y)
        wrong = 1 - tree.score(tested.features[:, own[name]], y_test)
        if wrong < (1 - TELLING) * (1 - chance):
            warnings.warn(
                f"Column {name!r} alone tells the target: is it known before? If not, leave it out "
                "(drop); the score is too good then.",
                SlalomWarning,
                stacklevel=3,
            )


def _mean_of_all(values: "pd.Series[float]") -> float:
    return float(values.mean(skipna=False))


def _counts(run: Run, rows: TableRows) -> RowCounts:
    folds = run.dataset.folds
    share = len(folds[0].validation) / (len(folds[0].train) + len(folds[0].validation))
    validation = len(rows.train) if len(folds) > 1 else round(share * len(rows.train))
    train = len(rows.train) if len(folds) > 1 else len(rows.train) - validation
    return RowCounts(train, validation, len(folds), len(rows.test), rows.set_aside, rows.repeated)


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
