"""Lesson 14: the map of learning rate and momentum, and a zoom into its fractal border."""

from dataclasses import replace
from functools import partial

from slalom.lessons.common import ACTIVATION, SEED
from slalom.lessons.lesson import Lesson, Result, Whole
from slalom.lessons.map.drawing import boxes_picture, map_picture, zoom_movie
from slalom.lessons.map.pixels import WHOLE, box_counts, chart, dimension, goal, trainings
from slalom.lessons.prose import Text

COARSE = 8  # pixels along a side of the map that plain PyTorch trains too


def plane(resolution: int, depth: int, steps: int, activation: str, seed: int) -> Result:
    """The map, a zoom into its border, and a coarse map by the reference engine."""
    draw = partial(chart, activation, steps, seed)
    place = goal(draw, depth)
    windows = [WHOLE.around(place, 0.5**k) for k in range(1, depth + 1)]
    planes = [draw(WHOLE, 2 * resolution), *(draw(window, resolution) for window in windows)]
    coarse, quick = (
        trainings(activation, steps, seed, WHOLE, COARSE, engine).state
        for engine in ("reference", "auto")
    )
    gone = coarse.diverged_at >= 0
    return Result(
        numbers={
            "pixels": COARSE,
            "diverged_at": coarse.diverged_at.reshape(COARSE, COARSE),
            "losses": coarse.train_loss[~gone],
            "diverged": int(gone.sum()),
            "agreeing": int((gone == (quick.diverged_at >= 0)).sum()),
            "nets": sum(plane.diverged_at.size for plane in planes),
            "dimension": dimension(*box_counts(planes[0].border)),
            "last_dimension": dimension(*box_counts(planes[-1].border)),
        },
        figures={
            "map": partial(map_picture, planes[0], steps),
            "zoom": partial(zoom_movie, planes, place, steps),
            "boxes": partial(boxes_picture, planes),
        },
    )


LESSON = Lesson(
    name="map",
    parameters=(
        Whole("resolution", 112, Text("pixels along a side", "每边的像素数"), low=32, high=128),
        Whole("depth", 9, Text("times to zoom in by two", "窗口宽度减半的次数"), low=2, high=10),
        Whole("steps", 100, Text("steps of each net", "每个网络的步数"), low=60, high=120),
        replace(ACTIVATION, default="tanh"),
        replace(SEED, default=12),
    ),
    function=plane,
    scripts=("map.py",),
    only_here=frozenset({"agreeing", "nets", "dimension", "last_dimension"}),
)
