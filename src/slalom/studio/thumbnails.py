"""A picture for each lesson on the first page: drawn once on a machine, then kept in its cache.

A worker draws them, one lesson after another: the studio itself stays small and quick meanwhile.
"""

import threading
from functools import cache
from hashlib import sha256
from pathlib import Path

from slalom import __version__, lessons
from slalom.core.cache import cache_folder
from slalom.core.errors import BadPlan
from slalom.core.files import write_whole
from slalom.studio.workers import Worker

WAIT = 0.1  # seconds between two looks for a picture


class Thumbnails:
    """The pictures of the lessons, and the workers that draw them: one for each language."""

    def __init__(self) -> None:
        self.workers: dict[str, Worker] = {}
        self.lock = threading.Lock()

    def picture(self, name: str, lang: str) -> bytes:
        """The picture of a lesson, as WebP; the first who asks waits until it is drawn.

        Raises:
            BadPlan: when there is no such lesson, or it cannot be drawn.
        """
        if name not in lessons.NAMES:
            raise BadPlan(f"There is no lesson {name[:100]!r}.")
        kept = _place(name, lang)
        while not kept.is_file():
            if self._worker(lang, name).over.wait(WAIT) and not kept.is_file():
                raise BadPlan(f"The picture of the lesson {name} cannot be drawn, or not be kept.")
        return kept.read_bytes()

    def _worker(self, lang: str, first: str) -> Worker:
        with self.lock:
            if lang not in self.workers:
                self.workers[lang] = Worker({"do": "thumbnails", "lang": lang, "first": first})
            return self.workers[lang]

    def stop(self) -> None:
        """Let all end."""
        for worker in self.workers.values():
            worker.stop()


def draw_thumbnails(lang: str, first: str) -> None:
    """Draw and keep what is not there yet; `first` is what somebody waits for."""
    from slalom.studio.opened import thumbnail  # loaded here: it draws

    for name in (first, *lessons.NAMES):
        kept = _place(name, lang)
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_whole(kept, thumbnail(lessons.get(name), lang))


def _place(name: str, lang: str) -> Path:
    return cache_folder() / "thumbnails" / f"{name}-{lang}-{_stamp()}.webp"


@cache
def _stamp() -> str:
    """What a picture may depend on: the version, and when a lesson was changed last."""
    here = Path(str(lessons.__file__)).parent
    changed = max(path.stat().st_mtime_ns for path in here.rglob("*.py"))
    return sha256(f"{__version__} {changed}".encode()).hexdigest()[:12]
