"""Lessons at some values, made and drawn when they are asked for."""

import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass
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
from slalom.studio.memory import release

SIZE = 480, 300  # pixels of a thumbnail: twice what it is shown at, for fine screens
KEPT = 6  # lessons at some values, with what was drawn of them; a film of 60 moments is 2 MB

# matplotlib draws in one thread at a time.
_DRAWING = threading.Lock()


class Drawing:
    """A figure of a lesson, and its images once somebody has asked for one.

    Args:
        figure: which then goes: matplotlib keeps what it drew, some 10 MB.
    """

    def __init__(self, figure: Figure) -> None:
        self.figure: Figure | None = figure
        if isinstance(figure, Movie):
            self.moments, self.pace = figure.moments, figure.pace
            width, height = figure.figure.get_size_inches()
        else:
            self.moments, self.pace = 1, 0
            width, height = figure.get_size_inches()
        self.size = round(100 * width), round(100 * height)
        self._images: list[bytes] = []

    def image(self, moment: int) -> bytes:
        """One moment, as WebP.

        Raises:
            BadPlan: when there is none.
        """
        if moment >= self.moments:
            raise BadPlan(tr("The film has no moment {moment}.", moment=moment))
        with _DRAWING:
            if self.figure is not None:
                self._images = list(images_of(self.figure, quick=True).values())
                self.figure = None
                release()
        return self._images[moment]


@dataclass(frozen=True, eq=False)
class Opened:
    """A lesson at some values, in a language.

    Args:
        made: the lesson.
        drawings: by name.
    """

    made: Made
    drawings: dict[str, Drawing]

    def drawing(self, name: str) -> Drawing:
        """One of them.

        Raises:
            BadPlan: when there is none of that name.
        """
        if name not in self.drawings:
            raise BadPlan(tr("The lesson has no figure {name!r}.", name=name))
        return self.drawings[name]

    def shown(self, name: str, address: str) -> Shown:
        """A figure, as images that are drawn when the browser asks for them."""
        drawing = self.drawing(name)
        addresses = [address.format(figure=name, moment=i) for i in range(drawing.moments)]
        return Shown([addresses], drawing.size, drawing.pace)


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
        return Opened(made, {name: Drawing(draw()) for name, draw in made.figures.items()})


def thumbnail(lesson: Lesson, lang: str) -> bytes:
    """A small picture of a lesson; of a film the moment in its middle."""
    opened = open_lesson(lesson, {}, lang)
    drawing = opened.drawing(lesson.thumbnail or next(iter(opened.drawings)))
    with Image.open(io.BytesIO(drawing.image(drawing.moments // 2))) as whole:
        whole.thumbnail(SIZE, Image.Resampling.LANCZOS)
        stream = io.BytesIO()
        whole.save(stream, format="WEBP", quality=85)
    return stream.getvalue()
