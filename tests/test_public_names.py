"""The public names: what editors see is what the program loads, and each says what it is."""

import ast
import inspect
from pathlib import Path

import pytest

import slalom


def names_for_editors() -> dict[str, str]:
    """Name and module of every import under `if TYPE_CHECKING` in the top package."""
    tree = ast.parse(Path(slalom.__file__).read_text(encoding="utf-8"))
    block = next(
        node
        for node in tree.body
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    )
    found = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert alias.asname == alias.name, f"write `import {alias.name} as {alias.name}`"
            found[alias.name] = str(node.module)
    return found


def test_all_is_what_editors_see() -> None:
    assert slalom.__all__ == ["__version__", *sorted(names_for_editors())]
    assert dir(slalom) == sorted(slalom.__all__)


@pytest.mark.parametrize("name", sorted(names_for_editors()))
def test_a_public_name_loads_from_where_editors_look_and_is_documented(name: str) -> None:
    value = getattr(slalom, name)
    module = names_for_editors()[name]
    if inspect.ismodule(value):
        assert value.__name__ == f"{module}.{name}"
    else:
        assert slalom._HOMES[name] == module
        assert value.__module__.startswith(module)
    assert inspect.getdoc(value), f"slalom.{name} has no docstring"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'slalom' has no attribute 'Regresor'"):
        _ = slalom.Regresor


def test_the_version_is_the_one_that_the_changelog_leads_to() -> None:
    changelog = Path(__file__).parents[1] / "CHANGELOG.md"
    assert f"## [{slalom.__version__}]" in changelog.read_text(encoding="utf-8")
