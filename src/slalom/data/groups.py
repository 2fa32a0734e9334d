"""Which features came from which column of a table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """The features that stand for one thing: a column, or the time between two of them.

    Args:
        name: of the column; `end - start` for the time between two.
        columns: the columns that it is made of.
        features: which of the I features are its own: from the first to before the second.
        numbers: how many of these, the first ones, are numbers on a scale; the others say which
            level or word a cell holds, whether it is missing, or where in a cycle it lies.

    Example:
        >>> Group("size", ("size",), (0, 2), numbers=1).slice
        slice(0, 2, None)
    """

    name: str
    columns: tuple[str, ...]
    features: tuple[int, int]
    numbers: int

    @property
    def slice(self) -> slice:
        """Its features among the columns of `[N, I]`."""
        return slice(*self.features)
