"""Parameters that several lessons have."""

from slalom.lessons.lesson import Choice, Whole
from slalom.lessons.prose import Text
from slalom.nets import ACTIVATIONS

# Scripts find each of them in torch.nn.functional under its name.
ACTIVATION = Choice(
    "activation",
    "relu",
    Text("activation function", "激活函数"),
    options=tuple(name for name in ACTIVATIONS if name != "identity"),
)
SEED = Whole("seed", 0, Text("random seed of the first weights", "初始权重的随机种子"), 0, 9999)
