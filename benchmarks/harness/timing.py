"""Times of contestants, taken in turns: A B C, A B C, ...

A contestant's first stretch, which compiles, counts apart. The next two say how many stretches fill
the time of one measurement, and who is too slow to be measured further. Then all take turns.
"""

import gc
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.machine import available_memory
from peers import Contestant, Job, Maker
from peers.slalom_engine import reference_losses

SLOW = 5.0  # times as slow as the best of the peers is not worth measuring further
PAUSE = 0.01  # seconds in which the threads of the one before fall asleep
EARLY = 50  # steps in which rounding has not yet been blown up by kinks and divisions
SHORT = 8  # steps of a stretch of who calls Python for every step: its calls cost nothing beside
GAIN = 10.0  # at most so many times as fast torch.compile made anything here
LONG = 1.0  # seconds of a stretch from which on three turns are enough
MEASURED, TOO_SLOW, TOO_LARGE = "measured", f"skipped: > {SLOW:g}x best", "skipped: memory"


@dataclass
class Result:
    """What was measured of one contestant.

    Args:
        name: of the contestant.
        status: "measured", or why it was not.
        first: seconds from nothing to the end of the first stretch, with all compilation.
        times: seconds of one step of the whole population, one a turn.
        losses: of the first and the last member after the first stretch.
        difference: the largest relative difference of a loss from the reference's, in the first
            `EARLY` steps; NaN where weights and batches are the contestant's own.
        last_difference: the same of the loss after the first stretch alone.
    """

    name: str
    status: str = MEASURED
    first: float = float("nan")
    times: list[float] = field(default_factory=list)
    losses: tuple[float, float] = (float("nan"), float("nan"))
    difference: float = float("nan")
    last_difference: float = float("nan")

    def row(self) -> dict[str, Any]:
        """As a row of a table: median and spread in microseconds."""
        times = np.array(self.times or [np.nan]) * 1e6
        return {
            "contestant": self.name,
            "status": self.status,
            "step_us": np.median(times),
            "lowest_us": times.min(),
            "highest_us": times.max(),
            "turns": len(self.times),
            "first_s": self.first,
            "loss_first": self.losses[0],
            "loss_last": self.losses[1],
            "difference": self.difference,
            "last_difference": self.last_difference,
        }


def measure(
    job: Job,
    makers: Mapping[str, Maker],
    steps: int,
    *,
    seconds: float = 0.1,
    turns: int = 5,
    slow: float = SLOW,
    ours: str = "slalom",
) -> list[Result]:
    """Measure every contestant on a job.

    Args:
        job: the work.
        makers: what starts each contestant.
        steps: of one stretch; the losses after the first one are compared.
        seconds: how long one measurement should take at least.
        turns: measurements of each contestant; 3 where a stretch is long.
        slow: peers that take so many times as long as the best of them are skipped.
        ours: the contestant that is always measured.
    """
    truth = reference_losses(job, steps)
    results, running = {}, {}
    for name, make in makers.items():
        result = results[name] = Result(name)
        peers = [results[n].times[0] for n in running if n != ours]
        eager = results[name.removesuffix(" compiled")].times if "compiled" in name else []
        if needed(name, job) > available_memory():
            result.status = TOO_LARGE
        elif eager and eager[0] > slow * GAIN * min(peers):
            result.status = TOO_SLOW  # also when compiled
        else:
            own = steps if name.startswith((ours, "jax")) else min(steps, SHORT)
            contestant = _first_stretch(result, make, job, own, truth)
            result.times.append(_estimate(contestant))
            running[name] = contestant
    best = min((results[n].times[0] for n in running if n != ours), default=np.inf)
    for name in [n for n in running if n != ours and results[n].times[0] > slow * best]:
        results[name].status = TOO_SLOW
        running.pop(name).close()
    _take_turns(results, running, seconds, turns)
    for contestant in running.values():
        contestant.close()
    return list(results.values())


def clock(contestant: Contestant, stretches: int) -> float:
    """Seconds of one step of the whole population."""
    torch.set_num_threads(contestant.threads)
    time.sleep(PAUSE)
    gc.collect()
    began = time.perf_counter()
    contestant.advance(stretches)
    spent = time.perf_counter() - began
    return spent / (stretches * contestant.steps) * contestant.factor


def _estimate(contestant: Contestant) -> float:
    """A quick look: the better of two stretches, or one that is long."""
    one = clock(contestant, 1)
    if one * contestant.steps / contestant.factor > LONG / 2:
        return one
    return min(one, clock(contestant, 1))


def needed(name: str, job: Job) -> float:
    """Bytes that a contestant may need at its peak; training one by one needs next to none."""
    if not any(word in name for word in ("bmm", "vmap")):
        return 0.0
    activations = job.members * job.batch_rows * max(job.widths)
    return 4.0 * (9 * activations + 8 * job.members * job.parameters)


def _first_stretch(
    result: Result, make: Maker, job: Job, steps: int, truth: NDArray[Any]
) -> Contestant:
    began = time.perf_counter()
    contestant = make(job, steps)
    torch.set_num_threads(contestant.threads)
    losses = contestant.advance(1)
    result.first = time.perf_counter() - began
    ends = losses[-1, [0, -1]].astype(float)
    result.losses = (float(ends[0]), float(ends[1]))
    if not contestant.own_batches:
        common = min(len(losses), len(truth))  # one in whole epochs may have stopped elsewhere
        differences = np.abs(losses[:common, [0, -1]] / truth[:common] - 1)
        result.difference = float(differences[:EARLY].max())
        result.last_difference = float(differences[-1].max())
    return contestant


def _take_turns(
    results: Mapping[str, Result], running: Mapping[str, Contestant], seconds: float, turns: int
) -> None:
    stretches, long = {}, False
    for name, contestant in running.items():
        one = results[name].times.pop() * contestant.steps / contestant.factor
        stretches[name] = max(1, round(seconds / one))
        long |= one > LONG
    for _ in range(min(turns, 3) if long else turns):
        for name, contestant in running.items():
            results[name].times.append(clock(contestant, stretches[name]))
