"""Every example in a docstring runs and shows what it says."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import slalom

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(slalom.__path__, "slalom.")
    if not module.name.endswith("__main__")
)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples fail, see above"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is(name: str) -> None:
    assert importlib.import_module(name).__doc__
