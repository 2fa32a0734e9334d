"""Lesson 12: a net that looks at digits, one that remembers, one that decides on its graph."""

from functools import partial
from typing import Literal

from slalom.lessons.common import SEED
from slalom.lessons.lesson import Choice, Lesson, Number, Result, Whole
from slalom.lessons.prose import Text
from slalom.lessons.structures import decide
from slalom.lessons.structures.decide_pictures import choices
from slalom.lessons.structures.listen import hear_pieces
from slalom.lessons.structures.listen_pictures import listening
from slalom.lessons.structures.look import look_at_digits
from slalom.lessons.structures.look_pictures import accuracy, doubts, filter_pairs, maps
from slalom.lessons.structures.remember import follow
from slalom.lessons.structures.remember_pictures import film, graphs, memory


def structures(
    filters: int,
    epochs: int,
    cell: Literal["RNN", "GRU"],
    hidden: int,
    steps: int,
    lr: float,
    seed: int,
) -> Result:
    """Train nets that look and nets that remember, and follow one that decides."""
    looked = look_at_digits(filters, epochs, lr, seed)
    followed = follow(cell, hidden, steps, lr, seed)
    listened = hear_pieces(cell, hidden, steps, lr, seed)
    return Result(
        numbers={
            **looked.numbers(),
            **followed.numbers(),
            **listened.numbers(),
            **decide.numbers(),
        },
        figures={
            "filters": partial(filter_pairs, looked),
            "maps": partial(maps, looked),
            "accuracy": partial(accuracy, looked),
            "doubts": partial(doubts, looked),
            "film": partial(film, followed),
            "memory": partial(memory, followed),
            "graphs": partial(graphs, followed),
            "listening": partial(listening, listened),
            "choices": choices,
        },
        claims={
            **looked.claims(),
            **followed.claims(),
            **listened.claims(),
            "gated": cell == "GRU",
        },
    )


LESSON = Lesson(
    name="structures",
    parameters=(
        Whole(
            "filters", 8, Text("filters of the first convolution", "第一个卷积的滤波器数"), 2, 16
        ),
        Whole("epochs", 12, Text("epochs on the digits", "在数字图像上的轮次数"), 1, 16),
        Choice("cell", "RNN", Text("kind of recurrent net", "循环网络的种类"), ("RNN", "GRU")),
        Whole("hidden", 32, Text("numbers in the hidden state", "隐藏状态中数的个数"), 1, 64),
        Whole("steps", 200, Text("steps along the sine", "沿正弦曲线的步数"), 20, 400),
        Number("lr", 0.003, Text("learning rate", "学习率"), low=1e-4, high=0.1, log=True),
        SEED,
    ),
    function=structures,
    scripts=("structures_look.py", "structures_remember.py", "structures_decide.py"),
    only_here=frozenset(  # the scripts train one net of each kind
        {
            "runs",
            "accuracies",
            "look_in_place",
            "dense_in_place",
            "look_sideways",
            "dense_sideways",
            "look_up_down",
            "dense_up_down",
            "listeners",
            "pieces_heard",
            "most_moments",
            "listening_errors",
            "error_of_one",
            "error_of_all",
        }
    ),
    thumbnail="film",
)
