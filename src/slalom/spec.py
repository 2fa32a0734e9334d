"""Specs: the pure data of which plans are made.

A spec is a frozen dataclass of numbers, strings, tuples and other specs. It compares by value,
it can be a dictionary key, and it goes to JSON and back without loss. Nets, optimizers, schedules,
losses, members, plans and the columns of a schema are specs.

A function or class of the user's (a module factory, an activation) may stand in a spec. JSON then
holds its import path, and reading such JSON never imports anything: the function must have been
made known with `trust` before. A plan or a model file can therefore not run code that its reader
did not choose to run.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

from slalom.errors import BadPlan, did_you_mean

F = TypeVar("F", bound=Callable[..., Any])

_KINDS: dict[str, type["Spec"]] = {}
_TRUSTED: dict[str, Callable[..., Any]] = {}


@dataclass_transform(frozen_default=True)
class Spec:
    """Base of all pure data. Each subclass becomes a frozen dataclass, known by its name.

    Example:
        >>> from slalom.optim import SGD
        >>> SGD(lr=0.1).to_json()
        {'kind': 'SGD', 'lr': 0.1, 'momentum': 0.0, 'dampening': 0.0, 'weight_decay': 0.0, \
'nesterov': False}
        >>> Spec.from_json(SGD(lr=0.1).to_json()) == SGD(lr=0.1)
        True
    """

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True)(cls)
        cls.kind = cls.__name__
        _KINDS[cls.kind] = cls

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            object.__setattr__(self, field.name, _plain(getattr(self, field.name)))
        self.check()

    def check(self) -> None:
        """Raise `BadPlan` when a value makes no sense; each subclass says what it demands."""

    def require(self, holds: bool, argument: str, expected: str) -> None:
        """Raise the one-paragraph `BadPlan` about `argument` unless `holds`."""
        if not holds:
            raise BadPlan(
                f"{type(self).__name__}: {argument} must be {expected}, "
                f"but {getattr(self, argument)!r} was given."
            )

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

    Example:
        >>> @trust
        ... def shifted_relu(x):
        ...     return x.clamp(min=-1)
    """
    _TRUSTED[import_path(function)] = function
    return function


def import_path(function: Callable[..., Any]) -> str:
    """`module:qualified name`, which is how JSON names a function or a class."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{function.__module__}:{name}"


def _plain(value: Any) -> Any:
    """Numpy scalars to Python's, lists to tuples: what compares by value and goes to JSON."""
    if isinstance(value, list | tuple):
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
    if "<" in path or not hasattr(function, "__qualname__"):
        raise BadPlan(
            f"JSON names a function by its import path, but {path!r} does not say which one is "
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
    text = json.dumps(data, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
