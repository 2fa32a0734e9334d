"""Every optimizer x activation x loss x depth x batch x {folds, weights, clipping, dropout, rates}.

All of it again with embeddings. Steps are compared with float64, trajectories with the reference
engine, and formulas are broken on purpose, which has to show in the members that use them and in no
others.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

import slalom
from slalom.engine import Native, Reference
from tests.engine.conformance import OPTIMIZERS
from tests.engine.native.combinations import (
    BATCHES,
    CURVE,
    DATA,
    EXTRAS,
    HIDDEN,
    LOSSES,
    WAVES,
    Combination,
    covering,
    every,
    is_curve,
    plan_and_data,
    wrong_steps,
    wrong_trajectories,
)

pytestmark = pytest.mark.slow

CASES = list(product(LOSSES, DATA))
OF_ONE_OUTPUT = ("mse", "l1", "huber", "bce", "bce, pos_weight")


def test_the_covering_choice_holds_every_pair_of_parts() -> None:
    chosen = [c for turn in range(len(CASES)) for c in covering(turn)]
    parts = {
        "optimizer": set(range(len(OPTIMIZERS))),
        "activation": set(slalom.nets.ACTIVATIONS),
        "depth": set(HIDDEN),
        "batch_size": set(BATCHES),
        "extra": set(EXTRAS),
    }
    for one, other in product(parts, parts):
        if one < other:
            pairs = {(getattr(c, one), getattr(c, other)) for c in chosen}
            assert pairs == set(product(parts[one], parts[other]))


@pytest.mark.parametrize("turn", range(0, len(CASES), 2), ids=lambda t: "-".join(CASES[t]))
def test_the_first_steps_are_those_of_float64(turn: int) -> None:
    assert wrong_steps(Native(1), covering(turn), *CASES[turn]) == {}


@pytest.mark.parametrize("turn", [0, 13])
def test_fifty_steps_are_those_of_the_reference_engine(turn: int) -> None:
    found = wrong_trajectories(Native(), Reference(), covering(turn), *CASES[turn])
    assert found == {}


@pytest.mark.parametrize("turn", range(2, len(CASES), 3), ids=lambda t: "-".join(CASES[t]))
def test_the_first_steps_with_embeddings_are_those_of_float64(turn: int) -> None:
    loss, variant = CASES[turn]
    assert wrong_steps(Native(1), covering(turn), loss, f"{variant} {WAVES}") == {}


@pytest.mark.parametrize("turn", [4])
def test_fifty_steps_with_embeddings_are_those_of_the_reference_engine(turn: int) -> None:
    loss, variant = CASES[turn]
    found = wrong_trajectories(Native(), Reference(), covering(turn), loss, f"{variant} {WAVES}")
    assert found == {}


CURVES = [c for c in every() if is_curve(c)]
OF_CURVES = list(product(OF_ONE_OUTPUT, [f"{variant} {CURVE}" for variant in DATA]))


@pytest.mark.parametrize(("loss", "variant"), OF_CURVES)
def test_the_first_steps_of_curves_are_those_of_float64(loss: str, variant: str) -> None:
    plan, data = plan_and_data(CURVES, loss, variant, steps=1)
    engine = Native(1)
    session = engine.prepare(plan, data)
    assert session.stretch(session.start(), 0, 1).nets.geometries["curve"].all()
    assert wrong_steps(engine, CURVES, loss, variant) == {}


@pytest.mark.parametrize(
    ("loss", "variant"),
    [OF_CURVES[0], *(pytest.param(*case, marks=pytest.mark.soak) for case in OF_CURVES[1:])],
)
def test_fifty_steps_of_curves_are_those_of_the_reference_engine(loss: str, variant: str) -> None:
    engines = Native(), Reference()
    assert wrong_trajectories(*engines, CURVES, loss, variant) == {}


VARIANTS = (*DATA, f"weights {WAVES}")
# Each loss with one of them in the suite, with the others in `make soak`.
EVERY = [
    pytest.param(loss, variant, marks=[pytest.mark.soak] * (k % len(VARIANTS) != number))
    for k, loss in enumerate(LOSSES)
    for number, variant in enumerate(VARIANTS)
]


@pytest.mark.parametrize(("loss", "variant"), EVERY)
def test_the_first_steps_of_every_combination_are_those_of_float64(loss: str, variant: str) -> None:
    assert wrong_steps(Native(), every(), loss, variant) == {}


@pytest.mark.soak
@pytest.mark.parametrize("loss", LOSSES)
def test_fifty_steps_with_every_loss_are_those_of_the_reference_engine(loss: str) -> None:
    for turn, case in enumerate(CASES):
        if case[0] == loss:
            engines = Native(), Reference()
            assert wrong_trajectories(*engines, covering(turn), *case) == {}


def name(c: Combination) -> str:
    return OPTIMIZERS[c.optimizer][0]


# By file of the engine: what stands there, what is put there instead, and who then trains wrongly,
# by the losses and data that are tried. Errors are small where a large one would be no feat.
WRONG: list[tuple[str, str, str, Callable[[str, str, Combination], bool]]] = [
    (
        "activations.py",
        "return t, ONE - t * t\n",
        "return t, ONE - np.float32(0.999) * t * t\n",
        lambda loss, variant, c: c.activation == "tanh",
    ),
    (
        "activations.py",
        "LEAK = np.float32(0.01)",
        "LEAK = np.float32(0.0101)",
        lambda loss, variant, c: c.activation == "leaky_relu",
    ),
    (
        "../../optim/adagrad.py",
        "np.float32(-lr / (1.0 + (step - 1) * lr_decay))",
        "np.float32(-lr / (1.0 + step * lr_decay))",
        lambda loss, variant, c: name(c) == "Adagrad" and "lr_decay" in OPTIMIZERS[c.optimizer][1],
    ),
    (
        "../../optim/adamw.py",
        "1.0 - lr * h[3]",
        "1.0 - 1.1 * lr * h[3]",
        lambda loss, variant, c: name(c) == "AdamW",
    ),
    (
        "losses.py",
        "slope = delta if z > y else -delta\n",
        "slope = delta if z > y else -np.float32(1.001) * delta\n",
        lambda loss, variant, c: loss == "huber",
    ),
    (
        "dropout.py",
        "* units + u + 1)",
        "* units + u)",
        lambda loss, variant, c: c.extra == "dropout",
    ),
    (
        "training.py",
        "np.sqrt(squares) + 1e-6",
        "np.sqrt(squares) + 1e-4",
        lambda loss, variant, c: c.extra == "clipping",
    ),
    (
        "network.py",
        "x, x0 = arena, layers[n, ACTIVE]",
        "x, x0 = arena, layers[n, ACTIVE if outputs != 6 else ERROR]",
        lambda loss, variant, c: c.depth == 3,
    ),
    (
        "curve.py",
        "vectors, bias, h = -(-samples // LANES)",
        "vectors, bias, h = samples // LANES",
        lambda loss, variant, c: variant.endswith(CURVE) and is_curve(c),
    ),
    (
        "embedding.py",
        "TURN = np.float32(2 * np.pi)",
        "TURN = np.float32(6.28)",
        lambda loss, variant, c: variant.endswith(WAVES),
    ),
]
TRIED = (
    ("mse", "rows"),
    ("huber", "rows"),
    ("mse", f"rows {CURVE}"),
    ("mse", f"rows {WAVES}"),
)
CHECK = f"""
import json
from slalom.engine import Native
from tests.engine.native.combinations import every, wrong_steps
found = [list(wrong_steps(Native(), every(), *case)) for case in {TRIED}]
print(json.dumps(found))
"""


@pytest.mark.soak  # three to six minutes: the suite is asked to find what it looks for
def test_a_wrong_formula_shows_in_the_members_that_use_it_and_in_no_others(
    root: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "src" / "slalom"
    shutil.copytree(root / "src" / "slalom", broken, ignore=shutil.ignore_patterns("__pycache__"))
    for file, right, wrong, _ in WRONG:
        path = broken / "engine" / "native" / file
        source = path.read_text()
        assert source.count(right) == 1, f"{file} says it in other words now: {right}"
        path.write_text(source.replace(right, wrong))
    environment = {
        "PYTHONPATH": f"{broken.parent}{os.pathsep}{root}",
        "SLALOM_CACHE_DIR": str(tmp_path / "cache"),
    }
    run = subprocess.run(
        [sys.executable, "-c", CHECK],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(run.stdout)
    for case, those in zip(TRIED, found, strict=True):
        wrong_ones = {every()[k] for k in those}
        hit = [{c for c in every() if users(*case, c)} for *_, users in WRONG]
        assert wrong_ones <= set().union(*hit)
        for who, (file, right, _, _) in zip(hit, WRONG, strict=True):
            alone = {c for c in who if sum(c in others for others in hit) == 1}
            if alone:
                share = len(alone & wrong_ones) / len(alone)
                assert share > 0.95, f"{case}: {file}: {right}: only {share:.0%} are found"
