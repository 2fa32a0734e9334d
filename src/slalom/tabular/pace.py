"""How long a training may be so that it ends in time."""

import time
from dataclasses import replace

import numpy as np

from slalom.data.batches import steps_per_epoch
from slalom.data.dataset import Dataset
from slalom.engine import Engine
from slalom.plan import Plan
from slalom.population import Population
from slalom.tabular.candidate import candidates
from slalom.tabular.default import shortened

SAFETY = 0.8  # share of a time limit that is planned for; measuring and validating take the rest
MEASURED_SECONDS = 0.1  # of training, to judge how long more of it takes
FEWEST_EPOCHS = 4  # rather than train all members for fewer, train fewer members


def within(plan: Plan, data: Dataset, engine: Engine, seconds: float, trained: float = 1.0) -> Plan:
    """The plan with as many epochs as fit into the time, judged by a few first steps.

    Of the population's trainings only the share `trained` will be carried out.

    A schedule that ends where the training does learns far more than one that is cut off, and a few
    members that learn are worth more than many that do not.
    """
    assert plan.epochs is not None  # the estimators count epochs
    epochs = plan.epochs * SAFETY * seconds / duration(plan, data, engine, trained)
    if epochs >= plan.epochs:
        return plan
    population = plan.population
    if epochs < FEWEST_EPOCHS:
        every = candidates(population)
        kept = max(1, int(len(every) * epochs / FEWEST_EPOCHS))
        chosen = np.linspace(0, len(every), kept, endpoint=False).astype(int)
        population = Population(tuple(population[k] for c in chosen for k in every[c].members))
        epochs *= len(every) / kept
    length = min(plan.epochs, max(1, int(epochs)))
    share = length / plan.epochs
    members = (replace(m, schedule=shortened(m.schedule, share)) for m in population)
    return replace(plan, epochs=length, population=Population(tuple(members)))


def duration(plan: Plan, data: Dataset, engine: Engine, trained: float = 1.0) -> float:
    """Seconds that a training takes of which the share `trained` is carried out, measured."""
    assert plan.epochs is not None
    rows = [(len(data.folds[m.fold].train), m.batch_size) for m in plan.population]
    steps = plan.epochs * max(steps_per_epoch(*each) for each in rows)
    return trained * steps * _seconds_per_step(plan, data, engine)


def _seconds_per_step(plan: Plan, data: Dataset, engine: Engine) -> float:
    """Seconds that a step of all members takes, from some steps of one member of each kind."""
    kinds = {(m.net, m.optimizer, m.batch_size): m for m in plan.population}
    sample = replace(plan, population=Population(tuple(kinds.values())))
    session = engine.prepare(sample, data)
    state = session.start()
    steps, seconds = 1, 0.0
    while seconds < MEASURED_SECONDS and state.training.any():
        began = time.perf_counter()
        session.advance(state, steps)
        pace, steps = (time.perf_counter() - began) / steps, 2 * steps
        seconds += pace * steps / 2
    return pace * len(plan.population) / len(kinds)
