"""Every optimizer x activation x depth x batch x extra, as one population, and the truth of a step.

The truth is torch in float64: all members of one shape are one batched product whose gradient
autograd takes, and each optimizer is torch's own, restored from the slots.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import slalom
from slalom import MLP, Dataset, Member, Plan, Population, losses
from slalom.data.batches import Shuffle
from slalom.engine import Engine, State
from slalom.engine.dropout import dropout_mask
from slalom.nets import ACTIVATIONS
from tests.engine.conformance import CLASS_WEIGHTS, OPTIMIZERS, dataset

LOSSES: dict[str, tuple[losses.Loss, str, int]] = {
    "mse": (losses.MSE(), "regression", 2),
    "l1": (losses.L1(), "regression", 2),
    "huber": (losses.Huber(delta=0.3), "regression", 2),
    "cross entropy": (losses.CrossEntropy(), "classes", 3),
    "smoothed, class weights": (
        losses.CrossEntropy(weight=CLASS_WEIGHTS, label_smoothing=0.2),
        "classes",
        3,
    ),
    "bce": (losses.BCEWithLogits(), "binary", 1),
    "bce, pos_weight": (losses.BCEWithLogits(pos_weight=2.5), "binary", 1),
    "gaussian": (losses.GaussianNLL(), "regression", 4),
    # Half of the variances of a fresh net are below 1.
    "gaussian, clamped": (losses.GaussianNLL(eps=1.0), "regression", 4),
}
DATA = ("rows", "folds", "weights")
CURVE = "of a curve"
WAVES = "with waves"  # members then embed two of the four features
EMBEDDING = slalom.Periodic(columns=(2, 0), size=5, scale=0.4)
HIDDEN = {1: (7,), 2: (7, 5), 3: (7, 5, 6)}
BATCHES = (None, 32)  # of 75 rows, or of the 50 of a fold: the last one is short
EXTRAS = ("plain", "clipping", "dropout", "schedule")
SCHEDULES = (
    slalom.OneCycleLR(),
    slalom.StepLR(2, gamma=0.5),
    slalom.CosineAnnealingLR(eta_min=1e-3),
    slalom.Warmup(5, then=slalom.ExponentialLR(0.9)),
)
EPS = 2.0**-24  # half a unit in the last place of 1: what one rounding may change, relatively


@dataclass(frozen=True)
class Combination:
    """What a member is made of."""

    optimizer: int  # of OPTIMIZERS
    activation: str
    depth: int
    batch_size: int | None
    extra: str

    def member(self, number: int, inputs: int, outputs: int, folds: int, pace: float) -> Member:
        name, arguments = OPTIMIZERS[self.optimizer]
        optimizer = getattr(slalom, name)(**arguments)
        return Member(
            MLP(
                inputs,
                *HIDDEN[self.depth],
                outputs,
                activation=self.activation,
                dropout=0.3 if self.extra == "dropout" else 0.0,
            ),
            replace(optimizer, lr=pace * optimizer.lr),
            batch_size=self.batch_size,
            seed=number % 5,
            fold=number % folds,
            schedule=SCHEDULES[number % 4] if self.extra == "schedule" else slalom.Constant(),
            clip_norm=0.1 if self.extra == "clipping" else None,
        )


def every() -> list[Combination]:
    """The whole product: 4752 of them."""
    parts = (range(len(OPTIMIZERS)), ACTIVATIONS, HIDDEN, BATCHES, EXTRAS)
    return [Combination(*values) for values in product(*parts)]


def is_curve(c: Combination) -> bool:
    """Whether it is trained in registers where there is one feature and one target."""
    return c.depth == 1 and c.activation == "relu" and c.extra != "dropout"


def covering(turn: int) -> list[Combination]:
    """Every optimizer twice, with all the rest; over the turns it comes with each of them."""
    names = list(ACTIVATIONS)
    numbers = range(turn * 2 * len(OPTIMIZERS), (turn + 1) * 2 * len(OPTIMIZERS))
    turns = [(k % len(OPTIMIZERS), k // len(OPTIMIZERS), k) for k in numbers]
    return [
        Combination(o, names[k % 11], 1 + (o + n) % 3, BATCHES[n % 2], EXTRAS[(o + n // 2) % 4])
        for o, n, k in turns
    ]


@cache
def data_of(kind: str, variant: str) -> Dataset:
    """75 rows; three `folds` of 25; or `weights`, every seventh of which is zero.

    `rows of a curve` and so on have one feature, and one target where there are several.
    """
    data = dataset(kind)
    part = variant.partition(" ")[0]
    if variant.endswith(CURVE):
        data = Dataset(data.X[:, :1], data.y[:, :1] if data.y.ndim > 1 else data.y, data.task)
    if part == "folds":
        return data.cross_validation(3, seed=2)
    if part == "weights":
        weight = np.random.default_rng(3).uniform(0.1, 3, size=data.rows)
        weight[::7] = 0
        return Dataset(data.X, data.y, data.task, weight=weight)
    return data


def plan_and_data(
    combinations: list[Combination], loss: str, variant: str, steps: int, pace: float = 1.0
) -> tuple[Plan, Dataset]:
    ours, kind, outputs = LOSSES[loss]
    data = data_of(kind, variant)
    if kind == "regression" and variant.endswith(CURVE):
        outputs //= 2
    inputs, folds = data.X.shape[1], len(data.folds)
    members = [c.member(k, inputs, outputs, folds, pace) for k, c in enumerate(combinations)]
    if variant.endswith(WAVES):
        members = [replace(m, net=m.net.adjusted(embedding=EMBEDDING)) for m in members]
    return Plan(Population(members), ours, steps=steps, record="step"), data


# Single steps


def wrong_steps(
    engine: Engine, combinations: list[Combination], loss: str, variant: str, steps: int = 4
) -> dict[int, str]:
    """The members of which one of the first steps is not that of float64, and what is wrong.

    Four steps, with batches of 32 of 75 rows, see a first step, a short batch and a new epoch.
    """
    plan, data = plan_and_data(combinations, loss, variant, steps=12)
    state = engine.start(plan, data)
    wrong: dict[int, str] = {}
    for step in range(steps):
        before = {name: values.astype(np.float64) for name, values in state.arrays().items()}
        records = engine.advance(state, 1)
        assert records["member"].tolist() == sorted(records["member"])
        unsure = 0
        for truth in _truths(plan, data, before, state, step):
            for k, fault in truth.faults(state, records["train_loss"]):
                wrong.setdefault(k, f"step {step + 1}: {fault}")
            unsure += int(truth.unsure.sum())
        assert unsure < 0.02 * len(combinations)  # the check is one
    return {k: f"{combinations[k]} {fault}" for k, fault in wrong.items()}


@dataclass
class _Truth:
    """One step of some members of one shape: bounds of all that it gives."""

    members: list[int]
    loss: NDArray[np.float64]  # [P, 2]: below and above
    parameters: NDArray[np.float64]  # [P, 2, D]
    slots: NDArray[np.float64]  # [P, 2, slots * D]
    unsure: NDArray[np.bool_]  # so near to a kink that rounding decides on its side

    def faults(self, state: State, loss: NDArray[np.float64]) -> Iterator[tuple[int, str]]:
        for j, k in enumerate(self.members):
            if self.unsure[j]:
                continue
            for name, values, bounds in (
                ("loss", loss[k : k + 1], self.loss[j, :, None]),
                ("parameters", _part(state.parameters, state.layout.parameters, k), None),
                ("slots", _part(state.slots, state.layout.slots, k), None),
            ):
                low, high = getattr(self, name)[j] if bounds is None else bounds
                bad = ~((low <= values) & (values <= high))
                if bad.any():
                    i = int(np.argmax(bad))
                    yield k, f"{name}[{i}] is {values[i]}, not in [{low[i]}, {high[i]}]"
                    break


def _part(flat: NDArray[Any], offsets: NDArray[np.int64], k: int) -> NDArray[Any]:
    return flat[offsets[k] : offsets[k + 1]]


def _truths(
    plan: Plan, data: Dataset, before: dict[str, NDArray[Any]], state: State, step: int
) -> Iterator[_Truth]:
    shapes: dict[Any, list[int]] = {}
    for k, member in enumerate(plan.population):
        shapes.setdefault((member.net.widths, member.batch_size), []).append(k)
    for members in shapes.values():
        of = [plan.population[k] for k in members]
        parameters = np.stack(
            [_part(before["parameters"], state.layout.parameters, k) for k in members]
        )
        loss, size, gradient, terms, unsure = _gradients(plan.loss, of, data, parameters, step)
        groups: dict[Any, list[int]] = {}
        for j, member in enumerate(of):
            groups.setdefault((member.optimizer, member.schedule), []).append(j)
        for (optimizer, schedule), js in groups.items():
            slots = np.stack(
                [_part(before["slots"], state.layout.slots, members[j]) for j in js]
            ).reshape(len(js), len(optimizer.slots), parameters.shape[1])
            lr = schedule.at(optimizer.lr, step, 12)
            bounds = _updated(optimizer, lr, step, parameters[js], slots, gradient[js], terms[js])
            yield _Truth(
                [members[j] for j in js],
                np.stack([loss[js] - 16 * EPS * size[js], loss[js] + 16 * EPS * size[js]], axis=1),
                *bounds,
                unsure[js],
            )


def _gradients(
    loss: losses.Loss, members: list[Member], data: Dataset, parameters: NDArray[Any], step: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
    """Losses, the mean size of what each sums up; gradients, and the same of them; near a kink."""
    rows = torch.stack([_rows(m.seed, m.fold, m.batch_size, data, step) for m in members])
    x, y = torch.from_numpy(data.X).double()[rows], torch.from_numpy(data.y)[rows]
    y = y.double() if data.task == "regression" else y
    count = rows.shape[1]
    weight = torch.ones(rows.shape, dtype=torch.float64)
    if data.weight is not None:
        weight = torch.from_numpy(data.weight).double()[rows]
    leaf = torch.from_numpy(parameters).requires_grad_()
    unsure = torch.zeros(len(members), dtype=torch.bool)
    names = [m.net.activation for m in members]
    start, layers, products, waves = 0, members[0].net.linear, [], None
    if members[0].net.embedding is not None:
        waves = _Waves(members[0].net.embedding, leaf)
        x, start = waves.embedded(x), members[0].net.embedding.parameters
    for layer, (inputs, outputs) in enumerate(layers):
        w = leaf[:, start : start + inputs * outputs].view(-1, outputs, inputs)
        start += inputs * outputs
        z = torch.baddbmm(leaf[:, None, start : start + outputs], x, w.transpose(1, 2))
        z.retain_grad()
        products.append((x, z))
        x = z
        start += outputs
        if layer < len(layers) - 1:
            kinked = torch.tensor([n in ("relu", "leaky_relu", "selu") for n in names])
            unsure |= kinked & (x.abs() < 1e-6).flatten(1).any(dim=1)
            parts: list[Any] = [None] * len(members)
            for name in set(names):
                own = [j for j, n in enumerate(names) if n == name]
                for j, value in zip(own, ACTIVATIONS[name]()(x[own]), strict=True):
                    parts[j] = value
            x = torch.stack(parts) * _masks(members, step, layer, count, outputs)
    flat = x.reshape(-1, x.shape[2])
    values = loss.value(flat, y.reshape(-1, *y.shape[2:]), "none").reshape(len(members), count, -1)
    if isinstance(loss, losses.L1 | losses.Huber):
        unsure |= ((x - y).abs() < 1e-6).flatten(1).any(dim=1)
    each, classes = values.mean(dim=2), torch.ones_like(weight)
    if isinstance(loss, losses.CrossEntropy) and loss.weight is not None:
        classes = torch.tensor(loss.weight, dtype=torch.float64)[y]
    norm = (weight * classes).sum(dim=1)
    result = (weight * each).sum(dim=1) / norm
    result.sum().backward()
    gradient = leaf.grad
    assert gradient is not None
    longest = torch.tensor([m.clip_norm or np.inf for m in members], dtype=torch.float64)
    factor = (longest / (gradient.norm(dim=1) + 1e-6)).clamp(max=1.0)
    size = (weight * values.abs().mean(dim=2)).sum(dim=1) / norm
    terms = torch.cat([_largest_sum(x, z) for x, z in products], dim=1)
    if waves is not None:
        terms = torch.cat([waves.largest_sums(), terms], dim=1)
    gradient, terms = gradient * factor[:, None], terms * factor[:, None]
    sums = (t.detach().numpy() for t in (result, size, gradient, terms))
    return *sums, unsure.numpy()


def _largest_sum(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """For a layer's parameters the largest sum of sizes of the products in one of its gradients."""
    assert z.grad is not None
    error, inputs = z.grad.abs().transpose(1, 2), x.detach().abs()
    largest = torch.maximum((error @ inputs).flatten(1).amax(1), error.sum(dim=2).amax(1))
    return largest[:, None].expand(-1, (x.shape[2] + 1) * z.shape[2])


class _Waves:
    """An embedding of many members at once."""

    def __init__(self, embedding: slalom.Periodic, leaf: torch.Tensor) -> None:
        sizes = [rows * width for rows, width in embedding.shapes]
        parts = leaf[:, : sum(sizes)].split(sizes, dim=1)
        shaped = [p.unflatten(1, s)[:, None] for p, s in zip(parts, embedding.shapes, strict=True)]
        self.frequency, self.phase, self.weight, self.bias = shaped
        self.columns = list(embedding.columns)

    def embedded(self, x: torch.Tensor) -> torch.Tensor:
        self.x = x[:, :, self.columns, None]
        turns = self.frequency * self.x + self.phase
        self.values = torch.cat([self.x, torch.cos(2 * np.pi * turns)], dim=3)
        self.z = self.values * self.weight + self.bias
        self.z.retain_grad()
        others = [i for i in range(x.shape[2]) if i not in self.columns]
        return torch.cat([self.z.flatten(2), x[:, :, others]], dim=2)

    def largest_sums(self) -> torch.Tensor:
        """As `_largest_sum`; a cosine is off by its argument's rounding, however small it is."""
        assert self.z.grad is not None
        error = self.z.grad.abs()
        through = 2 * np.pi * (error * self.weight.abs())[..., 1:]
        kinds = (through * self.x.abs(), through, error * self.values.abs().clamp(min=1), error)
        sums = [kind.detach().sum(dim=1).flatten(1) for kind in kinds]
        return torch.cat([s.amax(1, keepdim=True).expand(-1, s.shape[1]) for s in sums], dim=1)


@cache
def _rows(seed: int, fold: int, batch_size: int | None, data: Dataset, step: int) -> torch.Tensor:
    own = torch.from_numpy(data.folds[fold].train)
    if batch_size is None:
        return own
    per_epoch = -(-len(own) // batch_size)
    order = Shuffle(seed, len(own)).order(step // per_epoch)
    return own[order.split(batch_size)[step % per_epoch]]


def _masks(members: list[Member], step: int, layer: int, rows: int, units: int) -> torch.Tensor:
    masks = torch.ones(len(members), rows, units, dtype=torch.float64)
    for mask, member in zip(masks, members, strict=True):
        if member.net.dropout:
            mask[:] = _mask(member.seed, step, layer, rows, units, member.net.dropout)
    return masks


@cache
def _mask(seed: int, step: int, layer: int, rows: int, units: int, p: float) -> torch.Tensor:
    return torch.from_numpy(dropout_mask(seed, step, layer, rows * units, p)).view(rows, units)


def _updated(
    optimizer: slalom.optim.Optimizer,
    lr: float,
    step: int,
    parameters: NDArray[Any],
    slots: NDArray[Any],
    gradient: NDArray[Any],
    terms: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Bounds of parameters and slots after the update, given how far the gradient may be off.

    A float32 gradient is a sum of some hundred products, so it is off by a few roundings of
    `terms`, the sizes of these. An update may blow that up (Adam makes a step of lr of a gradient
    that is nothing but rounding), so the gradients at both ends of what is allowed are put through
    the optimizer too, and 0 where it lies between, for the sake of squares. All rules here are
    monotone from there to both ends.
    """
    decay = getattr(optimizer, "weight_decay", 0.0)
    decoupled = isinstance(optimizer, slalom.AdamW)
    noise = NOISE * EPS * (terms + decay * np.abs(parameters))
    none = np.clip(-parameters * (0 if decoupled else decay), gradient - noise, gradient + noise)
    ends = [
        _torchs_update(optimizer, lr, step, parameters, slots, g)
        for g in (gradient - noise, gradient, gradient + noise, none)
    ]
    # What is taken up again of the last step may cancel most of this one.
    momentum = np.zeros_like(parameters)
    if "momentum_buffer" in optimizer.slots:
        momentum = lr * np.abs(slots[:, optimizer.slots.index("momentum_buffer")])
    bounds = []
    before, after = (parameters, slots.reshape(len(slots), -1)), zip(*ends, strict=True)
    for old, new in zip(before, after, strict=True):
        low, high = np.min(new, axis=0), np.max(new, axis=0)
        # Storing rounds once, and the few operations of an update each once more.
        stored = 2 if decoupled else 1  # the decay of AdamW is a rounding of its own
        rounding = stored * EPS * np.maximum(np.abs(old), np.abs(new[1])) + ROUNDINGS * EPS * (
            np.abs(new[1] - old) + (momentum if old is parameters else np.abs(new[1]) + np.abs(old))
        )
        bounds.append(np.stack([low - rounding, high + rounding], axis=1))
    return bounds[0], bounds[1]


# Roundings of the terms of a gradient, and of an update: what an error must pass to be one. A wrong
# constant shows from its sixth digit on.
NOISE, ROUNDINGS = 16, 8


def _torchs_update(
    optimizer: slalom.optim.Optimizer,
    lr: float,
    step: int,
    parameters: NDArray[Any],
    slots: NDArray[Any],
    gradient: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any]]:
    leaf = torch.nn.Parameter(torch.from_numpy(parameters.copy()))
    leaf.grad = torch.from_numpy(gradient.copy())
    torchs = optimizer.build([leaf])
    torchs.param_groups[0]["lr"] = lr
    if step > 0 and optimizer.slots:
        memory = torchs.state[leaf]
        for s, name in enumerate(optimizer.slots):
            memory[name] = torch.from_numpy(slots[:, s].copy())
        if optimizer.slots[0] != "momentum_buffer":
            memory["step"] = torch.tensor(float(step))
    torchs.step()
    after = [torchs.state[leaf][name].numpy() for name in optimizer.slots]
    stacked = np.stack(after, axis=1) if after else slots
    return leaf.detach().numpy(), stacked.reshape(len(stacked), -1)


# Trajectories

# Of the learning rates: at full ones RMSprop falls into the kinks of a likelihood, and whatever
# differs in the last place doubles every few steps.
PACE = 0.1


def wrong_trajectories(
    engine: Engine,
    reference: Engine,
    combinations: list[Combination],
    loss: str,
    variant: str,
    steps: int = 50,
    rtol: float = 1e-4,
) -> dict[int, str]:
    """The members of which a loss, validation loss or metric is not that of the reference.

    A member that comes so near to a kink that the rounding of another processor decides on its side
    goes another way from there on. Such a one is none if the reference itself does so, begun with
    weights that are off in the last places; no more than one in twenty are (L1 has a kink a row).
    """
    plan, data = plan_and_data(combinations, loss, variant, steps, PACE)
    truth = _records(reference, plan, data)
    wrong = _apart(_records(engine, plan, data), truth, loss, rtol)
    suspects = sorted(wrong)
    if suspects:
        members = [plan.population[k] for k in suspects]
        own = Plan(Population(members), plan.loss, steps=steps, record="step")
        alone = _records(reference, own, data)
        unsure: set[int] = set()
        for seed in range(8):
            shaken = _records(reference, own, data, np.random.default_rng(seed))
            unsure |= {suspects[j] for j in _apart(shaken, alone, loss, rtol)}
        assert len(unsure) < 0.05 * len(combinations)  # the check is one
        wrong = {k: fault for k, fault in wrong.items() if k not in unsure}
    return {k: f"{combinations[k]} {fault}" for k, fault in wrong.items()}


def _apart(one: NDArray[Any], other: NDArray[Any], loss: str, rtol: float) -> dict[int, str]:
    """The members whose records differ, and the first difference."""
    np.testing.assert_array_equal(one["member"], other["member"])
    np.testing.assert_array_equal(one["step"], other["step"])
    faults: dict[int, str] = {}
    for name in ("train_loss", "validation_loss", "metric"):
        a, b = one[name], other[name]
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
        scale = np.abs(b)
        if name == "metric" or loss.startswith("gaussian"):
            scale = scale + 1  # these go through 0
        near = 2 * rtol if name == "metric" else rtol  # R2 counts squares
        for i in np.flatnonzero(np.abs(a - b) > near * scale)[::-1]:
            faults[int(one["member"][i])] = f"step {one['step'][i]}: {name} {a[i]}, not {b[i]}"
    return faults


# How far the weights of a shaken start are off: what some dozen roundings come to.
SHAKEN = 16 * EPS


def _records(
    engine: Engine, plan: Plan, data: Dataset, shaken: np.random.Generator | None = None
) -> NDArray[Any]:
    state = engine.start(plan, data)
    if shaken is not None:
        state.parameters *= 1 + SHAKEN * shaken.uniform(-1, 1, state.parameters.shape)
    records = engine.advance(state, int(plan.steps or 0))
    return records[np.lexsort((records["step"], records["member"]))]
