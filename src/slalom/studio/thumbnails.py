"""A picture for each lesson on the first page: drawn once on a machine, then kept in its cache."""

import io
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from PIL import Image

from slalom import __version__, lessons
from slalom.core.cache import cache_folder
from slalom.core.files import write_whole
from slalom.studio.lesson_pages import open_lesson

SIZE = 480, 300  # pixels: twice what it is shown at, for fine screens


def thumbnail(name: str, lang: str) -> bytes:
    """The picture of a lesson, as WebP; of a film the moment in its middle.

    Raises:
        BadPlan: when there is no such lesson.
    """
    lesson = lessons.get(name)
    kept = cache_folder() / "thumbnails" / f"{lesson.name}-{lang}-{_stamp()}.webp"
    if kept.is_file():
        return kept.read_bytes()
    opened = open_lesson(lesson, {}, lang)
    figure = lesson.thumbnail or next(iter(opened.figures))
    moments = len(opened.shown(figure, "").run)
    with Image.open(io.BytesIO(opened.image(figure, moments // 2))) as whole:
        whole.thumbnail(SIZE, Image.Resampling.LANCZOS)
        stream = io.BytesIO()
        whole.save(stream, format="WEBP", quality=85)
    with suppress(OSError):  # then it is drawn again the next time
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, stream.getvalue())
    return stream.getvalue()


def _stamp() -> str:
    """What a picture may depend on: the version, and when a lesson was changed last."""
    here = Path(str(lessons.__file__)).parent
    changed = max(path.stat().st_mtime_ns for path in here.rglob("*.py"))
    return sha256(f"{__version__} {changed}".encode()).hexdigest()[:12]
