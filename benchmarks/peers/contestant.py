"""What a contestant is, and how one that trains one member at a time uses two cores."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from peers.job import Job


class Contestant:
    """A training under way, in stretches of `steps` steps.

    Args:
        job: what to train.
        steps: of one stretch.
    """

    threads = 2  # of torch and of BLAS, set before its time is taken
    own_batches = False  # whether its losses cannot be compared with the others'
    factor = 1.0  # by which a measured time is multiplied

    def __init__(self, job: Job, steps: int) -> None:
        self.job, self.steps = job, steps

    def advance(self, stretches: int) -> NDArray[np.float32]:
        """Train on. Returns the losses of the last stretch `[steps, P]`.

        The first stretch sees the batches of a fresh training; later ones see the same again, so
        that no contestant but Slalom pays for drawing permutations.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what is kept elsewhere."""


Maker = Callable[[Job, int], Contestant]


class Pair:
    """Two processes that train at once, one thread each."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        ends = [context.Pipe() for _ in range(2)]
        self._processes = [
            context.Process(target=_serve, args=(theirs,), daemon=True) for _, theirs in ends
        ]
        self._pipes: list[Any] = [ours for ours, _ in ends]
        for process in self._processes:
            process.start()

    def both(self, *messages: Any) -> list[Any]:
        """Send each process its message, and wait for both answers."""
        for pipe, message in zip(self._pipes, messages, strict=True):
            pipe.send(message)
        answers = [pipe.recv() for pipe in self._pipes]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def run(self, maker: Maker) -> Maker:
        """The maker of a contestant that trains in both processes."""
        return lambda job, steps: InBoth(self, maker, job, steps)


class InBoth(Contestant):
    """The first and the last member of a population, each in a process of its own, at once.

    These members know nothing of each other, so all members take `P / 2` times as long.
    """

    def __init__(self, pair: Pair, maker: Maker, job: Job, steps: int) -> None:
        super().__init__(job, steps)
        self.pair, self.factor = pair, job.members / 2
        ends = (job.only(0), job.only(-1))
        made = pair.both(*[("make", id(self), maker, one, steps) for one in ends])
        self.steps, self.own_batches = made[0]

    def advance(self, stretches: int) -> NDArray[np.float32]:
        return np.hstack(self.pair.both(*[("advance", id(self), stretches)] * 2))

    def close(self) -> None:
        self.pair.both(*[("drop", id(self))] * 2)


def _serve(pipe: Connection) -> None:
    torch.set_num_threads(1)
    contestants: dict[int, Contestant] = {}
    with threadpool_limits(1):
        while True:
            try:
                pipe.send(_answer(contestants, *pipe.recv()))
            except EOFError:
                return
            except Exception as error:  # the other side raises it
                pipe.send(error)


def _answer(contestants: dict[int, Contestant], verb: str, key: int, *arguments: Any) -> Any:
    if verb == "make":
        maker, job, steps = arguments
        made = contestants[key] = maker(job, steps)
        return made.steps, made.own_batches
    if verb == "advance":
        return contestants[key].advance(*arguments)
    return contestants.pop(key, None) and None
