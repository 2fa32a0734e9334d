"""Data: datasets, toys, tables."""

from slalom.data.dataset import Dataset as Dataset
from slalom.data.dataset import Split as Split
from slalom.data.sequences import sequences as sequences
