"""The words of the field that the lessons explain, from `glossary.toml`.

A word is used only from the lesson on that explains it, where it stands in bold letters.
"""

import re
import tomllib
from importlib.resources import files
from typing import NamedTuple

from slalom.lessons.prose import Text


class Word(NamedTuple):
    """A word of the field.

    Args:
        name: what it is called.
        meaning: what it is, in a sentence or two that hold at every setting.
        lesson: the one that explains it.
        stem: what its English forms have in common, where an ending changes more than the plural.
        bold: what stands in bold letters where it is explained, if not the stem or the name.
        elsewhere: lessons that use the same letters for something else.
    """

    name: Text
    meaning: Text
    lesson: str
    stem: str | None = None
    bold: Text | None = None
    elsewhere: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its place on a page.

        >>> WORDS[0].id
        'word-row'
        """
        return "word-" + self.name.en.lower().replace(" ", "-")

    def in_bold(self, lang: str) -> str:
        """What stands in bold letters where it is explained, in small letters."""
        bold = self.bold or Text(self.stem or self.name.en, self.name.zh)
        return bold.in_(lang).lower()

    def forms(self, lang: str) -> list[str]:
        r"""Regular expressions for its forms in a text; none where they cannot be told.

        In Latin letters that is the name or its plural, and the stem with any ending. A single
        Chinese character is a part of too many other words.

        >>> bool(re.search(WORDS[0].forms("en")[0], "two rows")), WORDS[0].forms("zh")
        (True, [])
        """
        name = self.name.in_(lang)
        if not name[0].isascii():
            return [name] if len(name) > 1 else []
        latin = [re.escape(name).replace(r"\ ", r"\s+") + "(?:e?s)?"]
        if self.stem:
            latin.append(self.stem + r"\w*")
        return [rf"(?<![\w-]){form}(?![\w-])" for form in latin]


def _read() -> tuple[Word, ...]:
    """The words in the order of the lessons."""
    text = (files("slalom.lessons") / "glossary.toml").read_text(encoding="utf-8")
    return tuple(
        Word(
            name=Text(name, entry["zh"]),
            meaning=Text(**entry["meaning"]),
            lesson=lesson,
            stem=entry.get("stem"),
            bold=Text(**entry["bold"]) if "bold" in entry else None,
            elsewhere=tuple(entry.get("elsewhere", ())),
        )
        for lesson, entries in tomllib.loads(text).items()
        for name, entry in entries.items()
    )


WORDS = _read()


def alphabetical() -> list[Word]:
    """The words by their English names."""
    return sorted(WORDS, key=lambda word: word.name.en.lower())
