"""Runs on the disk for tests, and processes that train them and are killed."""

import multiprocessing
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

import slalom
from slalom import MLP, SGD, Adam, Dataset, Plan, Population, losses
from slalom.engine import Batched, Native, Reference
from slalom.runs import Run, Store
from slalom.runs.train import carry_out
from slalom.training import Training
from slalom.training import training as training_module

ENGINES = {"native": Native, "batched": Batched, "reference": Reference}
# A process that has everything imported and no threads; each child of its begins at once.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.runs.warm", "tests.runs.stored"])


def long_plan(engine: str) -> tuple[Plan, Dataset]:
    """Members that differ in what a state holds, for about a second."""
    data = slalom.toys.moons(90, noise=0.2, seed=1).split(validation=0.3)
    seeds = {"native": 100, "batched": 4, "reference": 1}[engine]
    members = [
        slalom.Member(MLP(2, width, 2, dropout=drop), optimizer, batch_size=batch, seed=seed)
        for seed in range(seeds)
        for width, drop, optimizer, batch in (
            (8, 0.0, SGD(0.05, momentum=0.9), 16),
            (6, 0.3, Adam(0.003), 20),
            (5, 0.0, SGD(1e9), 16),  # diverges
        )
    ]
    epochs = 300 if engine == "native" else 25
    plan = Plan(Population(members), losses.CrossEntropy(), epochs=epochs, record="epoch", frames=5)
    return plan, data


def undisturbed(engine: str) -> Run:
    """The run of the plan that nobody stopped."""
    plan, data = long_plan(engine)
    training = Training(plan, data, ENGINES[engine]())
    training.advance()
    return Run.of(training.snapshot(), training.engine)


def train_in(store: Path, name: str, engine: str) -> None:
    """What a process does that may be killed: begin the run, or go on with it."""
    training_module.STRETCH_SECONDS = 0.05  # so that there are many checkpoints in a second
    runs = Store(store)
    if not (store / name / "run.json").exists():
        runs.new(*long_plan(engine), name, {"engine": engine})
    folder = runs.find(name)
    carry_out(
        folder.plan(),
        folder.dataset(),
        folder=folder,
        engine=ENGINES[engine](),
        checkpoint_every=0.05,
        progress=False,
    )


def kill_once(
    store: Path, name: str, engine: str, draw: random.Random, number: int = signal.SIGKILL
) -> int:
    """Train in a process that gets a signal at a random moment; what it exited with."""
    process = PROCESSES.Process(target=train_in, args=(store, name, engine))
    process.start()
    if draw.random() < 0.8:  # while it trains, and not while it is still importing
        known = _checkpoints(store / name)
        while process.is_alive() and _checkpoints(store / name) == known:
            time.sleep(0.005)
    time.sleep(draw.uniform(0.0, 0.4))
    if process.pid is not None:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode is not None, "it does not end"
    return process.exitcode


def _checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoint-*"))


def assert_same(one: Run, other: Run) -> None:
    """The same weights, optimizer slots, selection, history and frames, to the bit."""
    truth: dict[str, Any] = other.state.arrays()
    for name, values in one.state.arrays().items():
        np.testing.assert_array_equal(values, truth[name], err_msg=name)
    a, b = one.history, other.history
    assert a.equals(b)
    assert one.leaderboard().equals(other.leaderboard())
