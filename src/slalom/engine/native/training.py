"""What one thread does: take tasks from the queue until it is empty, and train their members.

A task is some members that see the same rows in the same batches. Their batches are brought into
place once, window by window, and each member trains on the window in turn; its weights stay in the
nearest cache meanwhile. Nothing here knows how many threads there are.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slalom.engine.native.batches import (
    as_they_come,
    draws_before,
    gather,
    seed_generator,
    shuffle,
    skip,
)
from slalom.engine.native.compile import kernel, part, program
from slalom.engine.native.dropout import step_key
from slalom.engine.native.losses import BCE, CROSS_ENTROPY, loss_of_panels
from slalom.engine.native.network import (
    ACTIVE,
    ERROR,
    INPUTS,
    OUTPUTS,
    add_gradients,
    backpropagate,
    forward,
)
from slalom.engine.native.threads import stopped, take
from slalom.engine.native.tiles import PANEL, pitch_of
from slalom.engine.native.updates import update

NAN, NEVER = np.nan, -1
START, ONE_PANEL = np.int64(0), np.int64(1)
TINY = float(np.finfo(np.float32).tiny)

# Nets of one shape, with batches of one size.
KIND = np.dtype(
    [
        ("depth", np.int64),
        ("activation", np.int64),
        ("relu", np.bool_),  # that activation, and no dropout
        ("dropout", np.float64),
        ("chunk", np.int64),  # panels whose gradient is taken together
        ("parameters", np.int64),
    ]
)

# A member: what it is, and what changes, as in `slalom.engine.state.State`.
MEMBER = np.dtype(
    [
        ("number", np.int64),
        ("kind", np.int64),
        ("rule", np.int64),
        ("schedule", np.int64),  # row of the rates, or NEVER
        ("fold", np.int64),
        ("lr", np.float64),
        ("clip_norm", np.float64),
        ("seed", np.uint64),
        ("parameters", np.int64),  # offsets
        ("slots", np.int64),
        ("records", np.int64),
        ("recorded", np.int64),
        ("steps_per_epoch", np.int64),
        ("total_steps", np.int64),
        ("end", np.int64),  # the step at which this stretch ends
        ("epoch", np.int64),  # whole epochs done, and steps since then
        ("in_epoch", np.int64),
        ("next_record", np.int64),  # the next step whose record is kept
        ("record_every", np.int64),
        ("step", np.int64),
        ("stopped_at", np.int64),
        ("diverged_at", np.int64),
        ("best_step", np.int64),
        ("best_loss", np.float64),
        ("epoch_loss", np.float64),
        ("train_loss", np.float64),
        ("best_train_loss", np.float64),
        ("best_metric", np.float64),
        ("pending", np.float64),
    ]
)

# Members of the table that lie at order[first:last] and see the same batches.
TASK = np.dtype(
    [
        ("first", np.int64),
        ("last", np.int64),
        ("seed", np.uint64),
        ("fold", np.int64),
        ("batch_size", np.int64),  # 0 for all rows as they come
    ]
)


class Data(NamedTuple):
    """The dataset; the rows of all folds lie one fold after another."""

    features: int
    targets: int
    X: NDArray[np.float32]  # [rows * features]
    y: NDArray[np.float32]  # [rows * targets]
    weight: NDArray[np.float32]
    mass: NDArray[np.float64]  # the weight of a row times that of its class
    train: NDArray[np.int64]
    train_from: NDArray[np.int64]  # [folds + 1]
    validation: NDArray[np.int64]
    validation_from: NDArray[np.int64]
    variation: NDArray[np.float64]  # [folds, T]: weighted squares around the mean, for R2


class Nets(NamedTuple):
    """The members and what they are trained with."""

    members: NDArray[Any]  # MEMBER
    kinds: NDArray[Any]  # KIND
    layers: NDArray[np.int64]  # [kinds, layers, 7]
    hyper: NDArray[np.float64]  # [P, LENGTH], see `updates`
    parameters: NDArray[np.float32]
    slots: NDArray[np.float32]
    best: NDArray[np.float32]
    base: NDArray[np.float64]  # the rate of step `first_rate + i` by schedule s:
    slope: NDArray[np.float64]  # base[s, i] + slope[s, i] * lr
    first_rate: int


class Job(NamedTuple):
    """What the plan says for all members, and how much room a thread needs."""

    loss: int
    numbers: NDArray[np.float32]
    record_steps: bool
    validate_every: int
    patience: float
    arena: int
    parameters: int
    rows: int
    panels: int
    validation_panels: int


class Batches(NamedTuple):
    """Some batches, panel by panel."""

    samples: NDArray[np.float32]
    X: NDArray[np.float32]
    y: NDArray[np.float32]
    weight: NDArray[np.float32]
    total: NDArray[np.float64]  # sum of the weights of each batch


class Room(NamedTuple):
    """What a thread works in."""

    arena: NDArray[np.float32]
    gradient: NDArray[np.float32]
    sums: NDArray[np.float32]
    unexplained: NDArray[np.float64]
    order: NDArray[np.int32]
    words: NDArray[np.uint32]
    window: Batches
    held: Batches


@program
def work(nets, data, job, tasks, order, records, room, queue, flag):
    """Carry out tasks until there are none left, or the flag is set."""
    held_fold = -1
    while True:
        t = take(queue)
        if t >= tasks.size or stopped(flag):
            return
        task = tasks[t]
        members = order[task.first : task.last]
        if held_fold != task.fold and _validates(nets.members, members, job):
            held_fold = task.fold
            first, last = data.validation_from[held_fold], data.validation_from[held_fold + 1]
            rows = data.validation[first:last]
            as_they_come(room.order[: rows.size])
            gather(data, rows, room.order, START, rows.size, room.held, START)
        _train(nets, members, task, data, job, room, records, flag)


@part
def _validates(table, members, job):
    """Whether a member comes to a validation in this stretch."""
    for k in members:
        m = table[k]
        every = m.steps_per_epoch * job.validate_every
        if m.end == m.total_steps or m.end // every > m.step // every or not np.isnan(m.pending):
            return True
    return False


@part
def _train(nets, members, task, data, job, room, records, flag):
    """Advance the members of a task, epoch by epoch and window by window."""
    rows = data.train[data.train_from[task.fold] : data.train_from[task.fold + 1]]
    start, end = _span(nets.members, members)
    order, size, shuffled = room.order[: rows.size], task.batch_size, task.batch_size > 0
    if not shuffled or start >= end:  # there may be no more to do than a validation
        if start < end:
            as_they_come(order)
            gather(data, rows, order, START, rows.size, room.window, START)
        _train_on_window(
            nets,
            members,
            START,
            end,
            shuffled,
            rows.size,
            rows.size,
            data,
            job,
            room,
            records,
            flag,
        )
        return
    per_epoch, at_once = -(-rows.size // size), max(1, job.panels // -(-size // PANEL))
    seed_generator(room.words, task.seed)
    drawn = START
    for epoch in range(start // per_epoch, -(-end // per_epoch)):
        if stopped(flag) or _span(nets.members, members)[1] == 0:
            return
        skip(room.words, draws_before(epoch, rows.size) - drawn)
        shuffle(room.words, order)
        drawn = draws_before(epoch, rows.size) + rows.size - 1
        for b in range(0, per_epoch, at_once):
            low = epoch * per_epoch + b
            high = min(low + at_once, (epoch + 1) * per_epoch)
            if high > start and low < end and not stopped(flag):
                for n in range(high - low):
                    gather(data, rows, order, (b + n) * size, size, room.window, n)
                left = rows.size - b * size
                _train_on_window(
                    nets, members, low, high, shuffled, size, left, data, job, room, records, flag
                )


@part
def _span(table, members):
    """The first step that a member has before it, and where the last one ends."""
    start, end = np.int64(2**62), np.int64(0)
    for k in members:
        if trains(table[k]):
            start, end = min(start, table[k].step), max(end, table[k].end)
    return start, end


@part
def trains(m):
    """Whether a member goes on in this stretch."""
    return m.step < m.end and m.stopped_at == NEVER and m.diverged_at == NEVER


@kernel
def _train_on_window(
    nets, members, low, high, shuffled, size, left, data, job, room, records, flag
):
    """Take each member from step `low` to step `high`.

    When `shuffled`, batch `n` of the window is that of step `low + n`, with `size` rows or what is
    `left` for it; otherwise every step is on the first batch.
    """
    for k in members:
        m = nets.members[k]
        while not stopped(flag):
            if not np.isnan(m.pending):
                if not _finish_step(nets, k, data, job, room, records, flag):
                    return
            elif low <= m.step < high and trains(m):
                n = m.step - low if shuffled else START
                rows = min(size, left - n * size)
                if not _step(nets, k, job, n, size, rows, room, records, flag):
                    return
            else:
                break


@part
def _step(nets, k, job, n, size, rows, room, records, flag):
    """One update of a member on batch `n`; whether it came so far before the flag was set."""
    m = nets.members[k]
    kind, layers, p = nets.kinds[m.kind], nets.layers[m.kind], nets.parameters
    key = step_key(m.seed, m.step) if kind.dropout > 0 else np.uint64(0)
    at = n * -(-size // PANEL)
    done, loss = _batch_loss(
        kind, layers, p, m.parameters, job, room.window, n, at, rows, room, key, flag
    )
    if not done:
        return False
    if not np.isfinite(loss):
        m.diverged_at = m.step + 1
        _write(m, records, m.step + 1, loss, NAN, NAN)
        return True
    if m.clip_norm < np.inf:
        _clip(room.gradient, kind.parameters, m.clip_norm)
    lr = m.lr
    if m.schedule != NEVER:
        at = m.step - nets.first_rate
        lr = nets.base[m.schedule, at] + nets.slope[m.schedule, at] * lr
    m.step += 1
    update(
        m.rule,
        nets.hyper[k],
        lr,
        m.step,
        p,
        m.parameters,
        room.gradient,
        nets.slots,
        m.slots,
        kind.parameters,
    )
    m.in_epoch += 1
    m.epoch_loss += loss
    m.pending = loss
    return True


@part
def _batch_loss(kind, layers, p, p0, job, batches, n, panel, rows, room, key, flag):
    """Whether it was done before the flag was set, and the loss; the gradient goes to the room."""
    depth = kind.depth
    features, targets = layers[0, INPUTS], room.unexplained.size
    outputs, z0, d0 = (
        layers[depth - 1, OUTPUTS],
        layers[depth - 1, ACTIVE],
        layers[depth - 1, ERROR],
    )
    panels = -(-rows // PANEL)
    total = max(batches.total[n], TINY)
    room.gradient[: kind.parameters] = np.float32(0)
    value = 0.0
    for start in range(0, panels, kind.chunk):
        if stopped(flag):
            return False, NAN
        some, at = min(kind.chunk, panels - start), panel + start
        x0 = at * PANEL * features
        row = start * PANEL
        forward(
            layers,
            depth,
            kind.relu,
            kind.activation,
            p,
            p0,
            batches.X,
            x0,
            room.arena,
            some,
            kind.dropout,
            key,
            row,
        )
        value += loss_of_panels(
            job.loss,
            job.numbers,
            room.arena,
            z0,
            room.arena,
            d0,
            outputs,
            batches.y,
            at * PANEL * targets,
            batches.weight,
            at * PANEL,
            1.0 / total,
            min(some * PANEL, rows - row),
            room.sums,
        )
        backpropagate(layers, depth, kind.relu, p, p0, room.arena, some)
        add_gradients(
            layers,
            depth,
            batches.X,
            at * PANEL * features,
            batches.samples,
            at * PANEL * pitch_of(features),
            room.arena,
            some,
            room.gradient,
            room.sums,
        )
    # Like torch's, a sum beyond float32 is infinite.
    return True, np.float64(np.float32(value) / np.float32(total))


@part
def _clip(gradient, parameters, longest):
    """As `torch.nn.utils.clip_grad_norm_`."""
    squares = 0.0
    for i in range(parameters):
        squares += np.float64(gradient[i]) * np.float64(gradient[i])
    factor = np.float32(longest / (np.sqrt(squares) + 1e-6))
    if not factor >= np.float32(1):  # NaN clips too
        for i in range(parameters):
            gradient[i] *= factor


@kernel
def _validate(kind, layers, p, p0, job, rows, variation, room, flag):
    """Whether it was done before the flag was set, the loss, and accuracy or R2."""
    depth, classes = kind.depth, job.loss == CROSS_ENTROPY or job.loss == BCE
    held, features, targets = room.held, layers[0, INPUTS], room.unexplained.size
    outputs, z0, d0 = (
        layers[depth - 1, OUTPUTS],
        layers[depth - 1, ACTIVE],
        layers[depth - 1, ERROR],
    )
    value, right, everything = 0.0, 0.0, 0.0
    room.unexplained[:] = 0.0
    for q in range(-(-rows // PANEL)):
        if stopped(flag):
            return False, NAN, NAN
        some, y0, w0 = min(PANEL, rows - q * PANEL), q * PANEL * targets, q * PANEL
        x0 = q * PANEL * features
        forward(
            layers,
            depth,
            kind.relu,
            kind.activation,
            p,
            p0,
            held.X,
            x0,
            room.arena,
            ONE_PANEL,
            0.0,
            np.uint64(0),
            START,
        )
        value += loss_of_panels(
            job.loss,
            job.numbers,
            room.arena,
            z0,
            room.arena,
            d0,
            outputs,
            held.y,
            y0,
            held.weight,
            w0,
            1.0,
            some,
            room.sums,
        )
        for j in range(some):
            weight = np.float64(held.weight[w0 + j])
            everything += weight
            if classes:
                guess = _predicted_class(job.loss, room.arena, z0 + j, outputs)
                right += weight if guess == int(held.y[y0 + j]) else 0.0
            else:
                for t in range(targets):
                    missed = np.float64(held.y[y0 + t * PANEL + j])
                    missed -= np.float64(room.arena[z0 + t * PANEL + j])
                    room.unexplained[t] += weight * missed * missed
    score = right / everything
    if not classes:
        score = 0.0
        for t in range(targets):
            score += (1.0 - room.unexplained[t] / variation[t]) / targets
    total = max(held.total[0], TINY)
    return True, np.float64(np.float32(value) / np.float32(total)), score


@part
def _predicted_class(loss, z, z0, outputs):
    """The most probable class of one sample."""
    if loss == BCE:
        return 1 if z[z0] > 0 else 0
    best = 0
    for c in range(1, outputs):
        if z[z0 + c * PANEL] > z[z0 + best * PANEL]:
            best = c
    return best


@part
def _finish_step(nets, k, data, job, room, records, flag):
    """After an update: validate where it is time to, and write down what the plan asks for.

    Whether it was done before the flag was set; if not, all of it stays pending.
    """
    m = nets.members[k]
    kind, fold = nets.kinds[m.kind], m.fold
    rows = data.validation_from[fold + 1] - data.validation_from[fold]
    last, epoch_end = m.step == m.total_steps, m.in_epoch == m.steps_per_epoch
    epoch = m.epoch + 1 if epoch_end else m.epoch
    due = rows > 0 and (last or (epoch_end and epoch % job.validate_every == 0))
    loss, score = NAN, NAN
    if due:
        done, loss, score = _validate(
            kind,
            nets.layers[m.kind],
            nets.parameters,
            m.parameters,
            job,
            rows,
            data.variation[fold],
            room,
            flag,
        )
        if not done:
            return False
    if job.record_steps:
        m.train_loss = m.pending
    elif epoch_end or last:
        m.train_loss = m.epoch_loss / m.in_epoch
    m.pending = NAN
    if due:
        _judge(m, kind, nets.parameters, nets.best, loss, score, job.patience)
    if last and not _finite(nets.parameters[m.parameters : m.parameters + kind.parameters]):
        m.diverged_at = m.step
    ended = last or m.stopped_at != NEVER or m.diverged_at != NEVER
    if ended or m.step == m.next_record:
        _write(m, records, m.step, m.train_loss, loss, score)
    if m.step == m.next_record:
        m.next_record += m.record_every
    if epoch_end:
        m.epoch, m.in_epoch, m.epoch_loss = epoch, 0, 0.0
    return True


@part
def _judge(m, kind, p, best, loss, score, patience):
    """What a validation means for the member."""
    if not np.isfinite(loss):
        m.diverged_at = m.step
    elif loss < m.best_loss:
        m.best_loss, m.best_step, m.best_metric = loss, m.step, score
        m.best_train_loss = m.train_loss
        for i in range(m.parameters, m.parameters + kind.parameters):
            best[i] = p[i]
    elif (m.step - m.best_step) / m.steps_per_epoch >= patience:
        m.stopped_at = m.step


@part
def _finite(numbers):
    zero = np.float32(0)
    for number in numbers:
        zero += number * np.float32(0)
    return zero == np.float32(0)


@part
def _write(m, records, step, train_loss, validation_loss, metric):
    """Write a record of the member down."""
    record = records[m.records + m.recorded]
    record.member, record.step, record.train_loss = m.number, step, train_loss
    record.validation_loss, record.metric = validation_loss, metric
    m.recorded += 1
