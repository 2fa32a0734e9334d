"""What is looked for in a training, and from where on it counts."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from slalom.core.errors import BadPlan
from slalom.diagnosis.evidence import Curve, Evidence
from slalom.diagnosis.findings import Diagnosis, Finding
from slalom.nets.layers import LayerOutput
from slalom.runs import Run

RECORDS = 10  # of a curve; its shape cannot be told from fewer
LEARNED = 0.01  # of the loss of a constant answer; who lowers it by less has learned nothing
STRAIGHT = 0.15  # of the whole fall in the last fifth, where a straight line brings 0.2
FALLING = 0.05  # of it: enough where nothing was learned, or more with a larger learning rate
PEER = 0.9  # times the loss, for another learning rate to be called better; less may be luck
SWINGS = 0.1  # of the loss, or of what was learned if that is more; noise of batches is smaller
OVERSHOT = 10.0  # times as far up as at first; first steps may well go up a little
RISE = 0.1  # of the lowest validation loss; by less it goes up and down in a good training
WAITED = 3  # validations after the best one; before that a rise may be chance
SIGMAS = 3.0  # times the noise of a curve; what is smaller may be noise
DEAD = 0.5  # of what was alive in a layer; single neurons die in good trainings too
STUCK = 0.5  # of a layer, saturated; a few neurons at their limit draw sharp edges
AT_LIMIT, ALMOST_ALL = 0.99, 0.95  # of the range of tanh or sigmoid, where the slope is < 2 %; rows
UNSCALED = 10.0  # root mean square; standardised features have 1
LIMITS = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}


def diagnose(run: Run, member: int | None = None) -> Diagnosis:
    """Say what the training of a member looked like: what went wrong, and what to do about it.

    Found are: divergence, a learning rate too large or too small, nothing learned, overfitting,
    dead and saturated neurons (of an `MLP`), features far from 1, a training that was cut short;
    or that nothing was wrong.

    Args:
        run: any training.
        member: its number; the best member when not given, and where all diverged the one that
            lasted longest.

    Returns:
        The findings, the gravest first; `str` or `text("zh")` has them in words, `kinds` in short.

    Raises:
        BadPlan: when there is no such member.

    Example:
        >>> import slalom
        >>> run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100),
        ...                    optimizer=slalom.SGD(lr=1e6), steps=200)
        >>> diagnosis = diagnose(run)
        >>> diagnosis.kinds
        ('diverged',)
        >>> print(diagnosis)  # doctest: +ELLIPSIS
        Diverged at step ...: the loss was no longer a finite number. ...
    """
    k = _chosen(run) if member is None else member
    if not 0 <= k < len(run.population):
        raise BadPlan(f"There is no member {k}: this run has 0 to {len(run.population) - 1}.")
    seen = Evidence.of(run, k)
    found = list(_diverged(seen)) or list(_cut_short(seen)) + list(_learned(seen))
    if {f.kind for f in found} <= {"stopped_early"}:
        found = [_healthy(seen), *found]
    return Diagnosis(k, tuple(found))


def _chosen(run: Run) -> int:
    state = run.state
    if ((state.diverged_at >= 0) & ~np.isfinite(state.best_loss)).all():
        return int(state.diverged_at.argmax())
    return run.best()


def _diverged(seen: Evidence) -> Iterator[Finding]:
    """Divergence, and features or targets that bring it about."""
    at = int(seen.run.state.diverged_at[seen.k])
    if at < 0:
        return
    numbers: dict[str, Any] = {"step": at, "lr": seen.lr}
    losses, grew = seen.training, "at_once"
    if len(losses) > 1 and losses.loss.min() < losses.loss[-1]:
        grew, low = "grew", int(losses.loss.argmin())
        since = seen.counted(int(losses.step[low]))
        numbers |= {"unit": seen.unit, "since": since, "low": float(losses.loss[low])}
        numbers["high"] = float(losses.loss[-1])
    peers = seen.peers()
    lrs = seen.run.population.columns().arguments["lr"][peers]
    held = lrs[(seen.run.state.diverged_at[peers] < 0) & (lrs < seen.lr)]
    if len(held):
        numbers["peer"] = float(held.max())
    sentences = ["diverged", grew, "peer_held" if len(held) else "clip"]
    if seen.best_step is not None:
        numbers |= {"unit": seen.unit, "best": seen.counted(seen.best_step)}
        sentences.append("kept_before")
    yield Finding("diverged", numbers, tuple(sentences))
    yield from _unscaled(seen)


def _cut_short(seen: Evidence) -> Iterator[Finding]:
    run = seen.run
    if run.stopped_by and run.state.training[seen.k]:
        sentence = "interrupt" if run.stopped_by == "interrupt" else "time_limit"
        yield Finding("interrupted", {"step": seen.step, "total": seen.total}, (sentence,))


def _learned(seen: Evidence) -> Iterator[Finding]:
    """Everything about a member that has weights."""
    if seen.step == 0:
        return
    causes = [*_lr_too_large(seen), *_dead(seen), *_saturated(seen)] or [*_lr_too_small(seen)]
    overfit = list(_overfit(seen))
    if not _has_learned(seen):
        if causes:
            overfit = []  # what was never learned was not learned by heart
        sentences = ("underfit",) if causes or overfit else ("underfit", "try_more")
        yield Finding("underfit", {"loss": seen.loss, "constant": seen.constant}, sentences)
        causes += _unscaled(seen)
    elif {f.kind for f in causes} - {"lr_too_small"}:
        causes += _unscaled(seen)
    yield from causes + overfit
    at = int(seen.run.state.stopped_at[seen.k])
    if at >= 0 and seen.best_step is not None:
        moments = {"at": seen.counted(at), "best": seen.counted(seen.best_step)}
        yield Finding("stopped_early", {"unit": seen.unit, **moments}, ("stopped_early",))


def _has_learned(seen: Evidence) -> bool:
    return seen.loss < seen.constant - LEARNED * abs(seen.constant)  # NaN has not


def _lr_too_small(seen: Evidence) -> Iterator[Finding]:
    """The loss falls to the end as on a straight line; validation too, where there is one."""
    run, losses = seen.run, seen.training
    if len(losses) < RECORDS or run.state.training[seen.k] or run.state.stopped_at[seen.k] >= 0:
        return
    if seen.best_step is not None and seen.best_step < 0.8 * seen.step:
        return
    share = _last_share(seen, losses)
    numbers = {"lr": seen.lr, "share": share, "loss": losses.end}
    peers = seen.peers()
    reached = run.state.train_loss[peers]
    lrs = run.population.columns().arguments["lr"][peers]
    better = (lrs > seen.lr) & (run.state.diverged_at[peers] < 0)
    better &= reached < losses.end - (1 - PEER) * abs(losses.end)
    if share < (FALLING if better.any() or not _has_learned(seen) else STRAIGHT):
        return
    if better.any():
        best = np.flatnonzero(better)[reached[better].argmin()]
        numbers |= {"peer": float(lrs[best]), "peer_loss": float(reached[best])}
    sentences = ("falling", "peer_faster" if better.any() else "raise")
    yield Finding("lr_too_small", numbers, sentences)


def _last_share(seen: Evidence, losses: Curve) -> float:
    """How much of the fall of the loss came in the last fifth of the way; 0 if noise could do it.

    The way is the sum of the learning rates, so that a schedule that ends near 0 does not hide a
    training that never got anywhere. The fall counts from where a constant answer is.
    """
    member, total = seen.member, seen.total
    rates = member.schedule.at(member.optimizer.lr, np.arange(total), total)
    way = np.cumsum(rates)[losses.step - 1] / np.sum(rates)
    parts = [losses.loss[(way > a) & (way <= a + 0.1)] for a in (0.0, 0.7, 0.9)]
    if not all(map(len, parts)):
        return 0.0
    first, before, last = (float(part.mean()) for part in parts)
    noise = losses.after(seen.step // 2).noise * np.hypot(*(len(p) ** -0.5 for p in parts[1:]))
    if before - last <= SIGMAS * noise:
        return 0.0
    return (before - last) / ((min(first, seen.constant) if last < seen.constant else first) - last)


def _lr_too_large(seen: Evidence) -> Iterator[Finding]:
    """The loss jumps back and forth to the end, or went up by far at one time."""
    numbers = {"unit": seen.unit, "lr": seen.lr}
    losses = seen.training.means(seen.per_epoch)
    if len(losses) > 1:
        first, peak, low = (float(f(losses.loss)) for f in (lambda x: x[0], np.max, np.min))
        if peak - low > OVERSHOT * (max(first, seen.constant) - low):
            at = seen.counted(int(losses.step[losses.loss.argmax()]))
            numbers |= {"first": first, "peak": peak, "at": at}
            yield Finding("lr_too_large", numbers, ("overshot", "lower"))
            return
    curve = seen.validation  # on which neither batches nor dropout make noise
    if len(curve) < RECORDS:
        curve = losses if not getattr(seen.member.net, "dropout", 0.0) else losses.until(0)
    if len(curve) < RECORDS:
        return
    late = curve.after(seen.step // 2)
    if len(late) < RECORDS // 2:
        return
    level = float(late.loss.mean())
    if late.swing > SWINGS * max(abs(level), seen.constant - level):
        yield Finding("lr_too_large", numbers | {"swing": late.swing}, ("swings", "lower"))


def _dead(seen: Evidence) -> Iterator[Finding]:
    """The layer of which most has died, if that is half of what was alive."""
    found = []
    # A net that decides about its layers itself may go through others by now.
    layers = zip(seen.layers(), seen.layers(trained=False), strict=False)
    for layer, first in layers:
        if layer.name != "relu" or first.values.shape != layer.values.shape:
            continue
        dead, before = ((each.units == 0).all(dim=0) for each in (layer, first))
        died, alive = int((dead & ~before).sum()), int((~before).sum())
        if dead.all() or (died and died >= DEAD * alive):
            numbers = {"dead": int(dead.sum()), "units": len(dead), "died": died}
            found.append(_of_layer(seen, layer, numbers))
    if found:
        worst = max(found, key=lambda each: each["dead"] / each["units"])
        yield Finding("dead", worst, (_named("dead", worst), "revive"))


def _saturated(seen: Evidence) -> Iterator[Finding]:
    """The layer of which most is saturated, if that is half of it."""
    found: list[dict[str, Any]] = []
    for layer in seen.layers():
        if layer.name not in LIMITS:
            continue
        low, high = LIMITS[layer.name]
        units = layer.units
        beyond = (units - (low + high) / 2).abs() > AT_LIMIT * (high - low) / 2
        count = int((beyond.double().mean(dim=0) >= ALMOST_ALL).sum())
        if count >= STUCK * units.shape[1]:
            numbers = {"saturated": count, "units": units.shape[1], "activation": layer.name}
            found.append(_of_layer(seen, layer, numbers))
    if found:
        worst = max(found, key=lambda each: each["saturated"] / each["units"])
        yield Finding("saturated", worst, (_named("saturated", worst), "desaturate"))


def _of_layer(seen: Evidence, layer: LayerOutput, numbers: dict[str, Any]) -> dict[str, Any]:
    where = {"layer": layer.number, "filters": layer.filters, "rows": len(seen.rows)}
    return numbers | where


def _named(what: str, numbers: dict[str, Any]) -> str:
    """The sentence that says it of neurons, or of filters."""
    return f"{what}_filters" if numbers["filters"] else what


def _unscaled(seen: Evidence) -> Iterator[Finding]:
    """The feature or target that is farthest from 1."""
    data = seen.run.dataset
    columns = [data.X[seen.rows].reshape(len(seen.rows), -1)]
    names = list(data.feature_names)
    if data.task == "regression":
        columns.append(data.y[seen.rows])
        names += data.target_names
    sizes = np.concatenate([np.sqrt((c.astype(float) ** 2).mean(axis=0)) for c in columns])
    if sizes.max() > UNSCALED:
        largest = int(sizes.argmax())
        name = names[largest] if len(names) == len(sizes) else f"column {largest}"
        yield Finding("unscaled", {"name": name, "size": float(sizes[largest])}, ("unscaled",))


def _overfit(seen: Evidence) -> Iterator[Finding]:
    """The validation loss has been rising since its best, while the training loss went on."""
    if seen.best_step is None:
        return
    then, since = seen.training.until(seen.best_step), seen.validation.after(seen.best_step)
    if len(since) < WAITED:
        return
    state = seen.run.state
    low, high, train_last = float(state.best_loss[seen.k]), since.end, seen.training.end
    # A history of few rows may begin only after the best step.
    train_then = then.end if len(then) else float(state.best_train_loss[seen.k])
    enough = max(RISE * max(abs(low), LEARNED * abs(seen.constant)), SIGMAS * since.swing)
    if high - low > enough and train_last < train_then:
        numbers = {"unit": seen.unit, "since": seen.counted(seen.best_step), "low": low}
        numbers |= {"high": high, "train_then": train_then, "train_last": train_last}
        yield Finding("overfit", numbers, ("overfit", "kept", "simpler"))


def _healthy(seen: Evidence) -> Finding:
    numbers: dict[str, Any] = {"loss": seen.loss, "constant": seen.constant, "unit": seen.unit}
    if seen.run.state.training[seen.k]:
        return Finding("healthy", numbers, ("so_far",))
    if seen.best_step is None:
        return Finding("healthy", numbers, ("healthy", "unvalidated"))
    numbers["best"] = seen.counted(seen.best_step)
    numbers["validation"] = float(seen.run.state.best_loss[seen.k])
    return Finding("healthy", numbers, ("healthy", "validated"))
