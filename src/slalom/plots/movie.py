"""A picture that moves, moment by moment: as a GIF, or in a window."""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from slalom.core.colours import CLASSES as CLASS_COLORS
from slalom.core.colours import INK, PALE, QUIET
from slalom.core.colours import OPTIMIZERS as COLORS
from slalom.core.errors import BadFile
from slalom.plots.style import SCREEN_DPI, Picture, look, writable

Images: TypeAlias = list[NDArray[np.uint8]]
Track: TypeAlias = Callable[[Iterable[int]], Iterable[int]]

FRAME_MS, LAST_MS = 80, 2000  # twelve frames a second; then time to look at the result
MOST_BYTES = 3_000_000  # what a page or a mail takes easily
FEWEST = 8  # frames; with fewer a movie is a slide show
SHADES = 80  # colours besides the fixed ones; fewer make a smaller file


@dataclass(eq=False)
class Movie:
    """A figure, and what changes in it from one moment to the next.

    Args:
        figure: what stands still, and the moving artists as they are at first.
        moments: how many there are.
        show: gives the moving artists what they show at moment `i`, from 0.
        moving: the artists that `show` changes, the lowest first. They are drawn over all others.
        pace: milliseconds a moment; 80 are twelve a second.

    Example:
        >>> from slalom.plots.style import picture
        >>> figure = picture(2, 2)
        >>> (line,) = figure.add_subplot().plot([0, 1], [0, 1])
        >>> movie = Movie(figure, 9, lambda i: line.set_ydata([0, i / 8]), [line])
        >>> movie.gif()[:6]
        b'GIF89a'
    """

    figure: Picture
    moments: int
    show: Callable[[int], Any]
    moving: Sequence[Artist]
    pace: int = FRAME_MS

    def images(self, track: Track = iter) -> Images:
        """Each moment as `[height, width, 3]`; what stands still is drawn once.

        Args:
            track: goes through the moments and may count them, for a progress bar.
        """
        with look():
            self.figure.set_dpi(SCREEN_DPI)
            canvas: Any = FigureCanvasAgg(self.figure)  # untyped in matplotlib
            canvas.draw()  # settles the layout
            self.figure.set_layout_engine("none")
            self.set_moving()
            canvas.draw()
            still = canvas.copy_from_bbox(self.figure.bbox)
            images = []
            for i in track(range(self.moments)):
                self.draw(canvas, still, i)
                images.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
        return images

    def set_moving(self) -> None:
        """From now on, drawing the figure leaves out what moves."""
        for artist in self.moving:
            artist.set_animated(True)

    def draw(self, canvas: Any, still: Any, i: int) -> None:
        """Moment `i` on a canvas, over what stands still, which was copied from it."""
        canvas.restore_region(still)
        self.show(i)
        for artist in self.moving:
            self.figure.draw_artist(artist)

    def frames(self, track: Track = iter) -> list[Image.Image]:
        """Each moment as an image; they share a palette, in which fixed colours are exact."""
        images = self.images(track)
        palette = _palette(images)
        return [
            Image.fromarray(image).quantize(palette=palette, dither=Image.Dither.NONE)
            for image in images
        ]

    def gif(self, track: Track = iter) -> bytes:
        """The content of a GIF file of at most 3 MB: with fewer frames when all would not fit."""
        frames = self.frames(track)
        content = _encode(frames, pace := self.pace)
        while len(content) > MOST_BYTES and len(frames) > FEWEST:  # each shown for longer
            frames, pace = [*frames[:-1][::2], frames[-1]], 2 * pace
            content = _encode(frames, pace)
        return content

    def save(self, path: str | Path, track: Track = iter) -> Path:
        """Write it as a GIF.

        Raises:
            BadFile: when the ending is another one or the file cannot be written.
        """
        path = writable(path, (".gif",))
        content = self.gif(track)
        try:
            path.write_bytes(content)
        except OSError as error:
            raise BadFile(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
        return path


def _encode(frames: list[Image.Image], pace: int) -> bytes:
    """The frames as a GIF, `pace` milliseconds each and longer for the last."""
    stream = io.BytesIO()
    frames[0].save(
        stream,
        format="GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[*[pace] * (len(frames) - 1), LAST_MS],
        loop=0,
    )
    return stream.getvalue()


def _palette(images: Images) -> Image.Image:
    """One palette for all frames, from some along the way: no flicker, and small differences.

    White, ink and the fixed colours are in it, so that lines and points keep their exact colour.
    """
    chosen = np.unique(np.linspace(0, len(images) - 1, 6).round().astype(int))
    strip = Image.fromarray(np.concatenate([images[i][::2, ::2] for i in chosen]))
    found = strip.quantize(SHADES, dither=Image.Dither.NONE).getpalette() or []
    shades = np.array(found[: 3 * SHADES], dtype=int).reshape(-1, 3)
    names = dict.fromkeys(["#ffffff", INK, QUIET, PALE, *COLORS.values(), *CLASS_COLORS])
    exact = np.round([[255 * part for part in to_rgb(name)] for name in names]).astype(int)
    # Pillow's search for the nearest colour is rough, so near neighbours must not compete.
    near = (np.abs(shades[:, None] - exact).max(axis=-1) < 12).any(axis=1)
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate([exact, shades[~near]]).ravel().tolist())
    return palette
