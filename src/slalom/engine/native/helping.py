"""Loss and gradient of a member on a batch, which threads without a task help to find.

A wide net on a large batch takes a step in several parts, each some samples of the batch. The
thread that trains the member lays them on its desk; whoever has no task left takes from the desks
of the others. How many parts there are does not depend on the threads, and their gradients are
added up in their order, so that the result does not either.
"""

import numpy as np

from slalom.engine.native.compile import kernel, part
from slalom.engine.native.curve import curve_forward, curve_gradient
from slalom.engine.native.dropout import step_key
from slalom.engine.native.layout import Batches, Room
from slalom.engine.native.losses import loss_of_panels
from slalom.engine.native.network import (
    ACTIVE,
    ERROR,
    INPUTS,
    OUTPUTS,
    add_gradients,
    backpropagate,
    forward,
)
from slalom.engine.native.threads import add, give_way, load, stopped, store
from slalom.engine.native.tiles import PANEL, pitch_of

# What lies on a desk: parts that nobody has taken yet, parts that are done, and what they are parts
# of: a member, a batch, its first panel and its rows. Two lines of the cache to each.
LEFT, DONE, WHO, BATCH, FIRST, ROWS = range(6)
DESK = 16

TINY = float(np.finfo(np.float32).tiny)
START = np.int64(0)


@part
def room_of(rooms, thread):
    """The room of one thread."""
    window, held = rooms.window, rooms.held
    return Room(
        rooms.arena[thread],
        rooms.gradient[thread],
        rooms.parts[thread],
        rooms.losses[thread],
        rooms.sums[thread],
        rooms.unexplained[thread],
        rooms.order[thread],
        rooms.words[thread],
        Batches(
            window.samples[thread],
            window.X[thread],
            window.y[thread],
            window.weight[thread],
            window.total[thread],
        ),
        Batches(
            held.samples[thread],
            held.X[thread],
            held.y[thread],
            held.weight[thread],
            held.total[thread],
        ),
    )


@part
def loss_of_batch(nets, k, job, n, panel, rows, room, crew, me):
    """The loss of member `k` on batch `n`; its gradient goes to the room.

    Args:
        panel, rows: where the batch begins in the window, and how many rows it has.
        me: the number of this thread.

    Returns:
        Whether it was done before the flag was set, and the loss.
    """
    kind = nets.kinds[nets.members[k].kind]
    if kind.parts == 1:
        last = -(-rows // PANEL)
        value = _part(
            nets, k, job, room.window, n, panel, rows, START, last, room, room.gradient, crew.flag
        )
    else:
        desk = me * DESK
        crew.desks[desk + WHO], crew.desks[desk + BATCH] = k, n
        crew.desks[desk + FIRST], crew.desks[desk + ROWS] = panel, rows
        store(crew.desks, desk + DONE, 0)
        store(crew.desks, desk + LEFT, kind.parts)
        while take_part(nets, job, crew, me, me):
            pass
        while load(crew.desks, desk + DONE) < kind.parts:
            give_way()
        value = _add_up(kind.parts, kind.parameters, room)
    # Like torch's, a sum beyond float32 is infinite.
    total = np.float32(max(room.window.total[n], TINY))
    return not stopped(crew.flag), np.float64(np.float32(value) / total)


@kernel
def help_others(nets, job, crew, me):
    """Take parts from all desks until no thread has a task."""
    while load(crew.working, 0) > 0 and not stopped(crew.flag):
        found = False
        for thread in range(crew.desks.size // DESK):
            found |= take_part(nets, job, crew, thread, me)
        if not found:
            give_way()


@kernel
def take_part(nets, job, crew, thread, me):
    """Whether there was a part on a thread's desk, which thread `me` now has done."""
    desk = thread * DESK
    if load(crew.desks, desk + LEFT) <= 0:
        return False
    which = add(crew.desks, desk + LEFT, -1) - 1
    if which < 0:  # others were faster
        return False
    k, n = crew.desks[desk + WHO], crew.desks[desk + BATCH]
    panel, rows = crew.desks[desk + FIRST], crew.desks[desk + ROWS]
    theirs, mine = room_of(crew.room, thread), room_of(crew.room, me)
    panels, parts = -(-rows // PANEL), nets.kinds[nets.members[k].kind].parts
    first, last = panels * which // parts, panels * (which + 1) // parts
    size = theirs.gradient.size
    # The first part's gradient lies where the sum will be.
    gradient = theirs.gradient if which == 0 else theirs.parts[(which - 1) * size : which * size]
    theirs.losses[which] = _part(
        nets, k, job, theirs.window, n, panel, rows, first, last, mine, gradient, crew.flag
    )
    add(crew.desks, desk + DONE, 1)
    return True


@kernel
def _add_up(parts, parameters, room):
    """Add the gradients of further parts to the first one's; give the sum of all losses."""
    size, value = room.gradient.size, room.losses[0]
    for which in range(1, parts):
        value += room.losses[which]
        gradient = room.parts[(which - 1) * size : which * size]
        for i in range(np.uintp(parameters)):
            room.gradient[i] += gradient[i]
    return value


@part
def outputs_of_some(kind, layers, p, p0, x, x0, arena, panels, dropout, key, row):
    """The outputs of some panels, to their place in the arena; arguments as in `forward`."""
    if kind.curve:
        z0 = layers[1, ACTIVE]
        curve_forward(p, p0, layers[0, OUTPUTS], x, x0, arena, z0, panels)
    else:
        forward(
            layers,
            kind.depth,
            kind.relu,
            kind.activation,
            p,
            p0,
            x,
            x0,
            arena,
            panels,
            dropout,
            key,
            row,
        )


@part
def loss_of_some(
    kind, layers, p, p0, job, batches, at, panels, rows, scale, dropout, key, row, room
):
    """The sum of the losses of some panels, which have `rows` samples.

    Outputs, and their gradient times `scale`, lie in the arena.

    Args:
        p, p0: parameters, and where the member's begin.
        at: the first panel, in `batches`.
        dropout, key, row: as in `forward`.
    """
    depth, features, targets = kind.depth, layers[0, INPUTS], room.unexplained.size
    last, x0 = layers[depth - 1], at * PANEL * features
    outputs_of_some(kind, layers, p, p0, batches.X, x0, room.arena, panels, dropout, key, row)
    return loss_of_panels(
        job.loss,
        job.numbers,
        room.arena,
        last[ACTIVE],
        room.arena,
        last[ERROR],
        last[OUTPUTS],
        batches.y,
        at * PANEL * targets,
        batches.weight,
        at * PANEL,
        scale,
        rows,
        room.sums,
    )


@kernel
def _part(nets, k, job, batches, n, panel, rows, first, last, room, gradient, flag):
    """The sum of the losses of the panels `first` to `last` of batch `n`.

    Their gradient replaces `gradient`. It ends early when the flag is set.
    """
    m = nets.members[k]
    kind, layers, features = nets.kinds[m.kind], nets.layers[m.kind], nets.layers[m.kind][0, INPUTS]
    key = step_key(m.seed, m.step) if kind.dropout > 0 else np.uint64(0)
    scale = 1.0 / max(batches.total[n], TINY)
    gradient[: kind.parameters] = np.float32(0)
    value = 0.0
    for start in range(first, last, kind.chunk):
        if stopped(flag):
            break
        some, at, row = min(kind.chunk, last - start), panel + start, start * PANEL
        samples, x0 = min(some * PANEL, rows - row), at * PANEL * features
        value += loss_of_some(
            kind,
            layers,
            nets.parameters,
            m.parameters,
            job,
            batches,
            at,
            some,
            samples,
            scale,
            kind.dropout,
            key,
            row,
            room,
        )
        if kind.curve:  # all of whose panels are taken at a time
            curve_gradient(
                nets.parameters,
                m.parameters,
                layers[0, OUTPUTS],
                batches.X,
                x0,
                room.arena,
                layers[1, ERROR],
                samples,
                gradient,
            )
        else:
            backpropagate(
                layers, kind.depth, kind.relu, nets.parameters, m.parameters, room.arena, some
            )
            add_gradients(
                layers,
                kind.depth,
                batches.X,
                x0,
                batches.samples,
                at * PANEL * pitch_of(features),
                room.arena,
                some,
                gradient,
                room.sums,
            )
    return value
