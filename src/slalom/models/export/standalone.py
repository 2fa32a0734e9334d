"""The source of a function with all that it needs of ours, for scripts that do without Slalom."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

OURS = __name__.partition(".")[0]


def standalone(function: Callable[..., Any], given: frozenset[str] = frozenset()) -> str:
    """The source of the imports, constants and functions that a function needs, itself last.

    Args:
        function: at the top of a module of Slalom, of functions and constants alone.
        given: names that the script has already.

    Example:
        >>> from slalom.data.columns.cells import counted
        >>> print(standalone(counted).splitlines()[0])
        def counted(count: int, noun: str) -> str:
    """
    source = _Source(given)
    source.take(sys.modules[function.__module__], {function.__name__})
    return "\n".join([*sorted(source.imports), "", *source.constants, *source.functions]).strip()


class _Source:
    """What has been taken so far, each name after those that it needs."""

    def __init__(self, given: frozenset[str]) -> None:
        self.taken: set[tuple[str, str]] = set()
        self.given = given
        self.imports: set[str] = set()
        self.constants: list[str] = []
        self.functions: list[str] = []

    def take(self, module: ModuleType, names: set[str]) -> None:
        """These names of a module, and all that they need."""
        text = Path(str(module.__file__)).read_text(encoding="utf-8")
        tree = ast.parse(text)
        needed = {n for n in _closure(tree, names) if (module.__name__, n) not in self.taken}
        needed -= self.given
        others = {name for home, name in self.taken if home != module.__name__}
        own = needed - _imported(tree)
        assert not own & others, f"two modules have the names {own & others}"
        self.taken |= {(module.__name__, name) for name in own}
        for node in tree.body:
            lines = "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node, needed)
            elif _defined(node) & needed and isinstance(node, ast.FunctionDef):
                self.functions.append(f"\n\n{lines}")
            elif _defined(node) & needed:
                self.constants.append(lines)

    def _import(self, node: ast.Import | ast.ImportFrom, needed: set[str]) -> None:
        aliases = [alias for alias in node.names if (alias.asname or alias.name) in needed]
        home = node.module if isinstance(node, ast.ImportFrom) else None
        if home and home.partition(".")[0] == OURS:
            self.take(sys.modules[home], {alias.name for alias in aliases})
            return
        for alias in aliases:
            line = ast.unparse(ast.Import([alias]))
            self.imports.add(f"from {home} {line}" if home else line)


def _imported(tree: ast.Module) -> set[str]:
    imports = (node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    return set().union(*map(_defined, imports))


def _closure(tree: ast.Module, names: set[str]) -> set[str]:
    """These names of a module and all others of it that their definitions speak of."""
    known = set().union(*map(_defined, tree.body))
    needed, fresh = set(names), set(names)
    while fresh:
        speaking = (n for n in tree.body if _defined(n) & fresh)
        spoken = {n.id for node in speaking for n in ast.walk(node) if isinstance(n, ast.Name)}
        fresh = (spoken & known) - needed
        needed |= fresh
    return needed


def _defined(node: ast.stmt) -> set[str]:
    """The names that a statement at the top of a module makes known."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.FunctionDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}
