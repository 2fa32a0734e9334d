"""Words in pictures: what members are called, what a loss measures, how numbers are written."""

import math

from slalom.losses import Loss
from slalom.optim import Constant
from slalom.population import Member, Population

LOSS_WORDS = {
    "MSE": "mean squared error",
    "L1": "mean absolute error",
    "Huber": "Huber loss",
    "CrossEntropy": "cross entropy, nats",
    "BCEWithLogits": "binary cross entropy, nats",
    "GaussianNLL": "Gaussian negative log likelihood, nats",
}


def loss_words(loss: Loss) -> str:
    """What a loss measures, with its unit where it has one of its own."""
    return LOSS_WORDS.get(loss.kind, loss.kind)


def number(value: float) -> str:
    """Three significant digits, or all before the point; `diverged` for what is not finite.

    >>> number(0.0123456), number(3734.2), number(float("inf"))
    ('0.0123', '3,734', 'diverged')
    """
    if not math.isfinite(value):
        return "diverged"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"


def counted(n: int, word: str) -> str:
    """A number with its word.

    >>> counted(1, "member"), counted(1200, "member")
    ('1 member', '1,200 members')
    """
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def shortened(text: object, length: int) -> str:
    """A name of the user's in one line: at most so long, and with dollars that are not mathematics.

    >>> shortened("a long name", 7), shortened("$5 to $10", 20)
    ('a long…', '\\\\$5 to \\\\$10')
    """
    line = " ".join(str(text).split())
    if len(line) > length:
        line = line[: length - 1].rstrip() + "…"
    return line.replace("$", r"\$")


def member_labels(population: Population) -> list[str]:
    """What each member is called in a picture: its optimizer, and what else sets members apart.

    >>> from slalom import MLP, SGD, grid
    >>> member_labels(grid(net=MLP(1, 4, 1), optimizer=SGD(0.1), seed=[0, 1]))
    ['SGD(lr=0.1), seed 0', 'SGD(lr=0.1), seed 1']
    """
    parts = [_parts(member) for member in population]
    telling = [name for name in parts[0] if len({part[name] for part in parts}) > 1]
    return [
        ", ".join([member.optimizer.label, *(part[name] for name in telling)])
        for member, part in zip(population, parts, strict=True)
    ]


def _parts(member: Member) -> dict[str, str]:
    plain = member.schedule == Constant()
    return {
        "net": member.net.label,
        "batch_size": f"batch {member.batch_size}" if member.batch_size else "full batch",
        "schedule": "constant lr" if plain else member.schedule.kind,
        "clip_norm": "no clip" if member.clip_norm is None else f"clip {member.clip_norm:g}",
        "seed": f"seed {member.seed}",
        "fold": f"fold {member.fold}",
    }
