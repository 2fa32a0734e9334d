"""What all pages of a studio share."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from slalom.core.errors import BadPlan
from slalom.core.language import tr
from slalom.runs.listing import runs_in
from slalom.studio.later import load
from slalom.studio.thumbnails import Thumbnails
from slalom.studio.uploads import Uploads
from slalom.studio.workers import Workers

if TYPE_CHECKING:
    from slalom.data.dataset import Dataset
    from slalom.runs.folder import RunFolder
    from slalom.studio.desk import Desk

READERS, LESSONS = 3, 2  # at work at once, of all pages together


class Office:
    """What all pages of a studio share: the store, the tables in it, and who works on them.

    Args:
        store: the folder of the runs.
    """

    def __init__(self, store: Path) -> None:
        self.store = store
        self.workers, self.uploads = Workers(), Uploads(store)
        self.thumbnails = Thumbnails()
        self.sockets = 0  # that are open
        self.known: dict[Path, Any] = {}  # of tables, what was read
        self.reading, self.lessons = asyncio.Semaphore(READERS), asyncio.Semaphore(LESSONS)

    def desk(self) -> "Desk":
        """A place for a page that opens."""
        dataset_of = load("pair").dataset_of

        def tables(table: str, *names: str) -> "Dataset":
            found: Dataset = dataset_of(str(self.uploads.find(table)), *names)
            return found

        desk: Desk = load("desk").Desk(tables)
        return desk

    def tidy(self) -> None:
        """Remove old tables from which no run was made: a fit reads its own when it goes on."""
        fits = [about.get("fit") for _, about in runs_in(self.store)]
        tables = [str(fit.get("table")) for fit in fits if isinstance(fit, dict)]
        self.uploads.tidy({Path(table).parent.name for table in tables})  # the store may have moved

    def run(self, name: str) -> "RunFolder":
        """A run of the store by its name, which is looked up and never becomes a path.

        Raises:
            BadPlan: when there is none.
        """
        load("desk")
        from slalom.runs.folder import RunFolder  # which is there now

        for path, _ in runs_in(self.store):
            if path.name == name:
                return RunFolder(path)
        raise BadPlan(tr("There is no run {name!r}.", name=name[:100]))


def office(request: Request) -> Office:
    """That of the studio to which a request came."""
    found: Office = request.app.state.office
    return found
