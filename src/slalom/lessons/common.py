"""What several lessons have: parameters, and a training that Ctrl-C ends."""

from typing import Any

from slalom.lessons.lesson import Choice, Whole
from slalom.lessons.prose import Text
from slalom.nets import ACTIVATIONS
from slalom.runs import Run
from slalom.runs.train import train as train_whole

# Scripts find each of them in torch.nn.functional under its name.
ACTIVATION = Choice(
    "activation",
    "relu",
    Text("activation function", "激活函数"),
    options=tuple(name for name in ACTIVATIONS if name != "identity"),
)
SEED = Whole("seed", 0, Text("random seed of the first weights", "初始权重的随机种子"), 0, 9999)


def train(*arguments: Any, **options: Any) -> Run:
    """As `slalom.train`, but Ctrl-C ends the lesson too: it would tell of half a training.

    Raises:
        KeyboardInterrupt: when Ctrl-C ended the training.
    """
    run = train_whole(*arguments, **options)
    if run.interrupted:
        raise KeyboardInterrupt
    return run
