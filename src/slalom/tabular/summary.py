"""What a fit came to, as plain data: what a page shows of it without the model."""

from typing import Any

from slalom.core.finite import finite
from slalom.tabular.fit import Fit

COLUMNS, CANDIDATES = 12, 10  # that are told of, the most important and the best first


def summary(fit: Fit) -> dict[str, Any]:
    """Scores, verdict, leaderboard, importance and notes of a fit; JSON-ready.

    Example:
        >>> import numpy as np, pandas as pd
        >>> from slalom.tabular.fit import fit_table
        >>> x = np.linspace(-1, 1, 200)
        >>> fit = fit_table(pd.DataFrame({"x": x, "y": 3 * x}), "y", epochs=2)
        >>> [line["model"] for line in summary(fit)["scores"]]
        ['slalom', 'linear model', 'mean']
    """
    told: dict[str, Any] = finite(
        {
            "target": list(fit.targets),
            "scores": fit.score_table.to_dict("records"),
            "verdict": fit.verdict,
            "rows": str(fit.rows),
            "notes": list(fit.notes),
            "harm_in": fit.harm_in,
            "importance": fit.importance.head(COLUMNS).to_dict("records"),
            "field": fit.field,
            "leaderboard": fit.leaderboard(CANDIDATES).astype(str).to_dict("records"),
        }
    )
    return told
