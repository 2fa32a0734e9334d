"""What trainings leave behind."""

from slalom.runs.predictor import Predictor as Predictor
from slalom.runs.run import Frame as Frame
from slalom.runs.run import Run as Run
from slalom.runs.run import Stopper as Stopper
