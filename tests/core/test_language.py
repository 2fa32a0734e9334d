"""The catalogue has every sentence that is drawn or diagnosed, and nothing else."""

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from slalom.core.errors import BadPlan
from slalom.core.language import LANGUAGES, language, tr

SOURCE = Path(__file__).parents[2] / "src" / "slalom"
CATALOGUE = tomllib.loads((SOURCE / "core/words.zh.toml").read_text(encoding="utf-8"))
HAN = re.compile(r"[\u4e00-\u9fff]")


TREES = {
    str(path.relative_to(SOURCE)): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(SOURCE.rglob("*.py"))
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def called(node: ast.AST, within: bool) -> Iterator[ast.Call]:
    """The calls of `tr` below a node, those in functions only when wanted."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and getattr(child.func, "id", "") == "tr":
            yield child
        if within or not isinstance(child, FUNCTIONS):
            yield from called(child, within)


def places(sentence: str) -> set[tuple[str, str | None]]:
    """What stands in a sentence for a value, and how that is written."""
    return {(name, form) for _, name, form, _ in string.Formatter().parse(sentence) if name}


CALLS = [
    (f"{file}:{call.lineno}", call) for file, tree in TREES.items() for call in called(tree, True)
]
SENTENCES = {
    call.args[0].value: where
    for where, call in CALLS
    if call.args and isinstance(call.args[0], ast.Constant)
}


def test_a_sentence_is_a_literal() -> None:
    for where, call in CALLS:
        assert len(call.args) == 1, where
        assert isinstance(call.args[0], ast.Constant), where
        assert isinstance(call.args[0].value, str), where


def test_every_sentence_has_its_chinese() -> None:
    assert {s: where for s, where in SENTENCES.items() if s not in CATALOGUE} == {}


def test_every_entry_of_the_catalogue_is_said_somewhere() -> None:
    assert CATALOGUE.keys() - SENTENCES.keys() == set()


def test_both_languages_have_the_same_places_in_the_same_form() -> None:
    for english, chinese in CATALOGUE.items():
        assert places(english) == places(chinese), english


def test_the_values_that_a_call_names_are_those_of_its_sentence() -> None:
    for where, call in CALLS:
        given = {keyword.arg for keyword in call.keywords}
        if None in given:  # `**values`: the diagnoses, which their own tests say all of
            continue
        assert isinstance(call.args[0], ast.Constant), where
        assert given == {re.split(r"[.\[]", name)[0] for name, _ in places(call.args[0].value)}, (
            where
        )


def test_every_sentence_with_words_is_chinese() -> None:
    for english, chinese in CATALOGUE.items():
        words = re.search(r"[a-z]{3}", re.sub(r"{[^}]*}", "", english))
        assert HAN.search(chinese) or not words, english


def test_no_sentence_is_said_at_import() -> None:
    """It would be English for ever."""
    for file, tree in TREES.items():
        assert [call.lineno for call in called(tree, within=False)] == [], file


def test_english_is_spoken_unless_another_language_is_wanted() -> None:
    assert tr("loss") == "loss"
    with language("zh"):
        assert tr("loss") == CATALOGUE["loss"] == "损失"
        with language("en"):
            assert tr("loss") == "loss"
        assert tr("loss") == "损失"
    assert tr("loss") == "loss"


def test_values_stand_in_their_places_in_every_language() -> None:
    for lang in LANGUAGES:
        with language(lang):
            assert "1,234" in tr("{n:,} rows", n=1234)


def test_braces_in_a_value_are_left_alone() -> None:
    with language("zh"):
        assert tr("probability of {name}", name="{x}") == "属于 {x} 的概率"


def test_what_nobody_has_translated_is_said_in_english() -> None:
    with language("zh"):
        assert tr("a sentence of {count} words", count=5) == "a sentence of 5 words"


def test_the_language_is_as_before_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), language("zh"):
        _ = 1 / 0
    assert tr("loss") == "loss"


def test_a_language_that_is_not_known_is_refused() -> None:
    refusal = r"lang must be one of \['en', 'zh'\], but 'fr' was given"
    with pytest.raises(BadPlan, match=refusal), language("fr"):
        pass
    assert tr("loss") == "loss"
