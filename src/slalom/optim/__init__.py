"""Optimizers and learning-rate schedules as pure data."""

from slalom.optim.optimizers import SGD as SGD
from slalom.optim.optimizers import Adagrad as Adagrad
from slalom.optim.optimizers import Adam as Adam
from slalom.optim.optimizers import AdamW as AdamW
from slalom.optim.optimizers import Optimizer as Optimizer
from slalom.optim.optimizers import RMSprop as RMSprop
from slalom.optim.schedules import SCHEDULES as SCHEDULES
from slalom.optim.schedules import Constant as Constant
from slalom.optim.schedules import CosineAnnealingLR as CosineAnnealingLR
from slalom.optim.schedules import ExponentialLR as ExponentialLR
from slalom.optim.schedules import OneCycleLR as OneCycleLR
from slalom.optim.schedules import Schedule as Schedule
from slalom.optim.schedules import StepLR as StepLR
from slalom.optim.schedules import Warmup as Warmup
