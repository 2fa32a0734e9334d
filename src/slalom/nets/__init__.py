"""Nets as pure data: recipes that make torch modules."""

from slalom.nets.activations import ACTIVATIONS as ACTIVATIONS
from slalom.nets.activations import Function as Function
from slalom.nets.activations import build_activation as build_activation
from slalom.nets.activations import check_activation as check_activation
from slalom.nets.cnn import CNN as CNN
from slalom.nets.mlp import MLP as MLP
from slalom.nets.net import Net as Net
from slalom.nets.net import NetLike as NetLike
from slalom.nets.net import NetSpec as NetSpec
from slalom.nets.net import as_net as as_net
from slalom.nets.net import fill as fill
from slalom.nets.net import flat_buffers as flat_buffers
from slalom.nets.net import flat_parameters as flat_parameters
from slalom.nets.net import outputs as outputs
from slalom.nets.net import seeded as seeded
from slalom.nets.periodic import Periodic as Periodic
from slalom.nets.rnn import RNN as RNN
