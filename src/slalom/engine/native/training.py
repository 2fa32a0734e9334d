"""What one thread does: take bundles from the queue until it is empty, and train their members.

A bundle is some members that see the same rows in the same batches. Their batches are brought into
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
from slalom.engine.native.compile import inlined, kernel, program
from slalom.engine.native.helping import (
    TINY,
    help_others,
    loss_of_batch,
    loss_of_some,
    workspace_of,
)
from slalom.engine.native.layout import ACTIVE, NEVER, OUTPUTS, Thread, Window
from slalom.engine.native.losses import BCE, CROSS_ENTROPY
from slalom.engine.native.threads import add, stopped
from slalom.engine.native.tiles import PANEL
from slalom.engine.native.updates import update

# The rules of training, as the reference engine has them.
trains, diverges, counts = inlined(rules.trains), inlined(rules.diverges), inlined(rules.counts)
is_validated, sums_up = inlined(rules.is_validated), inlined(rules.sums_up)
judges, is_recorded, goes_on = (
    inlined(rules.judges),
    inlined(rules.is_recorded),
    inlined(rules.goes_on),
)

NAN = np.nan
START, ONE_PANEL = np.int64(0), np.int64(1)


@program
def work(nets, data, common, bundles, order, records, shared):
    """Carry out bundles until there are none left, or the flag is set; then help the others."""
    me, _ = add(shared.arrived, 0, 1), add(shared.working, 0, 1)
    workspace, held_fold = workspace_of(shared.workspace, me), -1
    while True:
        t = add(shared.queue, 0, 1)
        if t >= bundles.size or stopped(shared.flag):
            break
        bundle = bundles[t]
        members = order[bundle.first : bundle.last]
        if held_fold != bundle.fold and _validates(nets.members, members, common):
            held_fold = bundle.fold
            first, last = data.validation_from[held_fold], data.validation_from[held_fold + 1]
            rows = data.validation[first:last]
            as_they_come(workspace.order[: rows.size])
            gather(data, rows, workspace.order, START, rows.size, workspace.held, START)
        _train(Thread(nets, data, common, workspace, records, shared, me), members, bundle)
    add(shared.working, 0, -1)
    if common.parts > 1:
        help_others(nets, common, shared, me)


@inlined
def _validates(table, members, common):
    """Whether a member comes to a validation in this stretch."""
    for k in members:
        m = table[k]
        every = m.steps_per_epoch * common.validate_every
        if m.end == m.total_steps or m.end // every > m.step // every or not np.isnan(m.pending):
            return True
    return False


@inlined
def _train(thread, members, bundle):
    """Advance the members of a bundle, epoch by epoch and window by window."""
    data, workspace, table = thread.data, thread.workspace, thread.nets.members
    rows = data.train[data.train_from[bundle.fold] : data.train_from[bundle.fold + 1]]
    start, end = _span(table, members)
    order, size, shuffled = workspace.order[: rows.size], bundle.batch_size, bundle.batch_size > 0
    if not shuffled or start >= end:  # there may be no more to do than a validation
        if start < end:
            as_they_come(order)
            gather(data, rows, order, START, rows.size, workspace.window, START)
        _train_on_window(thread, members, Window(START, end, shuffled, rows.size, rows.size))
        return
    per_epoch, at_once = -(-rows.size // size), max(1, thread.common.panels // -(-size // PANEL))
    seed_generator(workspace.words, bundle.seed)
    drawn = START
    for epoch in range(start // per_epoch, -(-end // per_epoch)):
        if stopped(thread.shared.flag) or _span(table, members)[1] == 0:
            return
        skip(workspace.words, draws_before(epoch, rows.size) - drawn)
        shuffle(workspace.words, order)
        drawn = draws_before(epoch, rows.size) + rows.size - 1
        for b in range(0, per_epoch, at_once):
            low = epoch * per_epoch + b
            high = min(low + at_once, (epoch + 1) * per_epoch)
            if high > start and low < end and not stopped(thread.shared.flag):
                for n in range(high - low):
                    gather(data, rows, order, (b + n) * size, size, workspace.window, n)
                window = Window(low, high, shuffled, size, rows.size - b * size)
                _train_on_window(thread, members, window)


@inlined
def _span(table, members):
    """The first step that a member has before it, and where the last one ends."""
    start, end = np.int64(2**62), np.int64(0)
    for k in members:
        if trains(table[k]):
            start, end = min(start, table[k].step), max(end, table[k].end)
    return start, end


@kernel
def _train_on_window(thread, members, window):
    """Take each member through the steps of a window."""
    for k in members:
        m = thread.nets.members[k]
        while not stopped(thread.shared.flag):
            if not np.isnan(m.pending):
                if not _finish_step(thread, k):
                    return
            elif window.low <= m.step < window.high and trains(m):
                n = m.step - window.low if window.shuffled else START
                rows = min(window.size, window.left - n * window.size)
                if not _step(thread, k, n, n * -(-window.size // PANEL), rows):
                    return
            else:
                break


@inlined
def _step(thread, k, n, panel, rows):
    """One update of a member on batch `n`; whether it came so far before the flag was set.

    The batch begins at `panel` of the window and has so many rows.
    """
    nets, workspace = thread.nets, thread.workspace
    m = nets.members[k]
    geometry = nets.geometries[m.geometry]
    done, loss = loss_of_batch(thread, k, n, panel, rows)
    if not done:
        return False
    if not np.isfinite(loss):
        diverges(m)
        _write(m, thread.records, m.step + 1, loss, NAN, NAN)
        return True
    if m.clip_norm < np.inf:
        _clip(workspace.gradient, geometry.parameters, m.clip_norm)
    lr = m.lr
    if m.schedule != NEVER:
        at = m.step - nets.first_rate
        lr = nets.base[m.schedule, at] + nets.slope[m.schedule, at] * lr
    update(
        m.rule,
        nets.hyper[k],
        lr,
        m.step + 1,
        nets.parameters,
        m.parameters,
        workspace.gradient,
        nets.slots,
        m.slots,
        geometry.parameters,
    )
    counts(m, loss)
    if m.step == m.next_frame:
        _keep_frame(nets, m, geometry.parameters)
    return True


@kernel
def _keep_frame(nets, m, parameters):
    """Copy what the member is now into the frames."""
    row, size = np.searchsorted(nets.due, m.step), nets.frames.size // nets.due.size
    frame = nets.frames[row * size + m.parameters :]
    for i in range(parameters):
        frame[i] = nets.parameters[m.parameters + i]
    m.next_frame = nets.due[row + 1] if row + 1 < nets.due.size else NEVER


@inlined
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
def _validate(thread, k, rows):
    """Whether it was done before the flag was set, the loss, and accuracy or R2."""
    nets, common, workspace = thread.nets, thread.common, thread.workspace
    m = nets.members[k]
    geometry, layers = nets.geometries[m.geometry], nets.layers[m.geometry]
    variation = thread.data.variation[m.fold]
    classes = common.loss == CROSS_ENTROPY or common.loss == BCE
    held, targets, last = workspace.held, workspace.unexplained.size, layers[geometry.depth - 1]
    outputs, z0 = last[OUTPUTS], last[ACTIVE]
    value, right, everything = 0.0, 0.0, 0.0
    workspace.unexplained[:] = 0.0
    for q in range(-(-rows // PANEL)):
        if stopped(thread.shared.flag):
            return False, NAN, NAN
        some, y0, w0 = min(PANEL, rows - q * PANEL), q * PANEL * targets, q * PANEL
        value += loss_of_some(
            nets, k, common, held, q, ONE_PANEL, some, 1.0, 0.0, np.uint64(0), START, workspace
        )
        for j in range(some):
            weight = np.float64(held.weight[w0 + j])
            everything += weight
            if classes:
                guess = _predicted_class(common.loss, workspace.arena, z0 + j, outputs)
                right += weight if guess == int(held.y[y0 + j]) else 0.0
            else:
                for t in range(targets):
                    missed = np.float64(held.y[y0 + t * PANEL + j])
                    missed -= np.float64(workspace.arena[z0 + t * PANEL + j])
                    workspace.unexplained[t] += weight * missed * missed
    score = right / everything
    if not classes:
        score = 0.0
        for t in range(targets):
            score += (1.0 - workspace.unexplained[t] / variation[t]) / targets
    total = max(held.total[0], TINY)
    return True, np.float64(np.float32(value) / np.float32(total)), score


@inlined
def _predicted_class(loss, z, z0, outputs):
    """The most probable class of one sample."""
    if loss == BCE:
        return 1 if z[z0] > 0 else 0
    best = 0
    for c in range(1, outputs):
        if z[z0 + c * PANEL] > z[z0 + best * PANEL]:
            best = c
    return best


@inlined
def _finish_step(thread, k):
    """After an update: validate where it is time to, and write down what the plan asks for.

    Whether it was done before the flag was set; if not, all of it stays pending.
    """
    nets, data, common = thread.nets, thread.data, thread.common
    m = nets.members[k]
    size = nets.geometries[m.geometry].parameters
    rows = data.validation_from[m.fold + 1] - data.validation_from[m.fold]
    due = is_validated(m, common.validate_every, rows)
    loss, score = NAN, NAN
    if due:
        done, loss, score = _validate(thread, k, rows)
        if not done:
            return False
    sums_up(m, common.record_steps)
    if due and judges(m, loss, score, common.patience):
        for i in range(m.parameters, m.parameters + size):
            nets.best[i] = nets.parameters[i]
    own = nets.parameters[m.parameters : m.parameters + size]
    if m.step == m.total_steps and not _finite(own):
        m.diverged_at = m.step
    if is_recorded(m):
        _write(m, thread.records, m.step, m.train_loss, loss, score)
    goes_on(m)
    return True


@inlined
def _finite(numbers):
    zero = np.float32(0)
    for number in numbers:
        zero += number * np.float32(0)
    return zero == np.float32(0)


@inlined
def _write(m, records, step, train_loss, validation_loss, metric):
    """Write a record of the member down."""
    record = records[m.records + m.recorded]
    record.member, record.step, record.train_loss = m.number, step, train_loss
    record.validation_loss, record.metric = validation_loss, metric
    m.recorded += 1
