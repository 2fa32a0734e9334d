"""The fixed words of the studio's pages, in both languages, from `words.toml`."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from slalom.core.colours import CLASSES, INK, OPTIMIZERS
from slalom.core.language import check_language


@cache
def words(lang: str) -> dict[str, str]:
    """From the name of a phrase to the phrase, in one language.

    >>> words("en")["wall"], words("zh")["wall"]
    ('Wall', '网络墙')
    """
    check_language(lang)
    text = (files("slalom.studio") / "words.toml").read_text(encoding="utf-8")
    return {name: said[lang] for name, said in tomllib.loads(text).items()}


def told_in(lang: str) -> dict[str, Any]:
    """What the script of every page is told: the language, its phrases, the colours."""
    colours = {"classes": CLASSES, "optimizers": OPTIMIZERS, "ink": INK}
    return {"lang": lang, "words": words(lang), "colours": colours}
