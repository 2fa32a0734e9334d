"""What all pages of a studio share."""

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request

from slalom.core.errors import BadPlan
from slalom.core.language import tr
from slalom.data.dataset import Dataset
from slalom.runs.folder import RunFolder
from slalom.runs.listing import runs_in
from slalom.studio.settings import MOST_CLASSES
from slalom.studio.thumbnails import Thumbnails
from slalom.studio.uploads import Uploads
from slalom.studio.workers import Worker, Workers

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
        # A page asks for its columns again with every movement of a slider.
        self.pair = lru_cache(maxsize=16)(self._pair)

    def tidy(self) -> None:
        """Remove old tables from which no run was made: a fit reads its own when it goes on."""
        fits = [about.get("fit") for _, about in runs_in(self.store)]
        self.uploads.tidy({str(fit.get("table")) for fit in fits if isinstance(fit, dict)})

    def run(self, name: str) -> RunFolder:
        """A run of the store by its name, which is looked up and never becomes a path.

        Raises:
            BadPlan: when there is none.
        """
        for path, _ in runs_in(self.store):
            if path.name == name:
                return RunFolder(path)
        raise BadPlan(tr("There is no run {name!r}.", name=name[:100]))

    def _pair(self, table: str, x: str, y: str, color: str) -> Dataset:
        """Two columns of a table as a curve; or as regions, with a third one for the classes."""
        asked = {"do": "pair", "table": str(self.uploads.find(table)), "x": x, "y": y}
        found = Worker({**asked, "color": color}).result()
        if len(found.get("classes", [])) > MOST_CLASSES:
            raise BadPlan(tr("{name} has more than {most} classes.", name=color, most=MOST_CLASSES))
        points = np.asarray(found["points"], dtype=np.float64)
        spread = np.where(np.ptp(points[:, :2], axis=0) > 0, points[:, :2].std(axis=0), 1)
        numbers = (points[:, :2] - points[:, :2].mean(axis=0)) / spread
        if not color:
            return Dataset(
                numbers[:, :1].astype(np.float32),
                numbers[:, 1],
                task="regression",
                feature_names=(f"{x} (standardised)",),
                target_names=(f"{y} (standardised)",),
            )
        return Dataset(
            numbers.astype(np.float32),
            points[:, 2].astype(np.int64),
            task="classification",
            feature_names=(x, y),
            target_names=(color,),
            classes=tuple(found["classes"]),
        )


def office(request: Request) -> Office:
    """That of the studio to which a request came."""
    found: Office = request.app.state.office
    return found
