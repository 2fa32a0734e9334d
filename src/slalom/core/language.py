"""The language in which pictures and diagnoses speak: English, or what a catalogue puts for it.

Whoever draws writes English, through `tr`; whoever shows says in which language it is wanted. The
English sentence is the key, as with gettext, so the code reads as what it says and a sentence that
nobody has translated is still a sentence.
"""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Any

from slalom.core.errors import BadPlan

LANGUAGES = {"en": "English", "zh": "简体中文"}
TAGS = {"en": "en", "zh": "zh-Hans"}  # by which HTML calls them

_language: ContextVar[str] = ContextVar("language", default="en")


def check_language(lang: str) -> str:
    """The language itself, if Slalom speaks it.

    Raises:
        BadPlan: when it does not.
    """
    if lang not in LANGUAGES:
        raise BadPlan(f"lang must be one of {list(LANGUAGES)}, but {lang!r} was given.")
    return lang


@contextmanager
def language(lang: str) -> Iterator[None]:
    """Within this, `tr` speaks `lang`.

    >>> with language("zh"):
    ...     tr("loss")
    '损失'
    """
    before = _language.set(check_language(lang))
    try:
        yield
    finally:
        _language.reset(before)


def spoken() -> str:
    """The language of the moment.

    >>> spoken()
    'en'
    """
    return _language.get()


def tr(english: str, /, **values: Any) -> str:
    """What is to be said, in the language of the moment, with the values in its places.

    Args:
        english: the sentence, a literal, so that a test finds it; `{name:.2f}` for a value.
        **values: what stands in its places.

    >>> tr("step {step}", step=3)
    'step 3'
    """
    said = _catalogue(_language.get()).get(english, english)
    return said.format(**values) if values else said


@cache
def _catalogue(lang: str) -> Mapping[str, str]:
    """From English sentences to those of another language."""
    if lang == "en":
        return {}
    text = (files("slalom.core") / f"words.{lang}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
