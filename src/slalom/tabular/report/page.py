"""What stands in the report, and the file that it is written to."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from slalom import __version__, plots
from slalom.core.files import write_whole
from slalom.core.templates import page_templates
from slalom.data.target import ClassificationTarget
from slalom.tabular.fit import Fit
from slalom.tabular.report.embedding import embedded

LEADERS = 20
MOST_TARGETS = 6  # pictures of truth against prediction, one a target


@dataclass(frozen=True)
class EmbeddedPicture:
    """A picture as a data address, what it shows, and how to read it.

    Args:
        source: `data:image/...`.
        shows: in a few words, for those who cannot see it.
        caption: how to read it.
    """

    source: str
    shows: str
    caption: str


def write_report(fit: Fit, path: str | Path, model: str | Path = "model.slalom") -> Path:
    """Write the report of a fit: one HTML file with all pictures in it.

    It loads nothing from anywhere and runs no script. An existing file is replaced only once the
    new one is whole.

    Args:
        fit: what to report.
        path: of the file to write.
        model: the model file, named in the lines that say how to use it.

    Raises:
        BadFile: when the file cannot be written.

    Example:
        >>> from slalom.tabular.fit import fit_table
        >>> fit = fit_table("houses.csv", "price")           # doctest: +SKIP
        >>> write_report(fit, "houses.html")                 # doctest: +SKIP
        PosixPath('houses.html')
    """
    path = Path(path)
    write_whole(path, render(fit, Path(model)).encode("utf-8", errors="replace"))
    return path


def render(fit: Fit, model: Path) -> str:
    """The report as HTML text."""
    return (
        page_templates("slalom.tabular.report")
        .get_template("page.html.j2")
        .render(
            fit=fit,
            target=", ".join(fit.targets),
            version=__version__,
            metrics=list(fit.scores["slalom"]),
            predictions=_predictions(fit),
            importance=_importance(fit),
            curves=_curves(fit),
            diagnosis=_diagnosis(fit),
            columns=_records(fit.columns),
            unused=int((fit.columns["features"] == 0).sum()),
            leaders=_records(fit.leaderboard(LEADERS)),
            trained=fit.trained,
            nets=len(fit.predictor.modules),
            model=str(model),
            quoted=_quoted(model),
            seconds=_duration(fit.seconds),
        )
    )


def _predictions(fit: Fit) -> list[EmbeddedPicture]:
    if isinstance(fit.target, ClassificationTarget):
        return _class_pictures(fit, fit.target)
    return [
        EmbeddedPicture(
            embedded(plots.residuals(fit.truth[:, k], fit.predicted[:, k], name=name)),
            f"Predictions of {name} against the truth, and their errors",
            "Test rows only; the nearer to the line, the better.",
        )
        for k, name in enumerate(fit.targets[:MOST_TARGETS])
    ]


def _class_pictures(fit: Fit, target: ClassificationTarget) -> list[EmbeddedPicture]:
    classes = list(target.classes)
    truth = target.decode(fit.truth)
    predicted = target.decode(fit.predicted.argmax(axis=1))
    return [
        EmbeddedPicture(
            embedded(plots.confusion(truth, predicted, classes)),
            "Which class was taken for which",
            "Each row of the picture is a true class; what is off the diagonal is wrong.",
        ),
        EmbeddedPicture(
            embedded(plots.calibration(truth, fit.predicted, classes)),
            "How often predictions come true beside how sure they were",
            "On the diagonal, of the rows that were given 80 % about 80 % come true.",
        ),
    ]


def _importance(fit: Fit) -> EmbeddedPicture:
    frame = fit.importance
    figure = plots.importance(
        frame["column"].tolist(), frame["harm"], frame["error"], score=fit.harm_in
    )
    return EmbeddedPicture(
        embedded(figure),
        "How much worse predictions get when one column is shuffled",
        "The cells of one column at a time were shuffled among the test rows. A column that "
        "another one can stand in for looks unimportant, and importance is not cause.",
    )


def _curves(fit: Fit) -> EmbeddedPicture | None:
    if fit.run.history.empty:  # stopped before the first epoch was over
        return None
    return EmbeddedPicture(
        embedded(plots.learning_curves(fit.run)),
        "Learning curves of all members",
        f"One line a member, {fit.trained:,} in all; the best ones are named.",
    )


def _diagnosis(fit: Fit) -> list[str]:
    """The best member by name, then what its training looked like, a sentence or two each."""
    found = fit.diagnosis
    member = fit.run.population[found.member]
    return [member.label, *(finding.text() for finding in found.findings)]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries of text."""
    return [
        {str(k): f"{v:.4g}" if isinstance(v, float) else str(v) for k, v in row.items()}
        for row in frame.to_dict("records")
    ]


def _quoted(model: Path) -> str:
    """The path as one word of a command line; double quotes mean the same in every shell."""
    text = str(model)
    return text if shlex.quote(text) == text else f'"{text}"'


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
