"""What trainings leave behind."""

from slalom.runs.run import Run as Run
