"""What one thread does: take tasks from the queue until it is empty, and train their members.

A task is some members that see the same rows in the same batches. Their batches are brought into
place once, window by window, and each member trains on the window in turn; its weights stay in the
nearest cache meanwhile. Nothing here knows how many threads there are.
"""

import numpy as np

from slalom.engine import rules
from slalom.engine.native.batches import (
    as_they_come,
    draws_before,
    gather,
    seed_generator,
    shuffle,
    skip,
)
from slalom.engine.native.compile import kernel, part, program
from slalom.engine.native.helping import (
    TINY,
    help_others,
    loss_of_batch,
    loss_of_some,
    room_of,
)
from slalom.engine.native.layout import NEVER
from slalom.engine.native.losses import BCE, CROSS_ENTROPY
from slalom.engine.native.network import ACTIVE, OUTPUTS
from slalom.engine.native.threads import add, stopped
from slalom.engine.native.tiles import PANEL
from slalom.engine.native.updates import update

# The rules of training, as the reference engine has them.
trains, diverges, counts = part(rules.trains), part(rules.diverges), part(rules.counts)
is_validated, sums_up = part(rules.is_validated), part(rules.sums_up)
judges, is_recorded, goes_on = part(rules.judges), part(rules.is_recorded), part(rules.goes_on)

NAN = np.nan
START, ONE_PANEL = np.int64(0), np.int64(1)


@program
def work(nets, data, job, tasks, order, records, crew):
    """Carry out tasks until there are none left, or the flag is set; then help the others."""
    me, _ = add(crew.arrived, 0, 1), add(crew.working, 0, 1)
    room, held_fold = room_of(crew.room, me), -1
    while True:
        t = add(crew.queue, 0, 1)
        if t >= tasks.size or stopped(crew.flag):
            break
        task = tasks[t]
        members = order[task.first : task.last]
        if held_fold != task.fold and _validates(nets.members, members, job):
            held_fold = task.fold
            first, last = data.validation_from[held_fold], data.validation_from[held_fold + 1]
            rows = data.validation[first:last]
            as_they_come(room.order[: rows.size])
            gather(data, rows, room.order, START, rows.size, room.held, START)
        _train(nets, members, task, data, job, room, records, crew, me)
    add(crew.working, 0, -1)
    if job.parts > 1:
        help_others(nets, job, crew, me)


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
def _train(nets, members, task, data, job, room, records, crew, me):
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
            crew,
            me,
        )
        return
    per_epoch, at_once = -(-rows.size // size), max(1, job.panels // -(-size // PANEL))
    seed_generator(room.words, task.seed)
    drawn = START
    for epoch in range(start // per_epoch, -(-end // per_epoch)):
        if stopped(crew.flag) or _span(nets.members, members)[1] == 0:
            return
        skip(room.words, draws_before(epoch, rows.size) - drawn)
        shuffle(room.words, order)
        drawn = draws_before(epoch, rows.size) + rows.size - 1
        for b in range(0, per_epoch, at_once):
            low = epoch * per_epoch + b
            high = min(low + at_once, (epoch + 1) * per_epoch)
            if high > start and low < end and not stopped(crew.flag):
                for n in range(high - low):
                    gather(data, rows, order, (b + n) * size, size, room.window, n)
                left = rows.size - b * size
                _train_on_window(
                    nets,
                    members,
                    low,
                    high,
                    shuffled,
                    size,
                    left,
                    data,
                    job,
                    room,
                    records,
                    crew,
                    me,
                )


@part
def _span(table, members):
    """The first step that a member has before it, and where the last one ends."""
    start, end = np.int64(2**62), np.int64(0)
    for k in members:
        if trains(table[k]):
            start, end = min(start, table[k].step), max(end, table[k].end)
    return start, end


@kernel
def _train_on_window(
    nets, members, low, high, shuffled, size, left, data, job, room, records, crew, me
):
    """Take each member from step `low` to step `high`.

    When `shuffled`, batch `n` of the window is that of step `low + n`, with `size` rows or what is
    `left` for it; otherwise every step is on the first batch.
    """
    for k in members:
        m = nets.members[k]
        while not stopped(crew.flag):
            if not np.isnan(m.pending):
                if not _finish_step(nets, k, data, job, room, records, crew.flag):
                    return
            elif low <= m.step < high and trains(m):
                n = m.step - low if shuffled else START
                rows = min(size, left - n * size)
                if not _step(nets, k, job, n, size, rows, room, records, crew, me):
                    return
            else:
                break


@part
def _step(nets, k, job, n, size, rows, room, records, crew, me):
    """One update of a member on batch `n`; whether it came so far before the flag was set."""
    m = nets.members[k]
    kind, p = nets.kinds[m.kind], nets.parameters
    panel = n * -(-size // PANEL)
    done, loss = loss_of_batch(nets, k, job, n, panel, rows, room, crew, me)
    if not done:
        return False
    if not np.isfinite(loss):
        diverges(m)
        _write(m, records, m.step + 1, loss, NAN, NAN)
        return True
    if m.clip_norm < np.inf:
        _clip(room.gradient, kind.parameters, m.clip_norm)
    lr = m.lr
    if m.schedule != NEVER:
        at = m.step - nets.first_rate
        lr = nets.base[m.schedule, at] + nets.slope[m.schedule, at] * lr
    update(
        m.rule,
        nets.hyper[k],
        lr,
        m.step + 1,
        p,
        m.parameters,
        room.gradient,
        nets.slots,
        m.slots,
        kind.parameters,
    )
    counts(m, loss)
    if m.step == m.next_frame:
        _keep_frame(nets, m, kind.parameters)
    return True


@kernel
def _keep_frame(nets, m, parameters):
    """Copy what the member is now into the frames."""
    row, size = np.searchsorted(nets.due, m.step), nets.frames.size // nets.due.size
    frame = nets.frames[row * size + m.parameters :]
    for i in range(parameters):
        frame[i] = nets.parameters[m.parameters + i]
    m.next_frame = nets.due[row + 1] if row + 1 < nets.due.size else NEVER


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
    classes = job.loss == CROSS_ENTROPY or job.loss == BCE
    held, targets, last = room.held, room.unexplained.size, layers[kind.depth - 1]
    outputs, z0 = last[OUTPUTS], last[ACTIVE]
    value, right, everything = 0.0, 0.0, 0.0
    room.unexplained[:] = 0.0
    for q in range(-(-rows // PANEL)):
        if stopped(flag):
            return False, NAN, NAN
        some, y0, w0 = min(PANEL, rows - q * PANEL), q * PANEL * targets, q * PANEL
        value += loss_of_some(
            kind, layers, p, p0, job, held, q, ONE_PANEL, some, 1.0, 0.0, np.uint64(0), START, room
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
    due = is_validated(m, job.validate_every, rows)
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
    sums_up(m, job.record_steps)
    if due and judges(m, loss, score, job.patience):
        for i in range(m.parameters, m.parameters + kind.parameters):
            nets.best[i] = nets.parameters[i]
    if m.step == m.total_steps and not _finite(
        nets.parameters[m.parameters : m.parameters + kind.parameters]
    ):
        m.diverged_at = m.step
    if is_recorded(m):
        _write(m, records, m.step, m.train_loss, loss, score)
    goes_on(m)
    return True


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
