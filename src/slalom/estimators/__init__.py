"""scikit-learn estimators that train a population and predict with the best of it together."""

from slalom.estimators.classifier import Classifier as Classifier
from slalom.estimators.regressor import Regressor as Regressor
