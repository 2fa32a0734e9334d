"""Whether a net can be stacked: two members on some rows, beside the modules themselves."""

from collections import OrderedDict
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.data.dataset import Dataset
from slalom.engine.batched.dropout import keys_of
from slalom.engine.batched.graph import Tensors
from slalom.engine.batched.place import working_on
from slalom.engine.batched.program import Program
from slalom.engine.batched.work import Work
from slalom.engine.device import CPU
from slalom.engine.dropout import KeyedDropout
from slalom.losses import Loss
from slalom.nets import NetSpec, fill, flat_buffers, flat_parameters

ROWS = 4  # enough for a mean over them to differ from each
NEAR = 1e-3  # of the largest number; rounding makes a thousandth of that
KEPT = 32  # nets with their graphs, for trainings to come


class Stacked(NamedTuple):
    """A net and a loss over stacked members.

    Args:
        program: which computes them.
        refusal: why it cannot, as a sentence, or nothing.
        moves: which parameters have a gradient, bool `[D]`; the others stay.
        base, per_row: numbers that an operation gives for a member, in the mean: those of a batch
            without rows, and what each row adds.
    """

    program: Program
    refusal: str
    moves: torch.Tensor
    base: float = 0.0
    per_row: float = 0.0


_KNOWN: OrderedDict[Any, Stacked] = OrderedDict()
_KNOWING = Lock()


def stacked(net: NetSpec, loss: Loss, data: Dataset, device: torch.device) -> Stacked:
    """One of those that were asked for last, or a new one; tried on the first rows of the data."""
    key = net, loss, device, data.X.shape[1:], data.y.shape[1:], data.y.dtype
    with _KNOWING:
        if key not in _KNOWN:
            with working_on(device):
                made = _tried(Program(net, loss, device), data)
            if made is None:  # wrong for every engine, on these rows: whoever trains it is told so
                return Stacked(Program(net, loss, device), "", torch.ones(1, dtype=torch.bool))
            _KNOWN[key] = made
            if len(_KNOWN) > KEPT:
                _KNOWN.popitem(last=False)
        _KNOWN.move_to_end(key)
        return _KNOWN[key]


class Alone(NamedTuple):
    """What a module by itself gives for a batch: its loss, gradient `[D]` and buffers `[B]` then.

    The gradient is NaN where a parameter has none, for it is frozen, or no output depends on it.
    The loss is there `again`, of the same parameters, buffers and rows.
    """

    loss: float
    gradient: torch.Tensor
    buffers: torch.Tensor
    again: float


def _tried(program: Program, data: Dataset) -> Stacked | None:
    """What comes of it on the first rows; None where the net fails by itself."""
    seeds = np.array([0, 1])
    X, y = _rows(data, ROWS)
    try:
        alone = [_alone(program, int(seed), X, y) for seed in seeds]
    except Exception:  # whatever a module of the user's raises
        return None
    moves = ~alone[0].gradient.isnan()
    label = program.net.label
    try:
        with Work() as of_few:
            found = few(program, X, y, seeds)
        with Work() as of_more:
            few(program, *_rows(data, 2 * ROWS), seeds)
    except Exception as error:  # whatever torch says of it
        why = _reason(str(error))
        return Stacked(program, f"The net {label} cannot be stacked: {why}", moves)
    losses, gradient, after = (tensor.cpu() for tensor in found)
    for k, one in enumerate(alone):
        same = _near(losses[k], torch.tensor(one.loss))
        same &= _near(gradient[k][moves], one.gradient[moves]) and _near(after[k], one.buffers)
        same &= _near(torch.tensor(one.again), torch.tensor(one.loss))
        if not same:
            why = (
                f"The net {label} would give other numbers when members are stacked: it keeps "
                f"numbers where torch.func does not see them. Let it keep them in buffers, changed "
                f"in place (self.mean.copy_(...), not self.mean = ...)."
            )
            return Stacked(program, why, moves)
    per_row = (of_more.numbers - of_few.numbers) / ROWS / len(seeds)
    base = of_few.numbers / len(seeds) - ROWS * per_row
    return Stacked(program, "", moves, base, per_row)


def _rows(data: Dataset, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first rows, or all there are."""
    return torch.from_numpy(data.X[:count].copy()), torch.from_numpy(data.y[:count].copy())


def few(program: Program, X: torch.Tensor, y: torch.Tensor, seeds: NDArray[np.int64]) -> Tensors:
    """A step of members with these seeds, as `Program.gradients`, on the same rows."""
    device, members = program.device, len(seeds)
    parameters, buffers = map(torch.from_numpy, program.net.first(seeds.tolist()))
    keys = torch.from_numpy(keys_of(seeds, 0, program.layers)).to(device)
    X, y = program.seen(X), y.to(device)
    X, y = X.expand(members, *X.shape), y.expand(members, *y.shape)
    batch = X, y, torch.empty(members, 0, device=device), keys
    return program.gradients(
        parameters.to(device), buffers.to(device), *batch, at_once=device == CPU
    )


def _alone(program: Program, seed: int, X: torch.Tensor, y: torch.Tensor) -> Alone:
    module = program.net.build(seed).float().train()
    KeyedDropout(module, seed)
    before = flat_parameters(module), flat_buffers(module)
    loss = program.loss(module(X), y)
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = [
        torch.full_like(p, torch.nan) if p.grad is None else p.grad for p in module.parameters()
    ]
    gradient = torch.cat([g.flatten() for g in gradients])
    buffers = torch.from_numpy(flat_buffers(module))
    fill(module, *before)
    return Alone(loss.item(), gradient, buffers, program.loss(module(X), y).item())


def _near(one: torch.Tensor, other: torch.Tensor) -> bool:
    scale = float(other.abs().max()) if other.numel() else 0.0
    return bool(torch.allclose(one, other, rtol=NEAR, atol=NEAR * scale, equal_nan=True))


def _reason(error: str) -> str:
    """What torch says, in words of whoever wrote the net."""
    if "randomness" in error or "random operation" in error:
        return "it draws random numbers of its own; torch.nn.Dropout is the one way that can be."
    if "data-dependent" in error or ".item()" in error:
        return "what it does depends on its numbers (an if, or .item()); torch.where can choose."
    if "in-place" in error or "inplace" in error:
        return "it changes a tensor in place that is no buffer; register it as one."
    said = error.strip().splitlines()[0]
    return f"torch.func says: {said.rstrip('.')}."
