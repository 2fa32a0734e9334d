"""A figure as an address that holds the picture itself."""

import base64
import io

import matplotlib
from matplotlib.figure import Figure

LARGEST_SVG = 250_000  # bytes; beyond, thousands of points make a page slow, and a PNG is smaller
PNG_DPI = 160


def embedded(figure: Figure) -> str:
    """The picture as `data:image/...;base64,...`: SVG, or PNG when it would be large.

    An image in an `img` element can neither run a script nor load anything.

    Example:
        >>> embedded(Figure(figsize=(1, 1)))[:26]
        'data:image/svg+xml;base64,'
    """
    with matplotlib.rc_context({"svg.hashsalt": "slalom"}):  # the same picture, the same bytes
        drawn = _drawn(figure, "svg", metadata={"Date": None, "Creator": None})
    kind = "svg+xml"
    if len(drawn) > LARGEST_SVG:
        drawn, kind = _drawn(figure, "png", dpi=PNG_DPI), "png"
    return f"data:image/{kind};base64,{base64.b64encode(drawn).decode('ascii')}"


def _drawn(figure: Figure, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()
