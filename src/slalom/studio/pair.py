"""Columns of an uploaded table as a dataset that can be drawn."""

from functools import lru_cache

import numpy as np

from slalom.core.errors import BadPlan
from slalom.core.language import tr
from slalom.data.dataset import Dataset
from slalom.studio.settings import MOST_CLASSES
from slalom.studio.workers import Worker


@lru_cache(maxsize=16)  # a page asks for its columns again with every movement of a slider
def dataset_of(path: str, x: str, y: str, color: str) -> Dataset:
    """Two columns of a table as a curve; or as regions, with a third one for the classes.

    Raises:
        BadPlan: when they are no such columns.
    """
    found = Worker({"do": "pair", "table": path, "x": x, "y": y, "color": color}).result()
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
