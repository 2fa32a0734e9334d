"""The numbers of the pictures that move: what a page draws of a stage at one moment."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from slalom.core.arrays import Float32Array
from slalom.data.dataset import Dataset
from slalom.engine.state import slice_of
from slalom.nets import MLP
from slalom.nets.activations import build_activation
from slalom.studio.stage import Stage
from slalom.training.frames import drawable as filmed

Arrays: TypeAlias = dict[str, NDArray[Any]]
Look: TypeAlias = tuple[dict[str, Any], Arrays]

MARGIN = 0.1  # around the points, as a share of their width
LINE, SQUARE = 120, 60  # points along the probe of one net
SMALL_LINE, SMALL_SQUARE = 40, 20  # of one of many, and of a neuron
CURVE = 400  # points of a loss curve: more than there are pixels to tell them apart


def beginning(stage: Stage) -> Look:
    """What does not change while it trains: the points, who trains, and how far it may go."""
    data = stage.dataset
    if not drawable(data):
        return {"task": "", "epoch": stage.epoch}, {}
    fold, (low, high) = data.folds[0], bounds(stage)
    held = np.zeros(data.rows, dtype=np.uint8)
    held[fold.validation] = 1
    header = {
        "task": data.task,
        "features": data.feature_names,
        "target": data.target_names[0],
        "low": low.tolist(),
        "high": high.tolist(),
        "axes": stage.axes,
        "members": [member.label for member in stage.population],
        "epoch": stage.epoch,
    }
    y = data.y if data.y.ndim == 1 else data.y[:, 0]
    return header, {"x": data.X, "y": y.astype(np.float32), "held": held}


def moment(stage: Stage) -> dict[str, Any]:
    """Where it stands."""
    state = stage.training.state
    return {
        "step": stage.step,
        "furthest": stage.furthest,
        "done": stage.training.done,
        "diverged_at": int(state.diverged_at[0]),
    }


def of_wall(stage: Stage) -> Look:
    """All nets, small: what each predicts, its loss, and whether it has diverged."""
    state, data = stage.training.state, stage.dataset
    outputs = together(stage, probe(stage, SMALL_LINE, SMALL_SQUARE))
    alive = state.diverged_at < 0
    arrays = _shown(data, outputs) | {
        "loss": np.where(alive, state.train_loss, np.nan).astype(np.float32),
        "diverged": state.diverged_at.astype(np.int32),
    }
    return moment(stage) | {"gone": int((~alive).sum())}, arrays


def of_race(stage: Stage) -> Look:
    """All nets with their loss curves, `[P, C]`, thinned to what can be seen, and their scores."""
    header, arrays = of_wall(stage)
    records, members = stage.training.records, len(stage.population)
    curves = [records[records["member"] == k] for k in range(members)]
    steps = np.full((members, CURVE), np.nan, dtype=np.float32)
    losses = steps.copy()
    for k, rows in enumerate(map(thinned, curves)):
        steps[k, : len(rows)], losses[k, : len(rows)] = rows["step"], rows["train_loss"]
    return header | right(stage), arrays | {"curve_step": steps, "curve_loss": losses}


def right(stage: Stage) -> dict[str, Any]:
    """The share of rows that each net takes for the class they are, where there are classes.

    Of rows that are held out, if there are any.
    """
    data = stage.dataset
    if data.task != "classification":
        return {}
    fold = data.folds[0]
    rows = fold.validation if len(fold.validation) else fold.train
    said = together(stage, data.X[rows]).argmax(dim=-1)
    return {"right": (said == torch.from_numpy(data.y[rows])).double().mean(dim=1).tolist()}


def of_net(stage: Stage, member: int = 0) -> Look:
    """One net whole: what it predicts, its history, its weights, its neurons, its gradients."""
    data, state = stage.dataset, stage.training.state
    module = stage.training.plan.population[member].net.build(0).float().eval()
    state.fill(module, member)
    records = stage.training.records
    rows = thinned(records[records["member"] == member])
    header = moment(stage) | {
        "lr": stage.population[member].optimizer.lr,
        "train_loss": float(rows["train_loss"][-1]) if len(rows) else None,
        "validation_loss": _last(rows["validation_loss"]),
        "metric": _last(rows["metric"]),
    }
    arrays = {
        "curve_step": rows["step"].astype(np.float32),
        "curve_loss": rows["train_loss"].astype(np.float32),
        "curve_held": rows["validation_loss"].astype(np.float32),
    }
    if drawable(data):
        with torch.no_grad():
            outputs = module(torch.from_numpy(probe(stage, LINE, SQUARE)))[None]
        arrays |= _shown(data, outputs)
    if drawable(data) and isinstance(stage.population[member].net, MLP):
        header |= {"widths": _widths(module), "gradients": gradients(module, stage)}
        arrays |= _inside(module, stage, member)
    return header, arrays


def _inside(module: torch.nn.Module, stage: Stage, member: int) -> Arrays:
    """The weights of a net, and what each of its hidden neurons gives on a small probe."""
    state, rows = stage.training.state, probe(stage, SMALL_LINE, SMALL_SQUARE)
    with torch.no_grad():
        neurons = list(_layers(module, torch.from_numpy(rows)))
    return {
        "weights": slice_of(state.parameters, state.layout.parameters, member),
        "neurons": torch.cat(neurons, dim=1).T.numpy() if neurons else np.empty((0, 0), np.float32),
    }


def drawable(data: Dataset) -> bool:
    """Whether there is a picture of a net on this data: a line, or regions of the plane."""
    return filmed(data) and (data.task == "regression" or data.X.shape[1] == 2)


def bounds(stage: Stage) -> tuple[Float32Array, Float32Array]:
    """What a picture of the points covers: of the features, and of the target of a line."""
    if stage.frame is not None:
        low, high = np.array(stage.frame, dtype=np.float32)
        return low, high
    data = stage.dataset
    columns = data.X if data.task == "classification" else np.column_stack([data.X, data.y])
    low, high = columns.min(axis=0), columns.max(axis=0)
    margin = MARGIN * (high - low) + 1e-6
    return low - margin, high + margin


def probe(stage: Stage, line: int, square: int) -> Float32Array:
    """Rows that cover a picture: `[line, 1]`, or `[square * square, 2]` from the top left on."""
    low, high = bounds(stage)
    if stage.dataset.X.shape[1] == 1:
        return np.linspace(low[0], high[0], line, dtype=np.float32)[:, None]
    across, down = np.meshgrid(
        np.linspace(low[0], high[0], square, dtype=np.float32),
        np.linspace(high[1], low[1], square, dtype=np.float32),
    )
    return np.column_stack([across.ravel(), down.ravel()])


def together(stage: Stage, X: Float32Array) -> torch.Tensor:
    """Raw outputs of all members on rows `X`, `[P, G, O]`; nets of the same shape in one product.

    For the eye: rounding may differ in the last bit from what each gives alone.
    """
    state, population = stage.training.state, stage.population
    columns, data = population.columns(), stage.dataset
    result = torch.empty(len(population), len(X), data.targets)
    for code, net in enumerate(columns.nets):
        assert isinstance(net, MLP)  # as settings are
        members = np.flatnonzero(columns.net == code)
        own = np.stack(
            [slice_of(state.parameters, state.layout.parameters, int(k)) for k in members]
        )
        value, start = torch.from_numpy(X).expand(len(members), *X.shape), 0
        activation, numbers = build_activation(net.activation), torch.from_numpy(own)
        for n, (inputs, outputs) in enumerate(net.linear):
            value = activation(value) if n else value
            end = start + inputs * outputs
            weight = numbers[:, start:end].view(-1, outputs, inputs)
            bias = numbers[:, end : end + outputs]
            value = torch.baddbmm(bias[:, None], value, weight.transpose(1, 2))
            start = end + outputs
        result[torch.from_numpy(members)] = value
    return result


def gradients(module: torch.nn.Module, stage: Stage) -> list[float]:
    """The length of the loss's gradient on all training rows, for each layer."""
    data = stage.dataset
    rows = data.folds[0].train
    loss = stage.training.plan.loss(
        module(torch.from_numpy(data.X[rows])), torch.from_numpy(data.y[rows])
    )
    module.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    return [
        float(
            torch.cat([p.grad.flatten() for p in layer.parameters() if p.grad is not None]).norm()
        )
        for layer in _linear(module)
    ]


def thinned(rows: NDArray[Any]) -> NDArray[Any]:
    """At most `CURVE` rows of a history, evenly spaced, with its first and its last."""
    if len(rows) <= CURVE:
        return rows
    kept: NDArray[Any] = rows[np.linspace(0, len(rows) - 1, CURVE).round().astype(int)]
    return kept


def _shown(data: Dataset, outputs: torch.Tensor) -> Arrays:
    """Outputs `[P, G, O]` as what is drawn.

    A line `[P, G]`; or for each place the likeliest class and how far it leads, from 0 to 255.
    """
    if data.task == "regression":
        return {"line": outputs[..., 0].numpy()}
    if data.targets == 2:  # as below, in a fifth of the time
        difference = outputs[..., 1] - outputs[..., 0]
        winner, lead = difference > 0, torch.tanh(difference.abs() / 2)
    else:
        best = outputs.softmax(dim=-1).topk(min(2, outputs.shape[-1]), dim=-1)
        winner, lead = best.indices[..., 0], best.values[..., 0] - best.values[..., -1]
    return {
        "winner": winner.to(torch.uint8).numpy(),
        "lead": (255 * lead.nan_to_num(0.0)).round().to(torch.uint8).numpy(),
    }


def _layers(module: torch.nn.Module, X: torch.Tensor) -> Iterator[torch.Tensor]:
    """What the neurons of each hidden layer give, `[G, units]`, scaled to 0 to 1 each layer."""
    value = X
    parts = list(module.children())
    for n, part in enumerate(parts):
        value = part(value)
        if n < len(parts) - 1 and not isinstance(part, torch.nn.Linear | torch.nn.Dropout):
            low, high = value.min(), value.max()
            yield (value - low) / (high - low).clamp(min=1e-12)


def _linear(module: torch.nn.Module) -> list[torch.nn.Linear]:
    return [part for part in module.children() if isinstance(part, torch.nn.Linear)]


def _widths(module: torch.nn.Module) -> list[int]:
    layers = _linear(module)
    return [layers[0].in_features, *(layer.out_features for layer in layers)]


def _last(values: NDArray[np.float64]) -> float | None:
    """The last one that was measured."""
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else None
