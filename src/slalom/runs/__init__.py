"""What trainings leave behind."""

from slalom.runs.run import Run as Run
from slalom.runs.store import Store as Store
