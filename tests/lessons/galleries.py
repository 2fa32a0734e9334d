"""Galleries that are made in seconds, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from slalom import lessons
from slalom.lessons.lesson import Lesson, Made, Sweep

NAMES = ("network", "regression", "building")


def made(name: str) -> Made:
    """One of the quick lessons."""
    with quick_lessons():
        return lessons.get(name).make()


@contextmanager
def quick_lessons() -> Iterator[None]:
    """Within this, the lesson on regression is short, and has sliders on a film and a still."""
    found = {name: lessons.get(name) for name in NAMES}
    found["network"] = replace(found["network"], sweeps=())
    found["regression"] = _short(found["regression"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lessons, "get", found.__getitem__)
        yield


def _short(regression: Lesson) -> Lesson:
    return replace(
        regression,
        parameters=tuple(
            replace(parameter, default=20) if parameter.name == "steps" else parameter
            for parameter in regression.parameters
        ),
        sweeps=(Sweep("lr", (0.2, 2.0), "film"), Sweep("noise", (0.2, 1.0), "losses")),
    )
