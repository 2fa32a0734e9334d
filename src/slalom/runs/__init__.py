"""What trainings leave behind."""

from slalom.runs.run import Run as Run
from slalom.runs.run import Stopper as Stopper
