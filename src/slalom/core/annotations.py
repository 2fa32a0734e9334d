"""Type annotations as promises: what the value of a field must be, and how to say it."""

import sys
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin, get_type_hints

Test: TypeAlias = Callable[[Any], bool]

_LARGEST = sys.float_info.max


class Rule(NamedTuple):
    """What one field must hold: a test, and the words for it in `name must be words`."""

    name: str
    fits: Test
    words: str


@cache
def rules(cls: type) -> tuple[Rule, ...]:
    """The rules of a dataclass, one a field, from its annotations.

    Known are numbers (finite; a whole one is a number too), `int`, `bool` (which is no number),
    `str`, `None`, `Literal`, `X | Y`, `tuple[X, ...]`, `tuple[X, Y]`, callables and classes. Any
    other annotation lets everything pass but NaN, which nothing equals.
    """
    hints = get_type_hints(cls)
    return tuple(Rule(f.name, *_rule(hints[f.name])) for f in fields(cls))


def is_number(value: Any) -> bool:
    """Whether it is a finite number and no truth value.

    >>> [is_number(value) for value in (1, 0.5, float("nan"), True, "1")]
    [True, True, False, False, False]
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and -_LARGEST <= value <= _LARGEST


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_no_nan(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_no_nan, value))
    return not isinstance(value, float) or value == value  # false for NaN alone


_PLAIN: dict[Any, tuple[Test, str]] = {
    float: (is_number, "a number"),
    int: (_is_whole, "a whole number"),
    bool: (lambda value: isinstance(value, bool), "True or False"),
    str: (lambda value: isinstance(value, str), "text"),
    NoneType: (lambda value: value is None, "None"),
    Any: (_is_no_nan, "anything but NaN"),
}


def _rule(annotation: Any) -> tuple[Test, str]:
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, parts = get_origin(annotation) or annotation, get_args(annotation)
    if origin is Literal:
        known = {(type(part), part) for part in parts}
        words = " or ".join(map(repr, parts))
        return lambda value: _is_plain(value) and (type(value), value) in known, words
    if origin in (Union, UnionType):
        return _any_of([_rule(part) for part in parts])
    if origin is tuple and parts:
        return _tuple_of([_rule(part) for part in parts if part is not ...], parts[-1] is ...)
    if origin is Callable:
        return callable, "a function"
    if isinstance(origin, type) and origin is not list:  # which a spec keeps as a tuple
        article = "an" if origin.__name__[0] in "AEIO" else "a"
        return lambda value: isinstance(value, origin), f"{article} {origin.__name__}"
    return _PLAIN[Any]


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | None)


def _any_of(options: list[tuple[Test, str]]) -> tuple[Test, str]:
    tests = [fits for fits, _ in options]
    return lambda value: any(fits(value) for fits in tests), " or ".join(w for _, w in options)


def _tuple_of(entries: list[tuple[Test, str]], any_length: bool) -> tuple[Test, str]:
    if any_length:
        ((fits, words),) = entries
        return (
            lambda value: isinstance(value, tuple) and all(map(fits, value)),
            f"a tuple, each entry {words}",
        )
    tests = [fits for fits, _ in entries]
    return (
        lambda value: (
            isinstance(value, tuple)
            and len(value) == len(tests)
            and all(fits(entry) for fits, entry in zip(tests, value, strict=True))
        ),
        f"a tuple ({', '.join(words for _, words in entries)})",
    )
