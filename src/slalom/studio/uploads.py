"""Tables that were sent to the studio: files in a folder of the store, known by an identifier."""

import re
import shutil
import time
from collections.abc import Container
from pathlib import Path
from uuid import uuid4

from starlette.requests import Request

from slalom.core.errors import BadFile
from slalom.core.language import tr

FOLDER = ".tables"  # within the store, which takes no folder with a dot for a run
MOST_BYTES = 200 * 2**20  # of one file; what is larger is better given to `slalom fit`
MOST_TOGETHER = 4 * 2**30
KEPT = 24 * 3600  # seconds, of a table that no run needs
ENDINGS = (
    *(".csv", ".tsv", ".txt", ".dat", ".parquet", ".feather", ".arrow", ".jsonl", ".ndjson"),
    *(".xlsx", ".db", ".sqlite"),
)
PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst")


class Uploads:
    """The tables of a store.

    Args:
        store: its folder. A fit reads its table again when it goes on, so they lie beside the runs.
    """

    def __init__(self, store: Path) -> None:
        self.folder = store / FOLDER

    async def take(self, request: Request, name: str) -> str:
        """Write the body of a request to a file; returns its identifier.

        Args:
            request: whose body it is; the route limits how long it may be.
            name: of the file, as the sender calls it.

        Raises:
            BadFile: for a name that is none of a table.
        """
        known = _safe(name)
        if sum(path.stat().st_size for path in self.folder.glob("*/*")) > MOST_TOGETHER:
            raise BadFile(
                tr(
                    "The tables of this store take more than {size} GB. Remove some of the folder "
                    "{folder} in it.",
                    size=MOST_TOGETHER // 2**30,
                    folder=FOLDER,
                )
            )
        identifier = uuid4().hex
        place = self.folder / identifier
        place.mkdir(parents=True)
        try:
            with (place / known).open("wb") as file:
                async for part in request.stream():
                    file.write(part)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        return identifier

    def tidy(self, used: Container[str]) -> None:
        """Remove the tables that were sent more than a day ago, but for those in use.

        Args:
            used: their identifiers.
        """
        for place in self.folder.glob("*"):
            if place.name not in used and time.time() - place.stat().st_mtime > KEPT:
                shutil.rmtree(place, ignore_errors=True)

    def find(self, identifier: str) -> Path:
        """The file of a table.

        Raises:
            BadFile: when there is none.
        """
        if re.fullmatch(r"[0-9a-f]{32}", identifier):
            for path in sorted((self.folder / identifier).glob("[!.]*")):
                if path.name != PREDICTIONS:
                    return path
        raise BadFile(tr("There is no such table. Send it again."))

    def predictions(self, identifier: str) -> Path:
        """Where predictions for a table lie, or will."""
        return self.find(identifier).with_name(PREDICTIONS)


PREDICTIONS = "predictions.csv"


def _safe(name: str) -> str:
    """A file name that is nothing but one, with the ending of a table.

    >>> _safe("../../étude 1.CSV")
    'étude_1.csv'
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = re.sub(r"[^\w.+-]", "_", last).lstrip("_.+-")
    stem, dot, ending = plain.rpartition(".")
    plain = stem[-60:] + dot + ending.lower()
    inner = plain
    for packed in PACKED:
        inner = inner.removesuffix(packed)
    if not stem or not inner.lower().endswith(ENDINGS) or inner.lower() in ENDINGS:
        raise BadFile(
            tr(
                "{name!r} is no table by its name: it should end in one of {endings}.",
                name=last[:80],
                endings=", ".join(ENDINGS),
            )
        )
    return "table-" + plain if plain == PREDICTIONS else plain
