"""What does an embedding cost beside the products of a step?

A net of 16 features, 8 of which are embedded with 16 numbers each, beside a plain net whose first
layer is as large: 136 inputs. An embedding needs the error of that layer's inputs, which a plain
net does not: `at least` is the ratio of the products alone.

    python benchmarks/embedding.py

Eight members, one thread, batches of 256, in turns in one process; medians. The table lands in
`benchmarks/results/embedding.csv` and `.md`.
"""

import argparse
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from harness.results import FOLDER, digits, markdown, write
from slalom import MLP, SGD, AdamW, Dataset, Member, Periodic, Plan, Population, losses
from slalom.engine import Native
from slalom.optim import Optimizer

FEATURES, EMBEDDED, SIZE, ROWS, BATCH, MEMBERS = 16, 8, 16, 2048, 256, 8


def seconds(net: MLP, optimizer: Optimizer, steps: int) -> float:
    """Of a step of one member."""
    X = np.random.default_rng(0).normal(size=(ROWS, net.widths[0])).astype(np.float32)
    data = Dataset(X, np.sin(3 * X[:, 0]), task="regression")
    population = Population([Member(net, optimizer, BATCH, seed=k) for k in range(MEMBERS)])
    session = Native(1).prepare(Plan(population, losses.MSE(), steps=steps, record="epoch"), data)
    state = session.start()
    began = time.perf_counter()
    session.advance(state, steps)
    return (time.perf_counter() - began) / steps / MEMBERS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    turns, rows = 3 if arguments.quick else 15, []
    embedding = Periodic(columns=range(EMBEDDED), size=SIZE)
    inputs = embedding.outputs(FEATURES)
    for hidden in ((64, 64), (128, 128)):
        products = [i * o for i, o in pairwise((inputs, *hidden, 1))]
        least = 3 * sum(products) / (3 * sum(products) - products[0])
        for optimizer in (SGD(0.01), AdamW(1e-3)):
            nets = MLP(inputs, *hidden, 1), MLP(FEATURES, *hidden, 1, embedding=embedding)
            each = np.array([[seconds(net, optimizer, 300) for net in nets] for _ in range(turns)])
            plain, embedded = np.median(each, axis=0) * 1e6
            ratio, name = np.median(each[:, 1] / each[:, 0]), "-".join(map(str, hidden))
            rows.append((f"16-{name}-1, {optimizer.kind}", plain, embedded, ratio, least))
    table = pd.DataFrame(rows, columns=["job", "plain_us", "embedded_us", "ratio", "at_least"])
    header = ["one step of a member", "plain, us", "embedded, us", "ratio", "at least"]
    shown = [(job, *map(digits, numbers)) for job, *numbers in rows]
    write("embedding", table, markdown(header, shown), folder=arguments.out)


if __name__ == "__main__":
    main()
