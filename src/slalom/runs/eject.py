"""Leaving: a member of a run as a plain PyTorch script, without Slalom."""

import inspect
import io
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slalom.core.errors import BadPlan
from slalom.core.files import write_whole
from slalom.core.scripts import in_docstring, rendered
from slalom.core.spec import Spec
from slalom.data.batches import steps_per_epoch
from slalom.data.dataset import Dataset
from slalom.losses import BCEWithLogits, CrossEntropy, GaussianNLL, Huber, Loss
from slalom.nets import ACTIVATIONS, CNN, MLP, RNN, Net, NetSpec
from slalom.nets.transfer import Transfer
from slalom.optim import (
    Constant,
    CosineAnnealingLR,
    Muon,
    OneCycleLR,
    Optimizer,
    Schedule,
    Warmup,
)
from slalom.plan import Plan
from slalom.population import Member
from slalom.training import Outcome


def eject(run: Outcome, path: str | Path, member: int | None = None) -> Path:
    """Write a plain PyTorch script that trains a member again: same weights, batches and losses.

    Beside it lies a file of numbers, with the rows that the member sees.

    Args:
        run: of the member.
        path: of the script, which ends in `.py`.
        member: its number; the best one when not given.

    Returns:
        The path.

    Raises:
        BadPlan: when there is no such member, or its net is made by a function without a name.
        BadFile: when a file cannot be written.

    Example:
        >>> import slalom
        >>> from tempfile import mkdtemp
        >>> run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100), steps=5)
        >>> script = eject(run, Path(mkdtemp(), "fit.py"))
        >>> "slalom" in script.read_text()
        False
    """
    return eject_member(run.plan, run.dataset, run.best() if member is None else member, path)


def eject_member(plan: Plan, data: Dataset, k: int, path: str | Path) -> Path:
    """As `eject`, for member `k` of a plan, which need not have been trained."""
    path = Path(path)
    if not 0 <= k < len(plan.population):
        raise BadPlan(f"There is no member {k}: this run has 0 to {len(plan.population) - 1}.")
    if path.suffix != ".py":
        raise BadPlan(f"A script must end in .py, but {path} was given.")
    text = _script(plan, data, k, path)
    numbers = io.BytesIO()
    np.savez_compressed(numbers, allow_pickle=False, **_rows(data, plan.population[k]))
    write_whole(path.with_suffix(".npz"), numbers.getvalue())
    write_whole(path, text.encode())
    return path


def _rows(data: Dataset, member: Member) -> dict[str, NDArray[Any]]:
    fold = data.folds[member.fold]
    rows = {"X": data.X[fold.train], "y": data.y[fold.train]}
    if len(fold.validation):
        rows |= {"X_val": data.X[fold.validation], "y_val": data.y[fold.validation]}
    if data.weight is not None:
        rows["weight"] = data.weight[fold.train]
        if len(fold.validation):
            rows["weight_val"] = data.weight[fold.validation]
    return rows


def _script(plan: Plan, data: Dataset, k: int, path: Path) -> str:
    member = plan.population[k]
    fold = data.folds[member.fold]
    total = plan.total_steps(steps_per_epoch(len(fold.train), member.batch_size))
    of_optimizer, of_step = _optimizer(member, total)
    net, imports = _net(member.net)
    text = rendered(
        "slalom.runs",
        "member.py.jinja",
        title=in_docstring(f"Member {k}: {member.label}."),
        script=in_docstring(path.name),
        data=repr(path.with_suffix(".npz").name),
        best=repr(f"{path.stem}-best.pt"),
        last=repr(f"{path.stem}.pt"),
        seed=member.seed,
        steps=total,
        batch_size=member.batch_size,
        weighted=data.weight is not None,
        validated=len(fold.validation) > 0,
        validate_every=plan.validate_every,
        patience=plan.patience,
        periodic=isinstance(member.net, MLP) and member.net.embedding is not None,
        dropout=isinstance(member.net, Net) or getattr(member.net, "dropout", 0) > 0,
        reseeded=member.net.draws,
        imports=imports,
        net=net,
        optimizer=of_optimizer,
        steps_of=of_step,
        loss=_loss(plan.loss, weighted=data.weight is not None),
        scheduled=not isinstance(member.schedule, Constant),
    )
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _net(net: NetSpec) -> tuple[str, list[str]]:
    """What makes the module, and what stands before it: imports, or its class."""
    if isinstance(net, RNN):
        module = net.build(seed=0)
        source = inspect.getsource(type(module)).splitlines()
        made = f"nn.{module.recurrent!r}, outputs={net.outputs}, masked={net.masked}"
        return f"{type(module).__name__}({made})", ["", "", *source]
    if isinstance(net, Net):
        data = net.to_json()
        module, _, name = data["factory"]["import"].partition(":")
        arguments = ", ".join(f"{key}={value!r}" for key, value in dict(net.arguments).items())
        return f"{name}({arguments}).float()", ["", f"from {module} import {name}"]
    if isinstance(net, Transfer):
        raise BadPlan(
            f"A script cannot hold the numbers that {net.label} has learned. Keep its module with "
            f"slalom.save_parameters instead, and load them where you want them."
        )
    assert isinstance(net, MLP | CNN)
    if isinstance(net.activation, str):
        activation = f"nn.{ACTIVATIONS[net.activation].__name__}()"
    else:
        raise BadPlan(
            f"The activation of {net.label} is a function of your own, which a script cannot hold. "
            f"Put it into a module of your own, made by a Net."
        )
    if isinstance(net, CNN):
        return _sequential([f"nn.{layer!r}" for layer in net.module()])
    layers = []
    if net.embedding is not None:
        e = net.embedding
        layers.append(f"PeriodicEmbedding({list(e.columns)}, size={e.size}, scale={e.scale!r})")
    for n, (inputs, outputs) in enumerate(net.linear):
        if n:
            layers.append(activation)
            layers += [f"nn.Dropout({net.dropout!r})"] * bool(net.dropout)
        layers.append(f"nn.Linear({inputs}, {outputs})")
    return _sequential(layers)


def _sequential(layers: list[str]) -> tuple[str, list[str]]:
    inside = "".join(f"    {layer},\n" for layer in layers)
    return f"nn.Sequential(\n{inside})", []


def _loss(loss: Loss, weighted: bool) -> list[str]:
    """The lines of a function of output, target and weight."""
    lines, target, keyed = [], "target", ""
    if isinstance(loss, GaussianNLL):
        lines.append("mean, log_variance = output.chunk(2, dim=1)")
        call = f"F.gaussian_nll_loss(mean, target, log_variance.exp(), eps={loss.eps!r}"
    elif isinstance(loss, BCEWithLogits):
        target = "target.reshape(output.shape).to(output.dtype)"
        if loss.pos_weight is not None:
            keyed = f", pos_weight=torch.tensor({loss.pos_weight!r})"
        call = f"F.binary_cross_entropy_with_logits(output, {target}{keyed}"
    elif isinstance(loss, CrossEntropy):
        if loss.weight is not None:
            lines.append(f"classes = torch.tensor({list(loss.weight)!r})")
            keyed = ", weight=classes"
        call = f"F.cross_entropy(output, target{keyed}, label_smoothing={loss.label_smoothing!r}"
    elif isinstance(loss, Huber):
        call = f"F.huber_loss(output, target, delta={loss.delta!r}"
    else:
        call = f"F.{ {'MSE': 'mse_loss', 'L1': 'l1_loss'}[loss.kind] }(output, target"
    if not weighted:
        return [*lines, f"return {call})"]
    count = "weight"
    if isinstance(loss, CrossEntropy) and loss.weight is not None:
        count = "weight * classes[target]"
    return [
        *lines,
        f'rows = {call}, reduction="none").reshape(len(target), -1).mean(dim=1)',
        f"return (weight * rows).sum() / ({count}).sum().clamp(min=torch.finfo(rows.dtype).tiny)",
    ]


def _optimizer(member: Member, total: int) -> tuple[list[str], list[str]]:
    """The lines that make the optimizer and its schedule, and those of a step."""
    optimizer, names = member.optimizer, ["optimizer"]
    if isinstance(optimizer, Muon):
        names = ["optimizer", "others"]
        lines = [
            "matrices = [p for p in net.parameters() if p.ndim == 2]",
            f"optimizer = torch.optim.Muon(matrices, {_arguments(optimizer)})",
            "rest = [p for p in net.parameters() if p.ndim != 2]",
            f"others = torch.optim.AdamW(rest, lr={optimizer.lr!r}, "
            f"weight_decay={optimizer.weight_decay!r})",
        ]
    else:
        arguments = _arguments(optimizer)
        lines = [f"optimizer = torch.optim.{optimizer.kind}(net.parameters(), {arguments})"]
    step = [f"{name}.zero_grad()" for name in names] + ["loss.backward()"]
    if member.clip_norm is not None:
        step.append(f"nn.utils.clip_grad_norm_(net.parameters(), {member.clip_norm!r})")
    step += [f"{name}.step()" for name in names]
    for name in names:
        schedules = _schedules(member.schedule, name, optimizer, total)
        if schedules:
            lines += [f"schedule_of_{name} = lr_scheduler.ChainedScheduler(", "    ["]
            lines += [f"        lr_scheduler.{each}," for each in schedules] + ["    ]", ")"]
            step += ["if step + 1 < STEPS:", f"    schedule_of_{name}.step()"]
    return lines, step


def _schedules(schedule: Schedule, name: str, optimizer: Optimizer, total: int) -> list[str]:
    """What makes torch's schedules of the same name; none for a constant rate."""
    if isinstance(schedule, Constant):
        return []
    if isinstance(schedule, Warmup):
        factor = f"start_factor={schedule.start_factor!r}, total_iters={schedule.steps}"
        then = _schedules(schedule.then, name, optimizer, total)
        return [f"LinearLR({name}, {factor})", *then]
    if isinstance(schedule, CosineAnnealingLR):
        period = schedule.T_max or total
        return [f"CosineAnnealingLR({name}, T_max={period}, eta_min={schedule.eta_min!r})"]
    if isinstance(schedule, OneCycleLR):
        top = f"max_lr={optimizer.lr!r}, total_steps={total}, cycle_momentum=False"
        return [f"OneCycleLR({', '.join(filter(None, [name, top, _arguments(schedule)]))})"]
    return [f"{schedule.kind}({name}, {_arguments(schedule)})"]


def _arguments(spec: Spec) -> str:
    """The arguments of a spec that are not torch's defaults, and the rate, as a call has them."""
    given = {f.name: (getattr(spec, f.name), f.default) for f in fields(spec)}  # type: ignore[arg-type]
    return ", ".join(
        f"{name}={value!r}"
        for name, (value, default) in given.items()
        if name == "lr" or value != default
    )
