"""What a page asks for, checked: plain JSON to a dataset, a population, and how they were made.

    {"data": {"toy": "moons", "n": 200, "noise": 0.1, "seed": 0, "held_out": 0.3},
     "hidden": [8, 8], "activation": "tanh", "optimizer": {"kind": "Adam", "lr": 0.01},
     "dropout": 0, "clip_norm": null, "batch_size": 16, "seed": 0,
     "vary": {"lr": [0.001, 0.01], "width": [2, 4, 8]}}

Specs are read by `Spec.from_json`, so an argument has the name that it has everywhere, and nothing
is evaluated.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from inspect import signature
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from slalom.core.errors import BadData, BadPlan, SlalomError, did_you_mean
from slalom.core.language import tr
from slalom.data import toys
from slalom.data.dataset import Dataset, Split
from slalom.nets import MLP
from slalom.optim import OPTIMIZERS, Optimizer
from slalom.population import Member, Population

MOST_POINTS, MOST_LAYERS, MOST_UNITS = 2000, 6, 256
MOST_CLASSES = 10
MOST_MEMBERS, MOST_WEIGHTS = 1024, 2**21  # of all members together, 8 MB an array of the state
TOYS = toys.REGRESSION | toys.CLASSIFICATION
VARIED = ("lr", "width", "depth", "activation", "optimizer", "batch_size", "seed", "momentum")

# Whoever draws needs a paper that does not move under the pen.
Bounds: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
DRAWN: Bounds = ((-1.2, -1.2), (1.2, 1.2))
Tables = Callable[[str, str, str, str], Dataset]


class BadSetting(BadPlan):
    """A setting that makes no sense.

    Args:
        setting: which one, as the page calls it.
        what: is wrong, in a sentence.
    """

    def __init__(self, setting: str, what: str) -> None:
        super().__init__(what)
        self.setting = setting


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a page asks for.

    Args:
        dataset: what is trained on.
        population: who is trained; the last of `axes` changes fastest.
        axes: what varies among the members, with its values; nothing for a single net.
        frame: what a picture covers, lowest and highest of both sides; by the data when not given.
    """

    dataset: Dataset
    population: Population
    axes: dict[str, list[Any]]
    frame: Bounds | None = None


def wanted(settings: Any, tables: Tables | None = None) -> Wanted:
    """What the settings say.

    Args:
        settings: as above.
        tables: gives the dataset of two columns of a table that was uploaded, by its identifier.

    Raises:
        BadSetting: when a setting makes no sense; it says which.

    Example:
        >>> found = wanted({"data": {"toy": "sine"}, "hidden": [4], "vary": {"lr": [0.1, 1.0]}})
        >>> [member.optimizer.label for member in found.population]
        ['Adam(lr=0.1)', 'Adam(lr=1)']
    """
    if not isinstance(settings, Mapping):
        raise BadSetting("settings", tr("Settings are an object of names and values."))
    with about("data"):
        dataset = _dataset(settings.get("data"), tables)
    axes = _axes(settings.get("vary") or {})
    members = []
    for values in product(*axes.values()):
        own = {**settings, **dict(zip(axes, values, strict=True))}
        members.append(_member(own, dataset))
    if sum(member.net.size[0] for member in members) > MOST_WEIGHTS:
        raise BadSetting("hidden", tr("That is more nets, or larger ones, than fit into a page."))
    drawn = "points" in settings["data"]
    return Wanted(dataset, Population(tuple(members)), axes, DRAWN if drawn else None)


@contextmanager
def about(setting: str) -> Iterator[None]:
    """What goes wrong within is wrong with this setting.

    Raises:
        BadSetting: for what Slalom refuses, and for values of the wrong kind.
    """
    try:
        yield
    except BadSetting:
        raise
    except SlalomError as error:
        raise BadSetting(setting, str(error)) from None
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        said = tr("{setting} cannot be understood: {why}", setting=setting, why=error)
        raise BadSetting(setting, said) from None


def _axes(vary: Any) -> dict[str, list[Any]]:
    if not isinstance(vary, Mapping) or len(vary) > 2:
        raise BadSetting("vary", tr("At most two hyperparameters can vary, rows and columns."))
    axes: dict[str, list[Any]] = {}
    for name, values in vary.items():
        if name not in VARIED:
            raise BadSetting("vary", f"{name!r}. {did_you_mean(name, list(VARIED))}")
        if not isinstance(values, list) or not values:
            raise BadSetting(name, tr("{name} needs at least one value.", name=name))
        axes[name] = values
    if np.prod([len(values) for values in axes.values()], dtype=float) > MOST_MEMBERS:
        raise BadSetting("vary", tr("At most {most} nets fit into a page.", most=MOST_MEMBERS))
    return axes


def _member(own: Mapping[str, Any], dataset: Dataset) -> Member:
    """The member with these settings, of which `lr`, `width` and so on may be its own."""
    with about("hidden"):
        hidden = _hidden(own)
    with about("dropout"):
        dropout = float(own.get("dropout", 0.0))
        if not 0 <= dropout < 1:
            raise BadPlan(tr("The share of neurons that is dropped lies from 0 up to 1."))
    with about("activation"):
        widths = (dataset.X.shape[1], *hidden, dataset.targets)
        net = MLP(*widths, activation=_text(own, "activation", "relu"), dropout=dropout)
    with about("optimizer"):
        optimizer = _optimizer(own)
    with about("batch_size"):
        size = own.get("batch_size")
        if size is not None and (type(size) is not int or size < 1):
            raise BadPlan(tr("A batch has 1 or more rows, or all of them."))
    with about("seed"):
        seed = whole_of(own, "seed", 0, 0, 2**31)
    with about("clip_norm"):
        clip = own.get("clip_norm")
        clip = None if clip is None else float(clip)
        return Member(net, optimizer, batch_size=size, seed=seed, clip_norm=clip)


def _hidden(own: Mapping[str, Any]) -> list[int]:
    """The widths of the hidden layers; `width` and `depth` make them all alike."""
    hidden = own.get("hidden", [8])
    if not isinstance(hidden, list):
        raise BadPlan(tr("Hidden layers are a list of widths."))
    width = whole_of(own, "width", 0, 0, MOST_UNITS)
    if width or "depth" in own:
        depth = whole_of(own, "depth", len(hidden), 0, MOST_LAYERS)
        hidden = [width or (hidden[0] if hidden else 8)] * depth
    if len(hidden) > MOST_LAYERS or not all(
        type(units) is int and 1 <= units <= MOST_UNITS for units in hidden
    ):
        raise BadPlan(
            tr(
                "A net here has up to {layers} hidden layers of 1 to {units} neurons.",
                layers=MOST_LAYERS,
                units=MOST_UNITS,
            )
        )
    return hidden


def _optimizer(own: Mapping[str, Any]) -> Optimizer:
    """The optimizer with its arguments; `optimizer` may be a name, as when it varies."""
    given = own.get("optimizer", {"kind": "Adam"})
    if isinstance(given, str):
        given = {"kind": given}
    if not isinstance(given, Mapping):
        raise BadPlan(tr("An optimizer is its kind and its arguments."))
    kinds = {cls.kind: cls for cls in OPTIMIZERS.values()}
    kind = str(given.get("kind"))
    if kind not in kinds:
        raise BadPlan(did_you_mean(kind, list(kinds)))
    varied = {name: own[name] for name in ("lr", "momentum") if name in own}
    optimizer: Optimizer = kinds[kind].from_json({**given, **varied})
    return optimizer


def _dataset(given: Any, tables: Tables | None) -> Dataset:
    if not isinstance(given, Mapping):
        raise BadData(tr("Data are a toy, drawn points, or two columns of a table."))
    if "points" in given:
        dataset = _drawn(given["points"])
    elif "table" in given and tables is not None:
        dataset = tables(
            str(given["table"]), *(_text(given, name, "") for name in ("x", "y", "color"))
        )
    else:
        dataset = _toy(given)
    held_out = float(given.get("held_out", 0.0))
    if not 0 <= held_out < 1:
        raise BadData(tr("The share of rows that is held out lies from 0 up to 1."))
    return _held_out(dataset, min(round(held_out * dataset.rows), dataset.rows - 1))


def _held_out(dataset: Dataset, rows: int) -> Dataset:
    """With some rows for validation: of each class its share.

    Not `Dataset.split`: scikit-learn would be loaded for it, a second before the first picture.
    """
    if rows < 2:
        return dataset
    order = np.random.default_rng(0).permutation(dataset.rows)
    if dataset.task == "classification":
        order = order[np.argsort(dataset.y[order], kind="stable")]
    held = order[np.arange(rows) * dataset.rows // rows]
    return replace(dataset, folds=(Split(np.setdiff1d(order, held), np.sort(held)),))


def _toy(given: Mapping[str, Any]) -> Dataset:
    name = _text(given, "toy", "quadratic")
    if name not in TOYS:
        raise BadData(did_you_mean(name, list(TOYS)))
    make = TOYS[name]
    takes = signature(make).parameters
    arguments: dict[str, Any] = {"n": whole_of(given, "n", 100, 2, MOST_POINTS)}
    noise = float(given.get("noise", 0.1))
    if not 0 <= noise <= 10:
        raise BadData(tr("The noise lies from 0 to 10."))
    if {"noise", "spread"} & takes.keys():
        arguments["noise" if "noise" in takes else "spread"] = noise
    if "classes" in given and "classes" in takes:
        arguments["classes"] = whole_of(given, "classes", 2, 2, 8)
    return make(**arguments, seed=whole_of(given, "seed", 0, 0, 2**31))


def _drawn(points: Any) -> Dataset:
    """Points that a person has drawn: `[x, y]` for a line, `[x, y, class]` for regions."""
    table = np.asarray(points, dtype=np.float64)
    if table.ndim != 2 or not 2 <= len(table) <= MOST_POINTS or table.shape[1] not in (2, 3):
        raise BadData(tr("Draw at least two points."))
    if not np.isfinite(table).all() or np.abs(table).max() > 1e6:
        raise BadData(tr("A point lies too far away."))
    X = table[:, :-1].astype(np.float32)
    if table.shape[1] == 2:
        return Dataset(X, table[:, 1], task="regression", feature_names=("x",))
    classes, labels = np.unique(table[:, 2].astype(np.int64), return_inverse=True)
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise BadData(tr("Draw points of 2 to {most} classes.", most=MOST_CLASSES))
    return Dataset(
        X,
        labels,
        task="classification",
        feature_names=("x0", "x1"),
        classes=tuple(classes.tolist()),
    )


def whole_of(given: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    """A whole number that a page gives, or the default.

    Raises:
        BadPlan: when it is none, or out of range.
    """
    value = given.get(name, default)
    if type(value) is not int or not low <= value <= high:
        raise BadPlan(
            tr("{name} must be a whole number from {low} to {high}.", name=name, low=low, high=high)
        )
    return value


def _text(given: Mapping[str, Any], name: str, default: str) -> str:
    value = given.get(name, default)
    if not isinstance(value, str):
        raise BadPlan(tr("{name} must be a word.", name=name))
    return value
