"""Which rows a model is tested on: a fifth, and none that it could remember."""

import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from slalom.core.errors import BadData, SlalomWarning
from slalom.data.dataset import Rows
from slalom.data.target import ClassificationTarget, Target
from slalom.tabular.distinct import row_hashes

TEST_SHARE = 0.2
ROUGH_BELOW = 30  # different test rows; the score is then said to be rough
KEPT_TO_TRAIN = 2  # different rows of every class, one to train on and one to select on


def alike(frame: pd.DataFrame, columns: Iterable[str]) -> Rows:
    """Numbers from 0 `[N]`, the same for rows with the same cells in these columns.

    Example:
        >>> alike(pd.DataFrame({"a": [5, 7, 5], "b": [1, 2, 3]}), ["a"])
        array([0, 1, 0])
    """
    return pd.factorize(row_hashes(frame[[*columns]]))[0].astype(np.int64)


def groups(
    frame: pd.DataFrame, inputs: tuple[str, ...], targets: tuple[str, ...]
) -> tuple[Rows, str]:
    """Numbers `[N]`, the same for rows that belong on one side, and what there is to say of them.

    Rows with the same features do, even when their targets differ: nets remember the mean of those
    that they trained on, which is no prediction of the others. Where very few combinations of
    features make up a table (one column of yes and no), none of them can be held out, and new rows
    will have the same features anyway: there only exact copies stay together; and where these are
    too many as well, each row is by itself.

    Args:
        frame: rows with a target.
        inputs: the columns that a net sees; numbers of rows and the like would tell copies apart.
        targets: the columns to predict.
    """
    same = alike(frame, inputs)
    choices = (
        (same, ""),
        (alike(frame, (*inputs, *targets)), ", though no exact copies"),
        (np.arange(len(frame)), ", and copies of a row too"),
    )
    most = max(2.0, TEST_SHARE / 2 * len(frame))  # one group alone shall not be the test
    number, beside = next(c for c in choices if np.bincount(c[0]).max() <= most)
    if number is same:
        return number, ""
    share = np.bincount(same).max() / len(frame)
    return number, (
        f"{share:.0%} of the rows have the same features, too many to keep on one side: rows with "
        f"the same features{beside}, are both trained on and tested on. The score is for such "
        "rows, not for new combinations of features."
    )


def held_out(target: Target, frame: pd.DataFrame, group: Rows, seed: int) -> NDArray[np.bool_]:
    """Which rows `[N]` to test on: a fifth of the groups, of each class where it has enough.

    Args:
        target: fitted on the rows.
        frame: rows with a target.
        group: `[N]`, from 0; rows of one group stay on one side.
        seed: of the choice.

    Raises:
        BadData: when the classes have too few rows.
    """
    if isinstance(target, ClassificationTarget):
        return _fifth_of_each_class(target, target.encode(frame), group, seed)
    chosen = train_test_split(np.unique(group), test_size=TEST_SHARE, random_state=seed)[1]
    return np.isin(group, chosen)


def warn_if_rough(group: Rows) -> None:
    """Say it when there are few different test rows."""
    rows = len(np.unique(group))
    if rows < ROUGH_BELOW:
        different = "" if rows == len(group) else "different "
        warnings.warn(
            f"Only {rows} {different}rows are tested on, so the score is rough.",
            SlalomWarning,
            stacklevel=3,
        )


def _fifth_of_each_class(
    target: ClassificationTarget, codes: Rows, group: Rows, seed: int
) -> NDArray[np.bool_]:
    rows = pd.DataFrame({"code": codes, "group": group}).sample(frac=1, random_state=seed)
    rows = rows.drop_duplicates("group")  # a group with several classes counts for one of them
    rows = rows.sample(frac=1, random_state=seed)  # else groups of many rows would come first
    in_class = rows.groupby("code")["group"]
    count = in_class.transform("size")
    share = np.minimum((TEST_SHARE * count).round(), count - KEPT_TO_TRAIN)
    held = np.isin(group, rows["group"][in_class.cumcount() < share])
    lost = np.setdiff1d(codes, codes[~held])  # classes that went along with others: back to train
    held &= ~np.isin(group, group[np.isin(codes, lost)])
    if held.sum() < 2:
        raise BadData(
            f"Target {target.name!r}: its {len(target.classes)} classes have too few of "
            f"{len(codes)} rows each to hold any out for a test. Put rare classes together, or "
            "give a table to test on."
        )
    untested = [repr(target.classes[code]) for code in np.setdiff1d(codes, codes[held])]
    if untested:
        listed = ", ".join(untested[:5]) + (", ..." if len(untested) > 5 else "")
        warnings.warn(
            f"Classes with too few rows to hold one out are trained on but not tested: {listed}.",
            SlalomWarning,
            stacklevel=3,
        )
    return held
