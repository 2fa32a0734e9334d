import ast
from typing import Any

import numpy as np

LOSS = (
    '--expression "mean((X @ w - y)**2)" '
    '--variables "X = [[1, 2], [3, 4], [5, 6]]; w = [0.5, -1]; y = [1, 2, 3]"'
)


def agree(n: Any) -> bool:
    scale = max(1.0, max(map(abs, n.gradient)))
    return all(abs(a - b) < 1e-5 * scale for a, b in zip(n.gradient, n.differences, strict=True))


def has_detached(n: Any) -> bool:
    return "detach" in names(n)


def names(n: Any) -> set[str]:
    tree = ast.parse(n.expression, mode="eval")
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def has_dashed(n: Any) -> bool:
    """Numbers, and what is detached, get no gradient."""
    tree = ast.parse(n.expression, mode="eval")
    numbers = any(isinstance(node, ast.Constant) for node in ast.walk(tree))
    return numbers or bool(names(n) & {"e", "pi", "detach"})


CLAIMS = {"agree": agree, "detached": has_detached, "dashed": has_dashed}

TRIES = {
    '--expression "x * x + x" --variables "x = 3"': lambda n: n.gradient == [7],
    '--expression "tanh(w * x + b)" --variables "w = 0.5; x = 2; b = -1"': (
        lambda n: n.gradient.tolist() == [2, 0.5, 1]
    ),
    '--expression "mean(v * detach(v))"': lambda n: (
        np.allclose(n.gradient, [0.25, 0.5, 0.75, 1])
        and np.allclose(n.differences, [0.5, 1, 1.5, 2])
    ),
    LOSS: lambda n: np.isclose(n.value, (2.5**2 + 4.5**2 + 6.5**2) / 3) and has_dashed(n),
}
