"""Imports run down the layers and never up: read from the source, those in functions too."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

# From the top. A part may import parts of lower layers and its own modules, nothing beside it.
LAYERS: list[set[str]] = [
    {"__main__"},
    {"cli"},
    {"studio"},
    {"lessons"},
    {"estimators"},
    {"tabular"},
    {"diagnosis"},
    {"models"},
    {"runs"},
    {"plots"},
    {"training"},
    {"engine"},
    {"plan"},
    {"population"},
    {"metrics"},
    {"data", "nets", "optim", "losses"},
    {"core"},
]
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}

# The top package names what is public, whatever layer it comes from, and loads it lazily.
SOURCE = Path(__file__).parents[1] / "src" / "slalom"
FILES = sorted(
    path.relative_to(SOURCE).as_posix()
    for path in SOURCE.rglob("*.py")
    if path != SOURCE / "__init__.py"
)


def part_of(file: str) -> str:
    return file.split("/")[0].removesuffix(".py")


def imported_parts(file: str) -> Iterator[tuple[str, int]]:
    """Parts of Slalom that a file imports, and the lines where it does."""
    for node in ast.walk(ast.parse((SOURCE / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports relatively; write slalom."
            # `from slalom import x` names a part or a public name, `from slalom.x import y` a part
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "slalom":
                yield rest.split(".")[0], node.lineno


@pytest.mark.parametrize("file", FILES)
def test_a_file_imports_from_lower_layers_only(file: str) -> None:
    own = part_of(file)
    assert own in RANK, f"{own} has no place in the layers yet: give it one in {__file__}."
    for part, line in imported_parts(file):
        if part == "__version__" or part == own:
            continue
        assert part in RANK, (
            f"src/slalom/{file}:{line} imports slalom.{part}, which is no part of Slalom; inside "
            f"the package import from the module where a name lives."
        )
        assert RANK[own] < RANK[part], (
            f"src/slalom/{file}:{line}: {own} imports {part}, which does not lie below it."
        )


def test_one_file_alone_imports_numba() -> None:
    """Its inside changes from release to release; `adapter.py` says what of it is used."""
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name == "adapter.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = getattr(node, "module", None) or node.names[0].name
                assert module.split(".")[0] not in {"numba", "llvmlite"}, path


# What lessons may build on: folders as their `__init__` shows them, files that are one public idea,
# and the toolkit of plots.
LESSONS_USE = {
    *(f"slalom.{folder}" for folder in ("data", "nets", "optim", "population", "engine", "runs")),
    *(f"slalom.{idea}" for idea in ("losses", "plan", "diagnosis", "data.batches")),
    *(f"slalom.runs.{verb}" for verb in ("train", "transfer")),
    "slalom.plots.toolkit",
}


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("lessons/")])
def test_a_lesson_uses_public_names_and_the_toolkit_of_plots_only(file: str) -> None:
    for node in ast.walk(ast.parse((SOURCE / file).read_text(encoding="utf-8"))):
        module = node.module if isinstance(node, ast.ImportFrom) else None
        if module and module.startswith("slalom.") and "/scripts/" not in file:
            own = module.startswith(("slalom.lessons", "slalom.core"))
            assert own or module in LESSONS_USE, f"{file}:{node.lineno} imports {module}"
