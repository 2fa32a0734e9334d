"""Slalom trains many neural networks at once and shows every one of them learning.

Names are loaded when they are first used, so that `import slalom` stays quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from slalom import lessons as lessons
    from slalom import losses as losses
    from slalom import plots as plots
    from slalom.core.errors import SlalomError as SlalomError
    from slalom.core.errors import SlalomWarning as SlalomWarning
    from slalom.core.spec import trust as trust
    from slalom.data import toys as toys
    from slalom.data.dataset import Dataset as Dataset
    from slalom.data.dataset import Split as Split
    from slalom.data.idx import idx_images as idx_images
    from slalom.data.idx import read_idx as read_idx
    from slalom.data.schema import Schema as Schema
    from slalom.data.sequences import sequences as sequences
    from slalom.data.table import read_table as read_table
    from slalom.diagnosis import diagnose as diagnose
    from slalom.estimators import Classifier as Classifier
    from slalom.estimators import Regressor as Regressor
    from slalom.models import Predictor as Predictor
    from slalom.models.export.formats import export as export
    from slalom.models.net_file import load_net as load_net
    from slalom.models.net_file import load_parameters as load_parameters
    from slalom.models.net_file import save_net as save_net
    from slalom.models.net_file import save_parameters as save_parameters
    from slalom.nets import CNN as CNN
    from slalom.nets import MLP as MLP
    from slalom.nets import RNN as RNN
    from slalom.nets import Net as Net
    from slalom.nets import Periodic as Periodic
    from slalom.optim import SGD as SGD
    from slalom.optim import Adadelta as Adadelta
    from slalom.optim import Adagrad as Adagrad
    from slalom.optim import Adam as Adam
    from slalom.optim import AdamW as AdamW
    from slalom.optim import Constant as Constant
    from slalom.optim import CosineAnnealingLR as CosineAnnealingLR
    from slalom.optim import ExponentialLR as ExponentialLR
    from slalom.optim import Muon as Muon
    from slalom.optim import OneCycleLR as OneCycleLR
    from slalom.optim import RMSprop as RMSprop
    from slalom.optim import StepLR as StepLR
    from slalom.optim import Warmup as Warmup
    from slalom.plan import Plan as Plan
    from slalom.population import Member as Member
    from slalom.population import Population as Population
    from slalom.population import grid as grid
    from slalom.population import sample as sample
    from slalom.runs import Run as Run
    from slalom.runs import Store as Store
    from slalom.runs.eject import eject as eject
    from slalom.runs.fork import fork as fork
    from slalom.runs.resume import open_run as open_run
    from slalom.runs.tracking import to_mlflow as to_mlflow
    from slalom.runs.tracking import to_tensorboard as to_tensorboard
    from slalom.runs.train import race as race
    from slalom.runs.train import train as train
    from slalom.runs.transfer import transfer as transfer
    from slalom.studio.notebook import watch as watch
    from slalom.tabular.fit import fit_table as fit_table
    from slalom.tabular.keeping import resume as resume

# Where each public name lives. A test compares this with the typing-only imports above.
_HOMES = {
    "lessons": "slalom.lessons",
    "losses": "slalom.losses",
    "plots": "slalom.plots",
    "toys": "slalom.data.toys",
    "Dataset": "slalom.data.dataset",
    "Split": "slalom.data.dataset",
    "Schema": "slalom.data.schema",
    "idx_images": "slalom.data.idx",
    "read_idx": "slalom.data.idx",
    "read_table": "slalom.data.table",
    "sequences": "slalom.data.sequences",
    "diagnose": "slalom.diagnosis",
    "SlalomError": "slalom.core.errors",
    "SlalomWarning": "slalom.core.errors",
    "Classifier": "slalom.estimators",
    "Regressor": "slalom.estimators",
    "fit_table": "slalom.tabular.fit",
    "CNN": "slalom.nets",
    "MLP": "slalom.nets",
    "RNN": "slalom.nets",
    "Net": "slalom.nets",
    "Periodic": "slalom.nets",
    "SGD": "slalom.optim",
    "Adadelta": "slalom.optim",
    "Adagrad": "slalom.optim",
    "Adam": "slalom.optim",
    "AdamW": "slalom.optim",
    "Constant": "slalom.optim",
    "CosineAnnealingLR": "slalom.optim",
    "ExponentialLR": "slalom.optim",
    "Muon": "slalom.optim",
    "OneCycleLR": "slalom.optim",
    "RMSprop": "slalom.optim",
    "StepLR": "slalom.optim",
    "Warmup": "slalom.optim",
    "Plan": "slalom.plan",
    "Member": "slalom.population",
    "Population": "slalom.population",
    "grid": "slalom.population",
    "sample": "slalom.population",
    "Predictor": "slalom.models",
    "export": "slalom.models.export.formats",
    "load_net": "slalom.models.net_file",
    "load_parameters": "slalom.models.net_file",
    "save_net": "slalom.models.net_file",
    "save_parameters": "slalom.models.net_file",
    "Run": "slalom.runs",
    "Store": "slalom.runs",
    "eject": "slalom.runs.eject",
    "fork": "slalom.runs.fork",
    "open_run": "slalom.runs.resume",
    "resume": "slalom.tabular.keeping",
    "trust": "slalom.core.spec",
    "race": "slalom.runs.train",
    "to_mlflow": "slalom.runs.tracking",
    "to_tensorboard": "slalom.runs.tracking",
    "train": "slalom.runs.train",
    "transfer": "slalom.runs.transfer",
    "watch": "slalom.studio.notebook",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'slalom' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    value = getattr(home, name, home)  # a public name, or a module that is public itself
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
