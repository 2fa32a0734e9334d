"""Optimizers and learning-rate schedules as pure data."""

from typing import TypeAlias

from slalom.optim.adadelta import Adadelta as Adadelta
from slalom.optim.adagrad import Adagrad as Adagrad
from slalom.optim.adam import Adam as Adam
from slalom.optim.adamw import AdamW as AdamW
from slalom.optim.muon import Muon as Muon
from slalom.optim.optimizer import Optimizer as Optimizer
from slalom.optim.rmsprop import RMSprop as RMSprop
from slalom.optim.schedules import SCHEDULES as SCHEDULES
from slalom.optim.schedules import Constant as Constant
from slalom.optim.schedules import CosineAnnealingLR as CosineAnnealingLR
from slalom.optim.schedules import ExponentialLR as ExponentialLR
from slalom.optim.schedules import OneCycleLR as OneCycleLR
from slalom.optim.schedules import Schedule as Schedule
from slalom.optim.schedules import StepLR as StepLR
from slalom.optim.schedules import Warmup as Warmup
from slalom.optim.sgd import SGD as SGD

# An optimizer, or its class or name, with torch's defaults.
OptimizerLike: TypeAlias = Optimizer | type[Optimizer] | str

# The registry: by the name in lower case, as people may write it.
OPTIMIZERS: dict[str, type[Optimizer]] = {
    cls.__name__.lower(): cls for cls in (SGD, Adagrad, RMSprop, Adam, AdamW, Adadelta, Muon)
}
