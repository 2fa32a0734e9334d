"""Specs: the pure data of which plans are made.

A spec is a frozen dataclass of numbers, strings, tuples and other specs. It compares by value,
it can be a dictionary key, and it goes to JSON and back without loss. Nets, optimizers, schedules,
losses, members, plans and the columns of a schema are specs.

A function or class of the user's (a module factory, an activation) may stand in a spec. JSON then
holds its import path, and reading such JSON never imports anything: the function must have been
made known with `trust` before. A plan or a model file can therefore not run code that its reader
did not choose to run.
"""

import inspect
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

from slalom.core.annotations import rules
from slalom.core.errors import BadPlan, did_you_mean

F = TypeVar("F", bound=Callable[..., Any])

_KINDS: dict[str, type["Spec"]] = {}
_TRUSTED: dict[str, Callable[..., Any]] = {}
_ATOMS = frozenset({int, float, bool, str, type(None)})  # which are what they are


@dataclass_transform(frozen_default=True)
class Spec:
    """Base of all pure data. Each subclass becomes a frozen dataclass, known by its name.

    Values are checked against the annotations of the fields (see `slalom.core.annotations`), then
    by `check`. A subclass that is only a base for others says `abstract=True`: JSON cannot name it.

    Example:
        >>> from slalom.optim import SGD
        >>> SGD(lr=0.1).to_json()
        {'kind': 'SGD', 'lr': 0.1, 'momentum': 0.0, 'dampening': 0.0, 'weight_decay': 0.0, \
'nesterov': False}
        >>> Spec.from_json(SGD(lr=0.1).to_json()) == SGD(lr=0.1)
        True
    """

    kind: ClassVar[str]

    def __init_subclass__(cls, abstract: bool = False) -> None:
        dataclass(frozen=True)(cls)
        cls.kind = cls.__name__
        if not abstract:
            _check_name(cls.kind, cls, _KINDS.get(cls.kind))
            _KINDS[cls.kind] = cls

    def __post_init__(self) -> None:
        for name, fits, words in rules(type(self)):  # type: ignore[arg-type]  # is hashable
            value = getattr(self, name)
            if type(value) not in _ATOMS:
                value = _plain(value)
                object.__setattr__(self, name, value)
            if not fits(value):
                self.require(False, name, words)
        self.check()

    def check(self) -> None:
        """Raise `BadPlan` when a value makes no sense; each subclass says what it demands.

        That each value is what its annotation says has been checked before.
        """

    def require(self, holds: bool, argument: str, expected: str) -> None:
        """Raise the one-paragraph `BadPlan` about `argument` unless `holds`."""
        if not holds:
            raise BadPlan(
                f"{type(self).__name__}: {argument} must be {expected}, "
                f"but {_short(repr(getattr(self, argument)))} was given."
            )

    def require_whole(self, argument: str, least: int) -> None:
        """Raise `BadPlan` unless a whole number is `least` or more; a field that may be None is."""
        value = getattr(self, argument)
        self.require(value is None or value >= least, argument, f"a whole number >= {least}")

    @property
    def adjustable(self) -> tuple[str, ...]:
        """Names of the arguments that a grid may vary."""
        return tuple(f.name for f in fields(self))  # type: ignore[arg-type]

    def adjusted(self, **arguments: Any) -> Self:
        """A copy with these arguments instead."""
        own = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return self.from_fields(own | arguments)

    def to_json(self) -> dict[str, Any]:
        """The spec as JSON-ready values: `{"kind": class name, field: value, ...}`.

        Raises:
            BadPlan: when it holds a function that no import path names, such as a lambda.
        """
        data = {f.name: _encode(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]
        return {"kind": self.kind, **data}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """The spec that `to_json` wrote.

        Raises:
            BadPlan: when `data` is not a spec of this kind, or has unknown or senseless fields.
        """
        try:
            spec = _decode_spec(data) if isinstance(data, dict) and "kind" in data else None
        except RecursionError:
            raise BadPlan(f"The JSON of a {cls.__name__} is nested too deeply.") from None
        if not isinstance(spec, cls):
            raise BadPlan(f"Expected the JSON of a {cls.__name__}, but got {_shown(data)}.")
        return spec

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """The spec with these field values; for kinds whose constructor takes them differently."""
        return cls(**fields)

    def dumps(self) -> str:
        """The spec as JSON text."""
        return json.dumps(self.to_json(), allow_nan=False, ensure_ascii=False)

    @classmethod
    def loads(cls, text: str | bytes) -> Self:
        """The spec in a JSON text. Raises `BadPlan` like `from_json`."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadPlan(
                f"Expected the JSON of a {cls.__name__}, but the text is not JSON: {error}."
            ) from None
        return cls.from_json(data)


def trust(function: F) -> F:
    """Let plans and model files that name this function or class use it. Works as a decorator.

    A file may then have it called with whatever arguments the file gives, so trust nothing that
    could do harm with the wrong ones. A plan that stays in memory needs no trust.

    Raises:
        BadPlan: when its import path is not its own alone: that of a lambda, a partial, a method
            or a function inside a function, or one under which another is trusted already.

    Example:
        >>> @trust
        ... def shifted_relu(x):
        ...     return x.clamp(min=-1)
    """
    path = _named(function)
    known = _TRUSTED.setdefault(path, function)
    if known is not function and not path.startswith("__main__:"):  # where cells run again
        raise BadPlan(
            f"Another function or class is trusted under the name {path!r} already, and a file "
            f"could not say which one is meant. Give one of them another name."
        )
    _TRUSTED[path] = function
    return function


def import_path(function: Callable[..., Any]) -> str:
    """`module:qualified name`, which is how JSON names a function or a class."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{function.__module__}:{name}"


def _check_name(kind: str, cls: type[Spec], known: type[Spec] | None) -> None:
    """Two specs of one name could stand in for each other; the same one may be defined anew."""
    if known is not None and import_path(known) != import_path(cls):
        raise BadPlan(
            f"A spec is known by its name, and {kind!r} is taken by {import_path(known)}. "
            f"Give the class {import_path(cls)} another name."
        )


def _plain(value: Any) -> Any:
    """As what compares by value and goes to JSON: Python's own numbers and tuples."""
    if type(value) in _ATOMS or isinstance(value, Spec):
        return value
    if isinstance(value, list | tuple | range):
        return tuple(_plain(v) for v in value)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return _plain(value.tolist())
    return value


def _encode(value: Any) -> Any:
    if isinstance(value, Spec):
        return value.to_json()
    if isinstance(value, tuple):
        return [_encode(v) for v in value]
    if isinstance(value, dict):
        return {key: _encode(v) for key, v in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}  # JSON has no infinity
    if callable(value):
        return {"import": _named(value)}
    return value


def _decode(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(_decode(v) for v in data)
    if not isinstance(data, dict):
        return data
    if set(data) == {"float"}:
        return float(str(data["float"]))
    if set(data) == {"import"}:
        return _trusted(str(data["import"]))
    if "kind" not in data:
        return {key: _decode(v) for key, v in data.items()}
    return _decode_spec(data)


def _decode_spec(data: dict[str, Any]) -> Spec:
    kind = str(data["kind"])
    cls = _KINDS.get(kind)
    if cls is None:
        raise BadPlan(f"No such kind: {kind!r}. {did_you_mean(kind, sorted(_KINDS))}")
    known = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    for name in data:
        if name != "kind" and name not in known:
            raise BadPlan(f"{cls.__name__} has no field {name!r}. {did_you_mean(name, known)}")
    try:
        return cls.from_fields({key: _decode(v) for key, v in data.items() if key != "kind"})
    except BadPlan:
        raise
    except (TypeError, ValueError) as error:
        raise BadPlan(f"The JSON of {cls.__name__} does not fit: {error}.") from None


def _named(function: Callable[..., Any]) -> str:
    path = import_path(function)
    own = hasattr(function, "__qualname__") and not inspect.ismethod(function)
    if not own or "<" in path or function.__module__ is None:
        raise BadPlan(
            f"A file names a function by its import path, but {path!r} does not say which one is "
            f"meant. Define it with def, or as a class, at the top of a module."
        )
    return path


def _trusted(path: str) -> Callable[..., Any]:
    if path not in _TRUSTED:
        raise BadPlan(
            f"This file uses the function {path!r}, which this process does not know. Slalom never "
            f"imports code that a file names: import it yourself and pass it to slalom.trust first."
        )
    return _TRUSTED[path]


def _shown(data: Any) -> str:
    return _short(json.dumps(data, default=str))


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
