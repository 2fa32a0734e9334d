"""Models that predict, and the files that hold them."""

from slalom.models.predictor import Predictor as Predictor
