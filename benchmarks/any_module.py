"""How fast do populations train whose nets are not fully connected?

    python benchmarks/any_module.py

Convolutional, recurrent, with batch norm, and with attention: 8, 32 and 256 members that tell
scikit-learn's digits apart, by Adam in batches of 32. Slalom's batched engine beside a plain loop
on one core, torch.func as one writes it by hand, and JAX; the last two have their batches ready.
"""

import argparse
import gc
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from harness.results import FOLDER, digits, markdown, write
from peers.jax_modules import Scanned
from peers.modules import WORKS, ByHand, Loop, Together, Work

MEMBERS, STEPS, TURNS = (8, 32, 256), 20, 5
CONTESTANTS: dict[str, Any] = {"slalom": Together, "loop": Loop, "vmap": ByHand, "jax": Scanned}


def measured(work: Work, turns: int) -> dict[str, Any]:
    """Microseconds of a step of one member, medians of turns taken one after another."""
    row: dict[str, Any] = {"net": work.name, "members": work.members}
    running, losses, times = {}, {}, {name: [] for name in CONTESTANTS}
    for name, contestant in CONTESTANTS.items():
        torch.set_num_threads(contestant.threads)
        began = time.perf_counter()
        running[name] = contestant(work, STEPS)
        losses[name] = running[name].advance()
        row[f"{name}_first_s"] = time.perf_counter() - began
    for _ in range(turns):
        for name, contestant in running.items():
            torch.set_num_threads(contestant.threads)
            gc.collect()
            began = time.perf_counter()
            contestant.advance()
            times[name].append((time.perf_counter() - began) / STEPS / work.members * 1e6)
    for name, own in times.items():
        row[name] = np.median(own)
        row[f"{name}_differs"] = np.abs(losses[name] / losses["loop"] - 1).max()
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="8 members, two turns")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    members, turns = ((8,), 2) if arguments.quick else (MEMBERS, TURNS)
    rows = []
    for (name, net), count in product(WORKS.items(), members):
        rows.append(measured(Work(name, net, count), turns))
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    for peer in ("loop", "vmap", "jax"):
        table[f"times_{peer}"] = table[peer] / table["slalom"]
    names = list(CONTESTANTS)
    shown = markdown(
        ["net, members", *(f"{name} (us)" for name in names), "x loop", "x vmap", "x jax"],
        [
            [
                f"{r['net']}, {r['members']}",
                *(digits(r[name]) for name in names),
                *(digits(r[f"times_{peer}"]) for peer in ("loop", "vmap", "jax")),
            ]
            for _, r in table.iterrows()
        ],
    )
    middle = table[table["members"] == members[-2 if len(members) > 1 else 0]]
    mean = float(np.exp(np.log(middle["times_loop"]).mean()))
    differs = max(table[f"{name}_differs"].max() for name in ("slalom", "vmap", "jax"))
    write(
        "any_module",
        table,
        shown,
        f"A step of one member, in microseconds; {digits(mean)} times the loop in the geometric "
        f"mean at {middle['members'].iloc[0]} members. Losses of the first {STEPS} steps differ "
        f"from the loop's by at most {differs:.1e}, relatively.",
        folder=arguments.out,
    )


if __name__ == "__main__":
    main()
