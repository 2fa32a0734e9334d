"""Lessons at some values, made and drawn when they are asked for."""

import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from PIL import Image

from slalom import lessons
from slalom.core.errors import BadPlan
from slalom.core.language import language, tr
from slalom.lessons.files import images_of
from slalom.lessons.lesson import Figure, Lesson, Made
from slalom.lessons.page import Shown
from slalom.plots.toolkit import Movie

SIZE = 480, 300  # pixels of a thumbnail: twice what it is shown at, for fine screens
KEPT = 12  # lessons at some values, with what was drawn of them; a film of 60 moments is 2 MB

# matplotlib draws in one thread at a time.
_DRAWING = threading.Lock()


@dataclass(eq=False)
class Opened:
    """A lesson at some values, in a language, with what was drawn of it so far.

    Args:
        made: the lesson.
        figures: by name.
        images: by name, a webp a moment.
    """

    made: Made
    figures: dict[str, Figure]
    images: dict[str, list[bytes]] = field(default_factory=dict)

    def shown(self, name: str, address: str) -> Shown:
        """A figure, as images that are drawn when the browser asks for them."""
        figure = self.figures[name]
        moments, pace = (figure.moments, figure.pace) if isinstance(figure, Movie) else (1, 0)
        drawn = figure.figure if isinstance(figure, Movie) else figure
        width, height = drawn.get_size_inches()
        addresses = [address.format(figure=name, moment=i) for i in range(moments)]
        return Shown([addresses], (round(100 * width), round(100 * height)), pace)

    def image(self, name: str, moment: int) -> bytes:
        """One moment of a figure, as WebP.

        Raises:
            BadPlan: when there is none.
        """
        if name not in self.figures:
            raise BadPlan(tr("The lesson has no figure {name!r}.", name=name))
        with _DRAWING:
            if name not in self.images:
                self.images[name] = list(images_of(self.figures[name], quick=True).values())
            images = self.images[name]
        if moment >= len(images):
            raise BadPlan(tr("The film has no moment {moment}.", moment=moment))
        return images[moment]


def open_lesson(lesson: Lesson, given: Mapping[str, str], lang: str) -> Opened:
    """The lesson at these values, made if it is not one of those that were opened last.

    Raises:
        BadPlan: for a parameter that it does not have, or a value out of its range.
    """
    return _opened(lesson.name, lang, tuple(lesson.values(**given).items()))


@lru_cache(maxsize=KEPT)
def _opened(name: str, lang: str, values: tuple[tuple[str, Any], ...]) -> Opened:
    made = lessons.get(name).make(**dict(values))
    with _DRAWING, language(lang):
        return Opened(made, {figure: draw() for figure, draw in made.figures.items()})


def thumbnail(lesson: Lesson, lang: str) -> bytes:
    """A small picture of a lesson; of a film the moment in its middle."""
    opened = open_lesson(lesson, {}, lang)
    figure = lesson.thumbnail or next(iter(opened.figures))
    moments = len(opened.shown(figure, "").run)
    with Image.open(io.BytesIO(opened.image(figure, moments // 2))) as whole:
        whole.thumbnail(SIZE, Image.Resampling.LANCZOS)
        stream = io.BytesIO()
        whole.save(stream, format="WEBP", quality=85)
    return stream.getvalue()
