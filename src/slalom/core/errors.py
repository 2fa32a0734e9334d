"""Everything that Slalom raises on purpose.

    SlalomError
      BadData      a table, an array or a target that cannot be used
      BadPlan      a population, a plan or one of its parts that makes no sense
      BadFile      a file that cannot be read or written
      BadRun       a run on the disk, or a store of them, that cannot be used
      Diverged     no member of a population is left with finite numbers
      MissingExtra packages that an extra would have installed

A message says what was expected, what came, where, and what to do. Errors about arguments are
also `ValueError`s, so that code which expects Python's or scikit-learn's conventions keeps working.
"""

from difflib import get_close_matches


class SlalomError(Exception):
    """The root: catch this one to catch whatever Slalom raises on purpose."""


class BadData(SlalomError, ValueError):
    """A table, an array or a target that cannot be used as it is."""


class BadPlan(SlalomError, ValueError):
    """A population, a plan or a part of one that makes no sense."""


class BadFile(SlalomError, OSError):
    """A file that cannot be read or written."""


class BadRun(SlalomError, OSError):
    """A run on the disk that is not there, is damaged or in use, or a store of them that is."""


class Diverged(SlalomError, ArithmeticError):
    """Every member of a population has diverged, so there is no model to hand out."""


class MissingExtra(SlalomError, ImportError):
    """Packages are not there that one of the extras installs.

    Args:
        what: cannot be done without them.
        extra: which one it is.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs packages that are not installed. Install them: "
            f"pip install 'slalom[{extra}]'."
        )


class SlalomWarning(UserWarning):
    """Something that the reader should know, though the work went on."""


def did_you_mean(name: str, known: list[str]) -> str:
    """A sentence that offers the nearest known names, or lists them all when none is near.

    >>> did_you_mean("adma", ["adam", "sgd"])
    "Did you mean 'adam'?"
    """
    from slalom.core.language import tr  # which raises errors of this file

    near = get_close_matches(name, known, n=3, cutoff=0.6)
    if near:
        return tr("Did you mean {names}?", names=tr(" or ").join(map(repr, near)))
    return tr("Known: {names}.", names=", ".join(known) or tr("none"))
