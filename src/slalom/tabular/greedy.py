"""Greedy weighted selection of an ensemble, bagged (Caruana et al. 2004).

Source: Caruana, Niculescu-Mizil, Crew and Ksikes, Ensemble selection from libraries of models,
ICML 2004: start from nothing, add again and again the candidate that improves the average on
validation rows most, with replacement; a candidate's weight is how often it was taken. And the mean
of that over samples of the rows, for where one candidate happens to be right on all of them, it is
rarely so on others.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FIRST = 3  # of many candidates; see `greedy_weights`

Score: TypeAlias = Callable[[NDArray[np.float64]], float]


def greedy_weights(
    predictions: NDArray[np.float64], score: Score, rounds: int = 40, first: int = 0
) -> NDArray[np.float64]:
    """Weights of candidates, `[C]`, which sum to 1.

    Args:
        predictions: what each candidate predicts on the validation rows, `[C, N, O]`.
        score: the loss of averaged predictions `[N, O]`; lower is better.
        rounds: how many times a candidate is added; the best average on the way is kept.
        first: so many, the best ones, are in from the start (sorted initialization in the paper),
            so that no candidate stands alone which was right by luck.

    Example:
        >>> import numpy as np
        >>> truth = np.array([[0.0], [1.0]])
        >>> candidates = np.array([[[0.5], [1.5]], [[-0.5], [0.5]], [[9.0], [9.0]]])
        >>> loss = lambda p: float(((p - truth) ** 2).mean())
        >>> greedy_weights(candidates, loss, rounds=4).tolist()
        [0.5, 0.5, 0.0]
    """
    taken: list[int] = []
    if first:
        taken = np.argsort([score(p) for p in predictions], kind="stable")[:first].tolist()
    total = predictions[taken].sum(axis=0)
    best, best_length = score(total / first) if first else np.inf, first
    for _ in range(rounds):
        scores = [score((total + candidate) / (len(taken) + 1)) for candidate in predictions]
        choice = int(np.argmin(scores))
        taken.append(choice)
        total = total + predictions[choice]
        if scores[choice] < best:
            best, best_length = scores[choice], len(taken)
    counts = np.bincount(taken[:best_length], minlength=len(predictions))
    return np.asarray(counts / counts.sum())


def bagged_weights(
    predictions: NDArray[np.float64],
    score: Callable[[NDArray[np.float64]], Score],
    weight: NDArray[np.float64],
    *,
    bags: int = 20,
    rounds: int = 15,
) -> NDArray[np.float64]:
    """The mean of `greedy_weights` over rows drawn with replacement, `[C]`.

    Measured on four splits of eleven tables, against one choice on all rows with 40 rounds: the log
    loss of penguins_raw .022 for .043, R2 of tips .518 for .523; elsewhere within .002. Beginning
    with the best three, the mean log loss of penguins over three splits is .057 for .107.

    Args:
        predictions: what each candidate predicts on the validation rows, `[C, N, O]`.
        score: makes the loss of averaged predictions `[N, O]` of what each row counts, `[N]`.
        weight: what each row counts, `[N]`; a row is drawn as often.
        bags: how many times rows are drawn. The generator is always the same.
        rounds: see `greedy_weights`.

    Example:
        >>> import numpy as np
        >>> truth = np.array([[0.0], [1.0]])
        >>> candidates = np.array([truth + 1.0, truth - 1.0, truth + 9.0])
        >>> def loss(weight):
        ...     return lambda p: float(np.average((p - truth)[:, 0] ** 2, weights=weight))
        >>> bagged_weights(candidates, loss, np.ones(2), rounds=4).tolist()
        [0.5, 0.5, 0.0]
    """
    generator, rows = np.random.default_rng(0), len(weight)
    drawn = generator.multinomial(rows, weight / weight.sum(), size=bags)
    first = min(FIRST, len(predictions) // 4)
    each = [greedy_weights(predictions, score(counts), rounds, first) for counts in drawn]
    return np.asarray(np.mean(each, axis=0))
