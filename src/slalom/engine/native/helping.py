"""Loss and gradient of a member on a batch, which threads without a bundle help to find.

A wide net on a large batch takes a step in several parts, each some samples of the batch. The
thread that trains the member offers them in its work-sharing counters; whoever has no bundle left
takes from those of the others. How many parts there are does not depend on the threads, and their
gradients are added up in their order, so that the result does not either.
"""

import numpy as np

from slalom.engine.native.compile import inlined, kernel
from slalom.engine.native.curve import curve_forward, curve_gradient
from slalom.engine.native.dropout import step_key
from slalom.engine.native.embedding import add_embedding_sums, embed, embedding_gradient
from slalom.engine.native.layout import (
    ACTIVE,
    ERROR,
    INPUTS,
    OUTPUTS,
    SUMS,
    WAVES,
    Batches,
    Workspace,
)
from slalom.engine.native.losses import loss_of_panels
from slalom.engine.native.network import add_gradients, backpropagate, forward
from slalom.engine.native.threads import add, give_way, load, stopped, store
from slalom.engine.native.tiles import PANEL, pitch_of

# What the counters of a thread say: parts that nobody has taken yet, parts that are done, and what
# they are parts of: a member, a batch, its first panel and its rows. Two cache lines a thread.
LEFT, DONE, WHO, BATCH, FIRST, ROWS = range(6)
COUNTERS = 16

TINY = float(np.finfo(np.float32).tiny)
START, ZERO = np.int64(0), np.float32(0)


@inlined
def workspace_of(workspaces, thread):
    """The workspace of one thread."""
    window, held = workspaces.window, workspaces.held
    return Workspace(
        workspaces.arena[thread],
        workspaces.gradient[thread],
        workspaces.parts[thread],
        workspaces.losses[thread],
        workspaces.sums[thread],
        workspaces.unexplained[thread],
        workspaces.order[thread],
        workspaces.words[thread],
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


@inlined
def loss_of_batch(thread, k, n, panel, rows):
    """The loss of member `k` on batch `n`; its gradient goes to the workspace.

    Args:
        panel, rows: where the batch begins in the window, and how many rows it has.

    Returns:
        Whether it was done before the flag was set, and the loss.
    """
    nets, common, workspace = thread.nets, thread.common, thread.workspace
    shared, me = thread.shared, thread.me
    geometry = nets.geometries[nets.members[k].geometry]
    if geometry.parts == 1:
        last = -(-rows // PANEL)
        value = _part(
            nets,
            k,
            common,
            workspace.window,
            n,
            panel,
            rows,
            START,
            last,
            workspace,
            workspace.gradient,
            shared.flag,
        )
    else:
        own = me * COUNTERS
        shared.counters[own + WHO], shared.counters[own + BATCH] = k, n
        shared.counters[own + FIRST], shared.counters[own + ROWS] = panel, rows
        store(shared.counters, own + DONE, 0)
        store(shared.counters, own + LEFT, geometry.parts)
        while take_part(nets, common, shared, me, me):
            pass
        while load(shared.counters, own + DONE) < geometry.parts:
            give_way()
        value = _add_up(geometry.parts, geometry.parameters, workspace)
    # Like torch's, a sum beyond float32 is infinite.
    total = np.float32(max(workspace.window.total[n], TINY))
    return not stopped(shared.flag), np.float64(np.float32(value) / total)


@kernel
def help_others(nets, common, shared, me):
    """Take parts that others offer until no thread has a bundle."""
    while load(shared.working, 0) > 0 and not stopped(shared.flag):
        found = False
        for thread in range(shared.counters.size // COUNTERS):
            found |= take_part(nets, common, shared, thread, me)
        if not found:
            give_way()


@kernel
def take_part(nets, common, shared, thread, me):
    """Whether a thread offered a part, which thread `me` now has done."""
    own = thread * COUNTERS
    if load(shared.counters, own + LEFT) <= 0:
        return False
    which = add(shared.counters, own + LEFT, -1) - 1
    if which < 0:  # others were faster
        return False
    k, n = shared.counters[own + WHO], shared.counters[own + BATCH]
    panel, rows = shared.counters[own + FIRST], shared.counters[own + ROWS]
    theirs, mine = workspace_of(shared.workspace, thread), workspace_of(shared.workspace, me)
    panels, parts = -(-rows // PANEL), nets.geometries[nets.members[k].geometry].parts
    first, last = panels * which // parts, panels * (which + 1) // parts
    size = theirs.gradient.size
    # The first part's gradient lies where the sum will be.
    gradient = theirs.gradient if which == 0 else theirs.parts[(which - 1) * size : which * size]
    theirs.losses[which] = _part(
        nets, k, common, theirs.window, n, panel, rows, first, last, mine, gradient, shared.flag
    )
    add(shared.counters, own + DONE, 1)
    return True


@kernel
def _add_up(parts, parameters, workspace):
    """Add the gradients of further parts to the first one's; give the sum of all losses."""
    size, value = workspace.gradient.size, workspace.losses[0]
    for which in range(1, parts):
        value += workspace.losses[which]
        gradient = workspace.parts[(which - 1) * size : which * size]
        for i in range(np.uintp(parameters)):
            workspace.gradient[i] += gradient[i]
    return value


@inlined
def outputs_of_some(nets, geometry, layers, p0, x, x0, arena, panels, dropout, key, row):
    """The outputs of some panels, to their place in the arena; arguments as in `forward`."""
    if geometry.curve:
        z0 = layers[1, ACTIVE]
        curve_forward(nets.parameters, p0, layers[0, OUTPUTS], x, x0, arena, z0, panels)
    else:
        if geometry.embedded > 0:
            embed(geometry, layers, nets.parameters, p0, nets.columns, x, x0, arena, panels)
            x, x0 = arena, layers[0, ACTIVE]
        forward(
            layers,
            geometry.first,
            geometry.depth,
            geometry.relu,
            geometry.activation,
            nets.parameters,
            p0,
            x,
            x0,
            arena,
            panels,
            dropout,
            key,
            row,
        )


@inlined
def loss_of_some(nets, k, common, batches, at, panels, rows, scale, dropout, key, row, workspace):
    """The sum of the losses of some panels, which have `rows` samples.

    Outputs, and their gradient times `scale`, lie in the arena.

    Args:
        k: the member.
        at: the first panel, in `batches`.
        dropout, key, row: as in `forward`.
    """
    m = nets.members[k]
    geometry, layers = nets.geometries[m.geometry], nets.layers[m.geometry]
    targets, last = workspace.unexplained.size, layers[geometry.depth - 1]
    x0 = at * PANEL * layers[0, INPUTS]
    outputs_of_some(
        nets,
        geometry,
        layers,
        m.parameters,
        batches.X,
        x0,
        workspace.arena,
        panels,
        dropout,
        key,
        row,
    )
    return loss_of_panels(
        common.loss,
        common.numbers,
        workspace.arena,
        last[ACTIVE],
        workspace.arena,
        last[ERROR],
        last[OUTPUTS],
        batches.y,
        at * PANEL * targets,
        batches.weight,
        at * PANEL,
        scale,
        rows,
        workspace.sums,
    )


@inlined
def gradient_of_some(nets, geometry, layers, p0, batches, at, panels, workspace, gradient):
    """Add the gradients of some panels, whose outputs and their errors lie in the arena."""
    arena, x, samples = workspace.arena, batches.X, batches.samples
    x0 = at * PANEL * layers[0, INPUTS]
    s0 = at * PANEL * pitch_of(layers[0, INPUTS])
    first = geometry.first
    backpropagate(layers, first, geometry.depth, geometry.relu, nets.parameters, p0, arena, panels)
    if geometry.embedded > 0:
        add_embedding_sums(geometry, layers, nets.columns, x, x0, arena, panels)
        x, x0 = arena, layers[0, ACTIVE]
    add_gradients(
        layers,
        first,
        geometry.depth,
        x,
        x0,
        samples,
        s0,
        arena,
        panels,
        gradient,
        workspace.sums,
    )


@kernel
def _part(nets, k, common, batches, n, panel, rows, first, last, workspace, gradient, flag):
    """The sum of the losses of the panels `first` to `last` of batch `n`.

    Their gradient replaces `gradient`. It ends early when the flag is set.
    """
    m = nets.members[k]
    geometry, layers = nets.geometries[m.geometry], nets.layers[m.geometry]
    key = step_key(m.seed, m.step) if geometry.dropout > 0 else np.uint64(0)
    scale = 1.0 / max(batches.total[n], TINY)
    gradient[: geometry.parameters] = ZERO
    if geometry.embedded > 0:
        workspace.arena[layers[0, SUMS] : layers[0, WAVES]] = ZERO
    value = 0.0
    for start in range(first, last, geometry.chunk):
        if stopped(flag):
            break
        some, at, row = min(geometry.chunk, last - start), panel + start, start * PANEL
        samples = min(some * PANEL, rows - row)
        value += loss_of_some(
            nets,
            k,
            common,
            batches,
            at,
            some,
            samples,
            scale,
            geometry.dropout,
            key,
            row,
            workspace,
        )
        if geometry.curve:  # all of whose panels are taken at a time
            curve_gradient(
                nets.parameters,
                m.parameters,
                layers[0, OUTPUTS],
                batches.X,
                at * PANEL * layers[0, INPUTS],
                workspace.arena,
                layers[1, ERROR],
                samples,
                gradient,
            )
        else:
            gradient_of_some(
                nets, geometry, layers, m.parameters, batches, at, some, workspace, gradient
            )
    if geometry.embedded > 0:
        arena = workspace.arena
        embedding_gradient(geometry, layers, nets.parameters, m.parameters, arena, gradient)
    return value
