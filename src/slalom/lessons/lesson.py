"""What a lesson is: parameters with ranges, and what it makes of their values."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, TypeAlias

from matplotlib.figure import Figure as Picture

from slalom.core.annotations import is_number
from slalom.core.errors import BadPlan, did_you_mean
from slalom.core.language import spoken, tr
from slalom.lessons.prose import Text, filled, read
from slalom.plots.toolkit import Movie

Figure: TypeAlias = Picture | Movie
Writer: TypeAlias = Callable[[str, Mapping[str, Any]], str]

ANY_TEXT = Text("text", "文本")


@dataclass(frozen=True)
class Parameter:
    """Something that the reader can change. The base; its kinds are below.

    Args:
        name: as in Python, on the command line and in the script.
        default: the value that the prose speaks of.
        what: what it is, in a few words.
    """

    name: str
    default: Any
    what: Text

    @property
    def range(self) -> Text:
        """What it may be, in a few words."""
        raise NotImplementedError

    def value(self, given: Any) -> Any:
        """The value, from itself or from text.

        Raises:
            BadPlan: when it is out of range, or nothing of this kind.
        """
        raise NotImplementedError

    def refuse(self, given: Any) -> BadPlan:
        """What to raise for a value that it cannot have."""
        return BadPlan(
            tr(
                "{name} must be {range}, but {given} was given.",
                name=self.name,
                range=self.range.in_(spoken()),
                given=given,
            )
        )


@dataclass(frozen=True)
class Number(Parameter):
    """A number from `low` to `high`; `log` when it is to be chosen by its order of magnitude.

    >>> Number("lr", 0.2, Text("learning rate", "学习率"), low=1e-4, high=10).value("0.5")
    0.5
    """

    low: float = 0.0
    high: float = 1.0
    log: bool = False

    @property
    def range(self) -> Text:
        low, high = f"{self.low:g}", f"{self.high:g}"
        return Text(f"a number from {low} to {high}", f"{low} 到 {high} 的数")

    def value(self, given: Any) -> float:
        try:
            number = float(given)
        except (TypeError, ValueError, OverflowError):
            raise self.refuse(given) from None
        if not is_number(number) or not self.low <= number <= self.high or given is True:
            raise self.refuse(given)
        return number


@dataclass(frozen=True)
class Whole(Parameter):
    """A whole number from `low` to `high`.

    >>> Whole("width", 10, Text("hidden neurons", "隐藏神经元数"), low=1, high=500).value("20")
    20
    """

    low: int = 0
    high: int = 1

    @property
    def range(self) -> Text:
        low, high = self.low, self.high
        return Text(f"a whole number from {low} to {high}", f"{low} 到 {high} 的整数")

    def value(self, given: Any) -> int:
        try:
            number = int(given)
        except (TypeError, ValueError, OverflowError):
            raise self.refuse(given) from None
        same = isinstance(given, str) or number == given
        if not same or isinstance(given, bool) or not self.low <= number <= self.high:
            raise self.refuse(given)
        return number


@dataclass(frozen=True)
class Choice(Parameter):
    """One of `options`.

    >>> Choice("shape", "moons", Text("data", "数据"), options=("moons", "sine")).value("sine")
    'sine'
    """

    options: tuple[str, ...] = ()

    @property
    def range(self) -> Text:
        options = ", ".join(self.options)
        return Text(f"one of {options}", f"{options} 之一")

    def value(self, given: Any) -> str:
        if not isinstance(given, str) or given not in self.options:
            raise self.refuse(given)
        return given


@dataclass(frozen=True)
class Words(Parameter):
    """A line of text that `check` can make sense of; it raises `BadPlan` when it cannot."""

    kind: Text = ANY_TEXT
    check: Callable[[str], Any] = str

    @property
    def range(self) -> Text:
        return self.kind

    def value(self, given: Any) -> str:
        if not isinstance(given, str):
            raise self.refuse(given)
        line = " ".join(given.split())
        self.check(line)
        return line


@dataclass(frozen=True)
class Result:
    """What a lesson's function gives.

    Args:
        numbers: what the prose names, and what the scripts compute too: numbers, texts, arrays.
        figures: what draws each figure of the prose, by name.
        claims: what the prose says only where it is so, by name; they follow from the numbers.
    """

    numbers: Mapping[str, Any]
    figures: Mapping[str, Callable[[], Figure]]
    claims: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """A lesson with values for its parameters: everything that can be shown.

    Args:
        lesson: which.
        values: of all its parameters.
        numbers, figures, claims: see `Result`.
    """

    lesson: "Lesson"
    values: Mapping[str, Any]
    numbers: Mapping[str, Any]
    figures: Mapping[str, Callable[[], Figure]]
    claims: Mapping[str, bool]

    def text(self, lang: str) -> str:
        """The prose with what is true of these numbers: Markdown, in "en" or "zh"."""
        prose = read(self.lesson.name, lang)
        return filled(prose, {**self.values, **self.numbers, **self.claims})

    def code(self, lang: str) -> dict[str, str]:
        """Its scripts with these values and comments in a language: programs, by file name."""
        return {name: self._script(name, lang) for name in self.lesson.scripts}

    def _script(self, name: str, lang: str) -> str:
        source = (files("slalom.lessons") / "scripts" / name).read_text(encoding="utf-8")
        return self.lesson.write(commented(source, lang), self.values)


# Both languages on one line, or Chinese on the line below.
_BILINGUAL = re.compile(
    r'''^(?P<before>.*?(?:# |""")|\s*)(?P<en>[^#"\n]*)(?: |\n\s*# )‖ (?P<zh>.*?)(?P<after>"""|)$''',
    re.MULTILINE,
)


def commented(source: str, lang: str) -> str:
    """A script whose comments say in one language what they say in both.

    >>> commented("lr = 0.2  # learning rate ‖ 学习率", "zh")
    'lr = 0.2  # 学习率'
    """
    return _BILINGUAL.sub(rf"\g<before>\g<{lang}>\g<after>", source)


_ASSIGNED = re.compile(r"^(?P<name>\w+) = [^#\n]*?(?=\s*(?:#.*)?$)", re.MULTILINE)


def with_values(source: str, values: Mapping[str, Any]) -> str:
    """A script in which the lines `name = value` of these names have these values.

    Whatever stands behind the old value as a comment stays.

    >>> with_values("lr = 0.2  # learning rate", {"lr": 0.5})
    'lr = 0.5  # learning rate'
    """

    def line(found: re.Match[str]) -> str:
        name = found["name"]
        return f"{name} = {_literal(values[name])}" if name in values else found[0]

    return _ASSIGNED.sub(line, source)


def _literal(value: Any) -> str:
    """A value as it is written in a script; text in double quotes, as everywhere else."""
    if isinstance(value, str) and '"' not in value and "\\" not in value:
        return f'"{value}"'
    return repr(value)


@dataclass(frozen=True)
class Sweep:
    """A figure for several values of one parameter: what a slider in the gallery moves through.

    Args:
        parameter: its name.
        values: of it, in the order of the slider; the default is among them.
        figure: which figure of the lesson is drawn for each.
    """

    parameter: str
    values: tuple[Any, ...]
    figure: str


@dataclass(frozen=True)
class Lesson:
    """A lesson as data; its prose is in `prose/`, and a line about it in `catalogue.toml`.

    Args:
        name: one word, by which it is asked for.
        parameters: what the reader can change.
        function: from a value for each parameter to a `Result`.
        scripts: file names in `scripts/`: complete programs for torch, NumPy and matplotlib that
            compute the same numbers.
        write: how a script takes over the values of the parameters.
        only_here: names of numbers that the scripts do not compute, because they take a population.
        sweeps: the sliders of its page.
        thumbnail: which figure stands for it; the first one when none is named.

    Example:
        >>> from slalom import lessons
        >>> [parameter.name for parameter in lessons.get("regression").parameters][:2]
        ['points', 'noise']
    """

    name: str
    parameters: tuple[Parameter, ...]
    function: Callable[..., Result]
    scripts: tuple[str, ...]
    write: Writer = with_values
    only_here: frozenset[str] = frozenset()
    sweeps: tuple[Sweep, ...] = ()
    thumbnail: str | None = None

    def make(self, /, **given: Any) -> Made:
        """The lesson with these values, the defaults for all others.

        Raises:
            BadPlan: for a parameter that it does not have, or a value out of its range.

        Example:
            >>> from slalom import lessons
            >>> round(float(lessons.get("regression").make(steps=200).numbers["final_loss"]), 4)
            0.0045
        """
        values = self.values(**given)
        result = self.function(**values)
        return Made(self, values, result.numbers, result.figures, result.claims)

    def values(self, /, **given: Any) -> dict[str, Any]:
        """A value for each parameter, checked; from text too, as on the command line.

        Raises:
            BadPlan: as `make`.
        """
        names = [parameter.name for parameter in self.parameters]
        for name in given:
            if name not in names:
                raise BadPlan(
                    tr(
                        "The lesson {lesson} has no parameter {name!r}.",
                        lesson=self.name,
                        name=name,
                    )
                    + f" {did_you_mean(name, names)}"
                )
        return {
            parameter.name: parameter.value(given.get(parameter.name, parameter.default))
            for parameter in self.parameters
        }
