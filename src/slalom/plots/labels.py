"""Words in pictures: what members are called, what a loss measures, how numbers are written."""

import math
import re
from unicodedata import east_asian_width

from slalom.core.language import tr
from slalom.losses import Loss
from slalom.optim import Constant
from slalom.population import Member, Population


def loss_words(loss: Loss) -> str:
    """What a loss measures, with its unit where it has one of its own."""
    words = {
        "MSE": tr("mean squared error"),
        "L1": tr("mean absolute error"),
        "Huber": tr("Huber loss"),
        "CrossEntropy": tr("cross entropy, nats"),
        "BCEWithLogits": tr("binary cross entropy, nats"),
        "GaussianNLL": tr("Gaussian negative log likelihood, nats"),
    }
    return words.get(loss.kind, loss.kind)


def number(value: float) -> str:
    """Three significant digits, or all before the point; `diverged` for what is not finite.

    >>> number(0.0123456), number(3734.2), number(float("inf"))
    ('0.0123', '3,734', 'diverged')
    """
    if not math.isfinite(value):
        return tr("diverged")
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"


def rows_of(n: int) -> str:
    """How many rows, in words.

    >>> rows_of(1), rows_of(1200)
    ('1 row', '1,200 rows')
    """
    return tr("1 row") if n == 1 else tr("{n:,} rows", n=n)


def shortened(text: object, length: int) -> str:
    """A name of the user's in one line: at most so long, and with dollars that are not mathematics.

    >>> shortened("a long name", 7), shortened("$5 to $10", 20)
    ('a long…', '\\\\$5 to \\\\$10')
    """
    line = " ".join(str(text).split())
    if len(line) > length:
        line = line[: length - 1].rstrip() + "…"
    return line.replace("$", r"\$")


_HAN, _CLOSING = r"\u2e80-\u9fff\uff00-\uffef", "，。：；？！、）"
_PIECES = re.compile(rf"\s*（*(?:[{_HAN}]|[^\s{_HAN}]+)[{_CLOSING}]*")


def wrapped(text: str, columns: int) -> str:
    """A text in lines of at most so many columns, of which a Chinese character takes two.

    Chinese breaks between any two characters, but no line begins with a closing mark.

    >>> wrapped("The loss rose.", 10), wrapped("损失上升，而后下降。", 8)
    ('The loss\\nrose.', '损失上\\n升，而后\\n下降。')
    """
    lines = [""]
    for piece in _PIECES.findall(text):
        longer = lines[-1] + piece
        if sum(2 if east_asian_width(c) in "WF" else 1 for c in longer) <= columns:
            lines[-1] = longer
        else:
            lines.append(piece.lstrip())
    return "\n".join(lines)


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
