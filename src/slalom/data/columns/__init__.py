"""What can be made of one column of a table: one spec for each kind, and `fit_column` to choose."""

from slalom.data.columns.boolean import Boolean
from slalom.data.columns.category import Category
from slalom.data.columns.detect import Column, fit_column
from slalom.data.columns.dropped import Dropped, Presence
from slalom.data.columns.means import Answers, TargetMeans
from slalom.data.columns.moment import Datetime, Duration
from slalom.data.columns.number import Number, Scale
from slalom.data.columns.text import Text

__all__ = [
    "Answers",
    "Boolean",
    "Category",
    "Column",
    "Datetime",
    "Dropped",
    "Duration",
    "Number",
    "Presence",
    "Scale",
    "TargetMeans",
    "Text",
    "fit_column",
]
