"""Ejected scripts: plain PyTorch, which knows nothing of Slalom, trains the same member again."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import slalom
from slalom import MLP, SGD, Adadelta, Adagrad, Adam, AdamW, Muon, Net, Periodic, RMSprop, Warmup
from slalom.core.errors import BadPlan
from slalom.losses import L1, MSE, BCEWithLogits, CrossEntropy, GaussianNLL, Huber
from slalom.nets import ACTIVATIONS
from slalom.optim import CosineAnnealingLR, ExponentialLR, OneCycleLR, StepLR
from slalom.runs import Run
from slalom.runs.eject import eject

WEIGHT = np.random.default_rng(0).uniform(0.5, 2, 90)
MOONS = slalom.toys.moons(90, noise=0.2, seed=1).split(validation=0.3)
CURVE = slalom.toys.quadratic(90, noise=0.1, seed=2).split(validation=0.2, seed=3)
WEIGHTED = slalom.Dataset(MOONS.X, MOONS.y, "classification", MOONS.folds, weight=WEIGHT)
WEIGHTED_CURVE = slalom.Dataset(CURVE.X, CURVE.y, "regression", CURVE.folds, weight=WEIGHT)
PLAIN = slalom.toys.quadratic(60, noise=0.1, seed=2)

# One argument of a training by itself, all else equal: data, net, and the rest.
CASES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "SGD": (MOONS, MLP(2, 8, 2), {"optimizer": SGD(0.1)}),
    "nesterov": (
        MOONS,
        MLP(2, 8, 2),
        {"optimizer": SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01)},
    ),
    "Adagrad": (MOONS, MLP(2, 8, 2), {"optimizer": Adagrad(0.05, lr_decay=0.01)}),
    "RMSprop": (MOONS, MLP(2, 8, 2), {"optimizer": RMSprop(0.01, centered=True, momentum=0.5)}),
    "Adam": (MOONS, MLP(2, 8, 2), {"optimizer": Adam(0.01, amsgrad=True)}),
    "AdamW": (MOONS, MLP(2, 8, 2), {"optimizer": AdamW(0.01, betas=(0.8, 0.97))}),
    "Adadelta": (MOONS, MLP(2, 8, 2), {"optimizer": Adadelta(1.0)}),
    "Muon": (MOONS, MLP(2, 8, 2), {"optimizer": Muon(0.01)}),
    **{
        f"activation {name}": (MOONS, MLP(2, 6, 5, 2, activation=name), {"optimizer": SGD(0.05)})
        for name in ACTIVATIONS
    },
    "mse": (CURVE, MLP(1, 8, 1), {"loss": MSE()}),
    "l1": (CURVE, MLP(1, 8, 1), {"loss": L1()}),
    "huber": (CURVE, MLP(1, 8, 1), {"loss": Huber(delta=0.1)}),
    "gaussian": (CURVE, MLP(1, 8, 2), {"loss": GaussianNLL()}),
    "weighted gaussian": (WEIGHTED_CURVE, MLP(1, 8, 2), {"loss": GaussianNLL()}),
    "weighted mse": (WEIGHTED_CURVE, MLP(1, 8, 1), {}),
    "bce": (MOONS, MLP(2, 8, 1), {"loss": BCEWithLogits(pos_weight=2.0)}),
    "weighted bce": (WEIGHTED, MLP(2, 8, 1), {"loss": BCEWithLogits()}),
    "smoothed": (MOONS, MLP(2, 8, 2), {"loss": CrossEntropy(label_smoothing=0.1)}),
    "class weights": (MOONS, MLP(2, 8, 2), {"loss": CrossEntropy(weight=(1.0, 3.0))}),
    "both weights": (WEIGHTED, MLP(2, 8, 2), {"loss": CrossEntropy(weight=(1.0, 3.0))}),
    "dropout": (MOONS, MLP(2, 16, 8, 2, dropout=0.3), {}),
    "embedding": (MOONS, MLP(2, 8, 2, embedding=Periodic(columns=(1,), size=5, scale=0.5)), {}),
    "clipping": (MOONS, MLP(2, 8, 2), {"clip_norm": 0.05}),
    "StepLR": (MOONS, MLP(2, 8, 2), {"schedule": StepLR(step_size=7, gamma=0.5)}),
    "ExponentialLR": (MOONS, MLP(2, 8, 2), {"schedule": ExponentialLR(gamma=0.97)}),
    "cosine": (MOONS, MLP(2, 8, 2), {"schedule": CosineAnnealingLR()}),
    "one cycle": (MOONS, MLP(2, 8, 2), {"schedule": OneCycleLR(pct_start=0.4)}),
    "warmup": (MOONS, MLP(2, 8, 2), {"schedule": Warmup(8, then=CosineAnnealingLR())}),
    "warmup alone": (MOONS, MLP(2, 8, 2), {"schedule": Warmup(8)}),
    "whole batches": (PLAIN, MLP(1, 8, 1), {"batch_size": None}),
    "without validation": (PLAIN, MLP(1, 8, 1), {"batch_size": 25}),
    "patience": (MOONS, MLP(2, 8, 2), {"optimizer": SGD(1e-6, momentum=0.9), "patience": 2}),
    "a module of torch": (MOONS, Net(torch.nn.Linear, in_features=2, out_features=2), {}),
}


def trained(case: str) -> Run:
    data, net, arguments = CASES[case]
    settings = {"batch_size": 16, "epochs": 10, "record": "step", "seed": 5, "progress": False}
    return slalom.train(net, data, **(settings | {"optimizer": Adam(0.01)} | arguments))


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """What the script of each case prints, in one process where there is no Slalom."""
    folder = tmp_path_factory.mktemp("ejected")
    for number, case in enumerate(CASES):
        eject(trained(case), folder / f"case{number}.py")
    program = (
        "import contextlib, pathlib, runpy, sys\n"
        "sys.modules['slalom'] = None\n"
        "for path in sorted(pathlib.Path('.').glob('case*.py')):\n"
        "    with open(path.with_suffix('.csv'), 'w') as file, contextlib.redirect_stdout(file):\n"
        "        runpy.run_path(str(path), run_name='__main__')\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=folder, check=True)
    return {case: pd.read_csv(folder / f"case{n}.csv") for n, case in enumerate(CASES)}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_script_has_the_losses_of_the_member(case: str, printed: dict[str, pd.DataFrame]) -> None:
    history, said = trained(case).history, printed[case]
    losses = said.dropna(subset=["loss"])
    assert losses["step"].tolist() == history["step"].tolist()
    np.testing.assert_allclose(losses["loss"], history["train_loss"], rtol=1e-5)
    if "validation_loss" in said:
        seen = history["validation_loss"].dropna()
        told = said["validation_loss"].dropna()
        np.testing.assert_allclose(told, seen, rtol=1e-5)


def test_a_script_does_not_name_slalom_and_says_what_it_is(tmp_path: Path) -> None:
    script = eject(trained("dropout"), tmp_path / "net.py", member=0)
    text = script.read_text()
    assert "slalom" not in text.lower()
    assert text.startswith('"""Member 0: 2-16-8-2 relu dropout 0.3 Adam(lr=0.01) batch 16.')
    assert max(map(len, text.splitlines())) <= 100
    with np.load(tmp_path / "net.npz", allow_pickle=False) as rows:
        np.testing.assert_array_equal(rows["X"], MOONS.X[MOONS.folds[0].train])


@pytest.mark.slow
def test_a_name_with_quotation_marks_is_text_and_no_code(tmp_path: Path) -> None:
    run = slalom.train(MLP(1, 4, 1), PLAIN, steps=2, progress=False)
    script = eject(run, tmp_path / 'net"""; raise SystemExit(7) #.py')
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("step,loss")


def test_the_best_member_is_ejected_unless_another_one_is_named(tmp_path: Path) -> None:
    run = slalom.train(slalom.grid(net=MLP(1, 4, 1), lr=[1e-6, 0.01]), CURVE, epochs=5)
    assert "lr=0.01" in eject(run, tmp_path / "best.py").read_text()
    assert "lr=1e-06" in eject(run, tmp_path / "other.py", member=0).read_text()


def test_what_cannot_be_ejected_is_said(tmp_path: Path) -> None:
    run = slalom.train(MLP(1, 4, 1), PLAIN, steps=2)
    with pytest.raises(BadPlan, match="There is no member 7"):
        eject(run, tmp_path / "net.py", member=7)
    with pytest.raises(BadPlan, match=r"must end in \.py"):
        eject(run, tmp_path / "net.txt")
    own = slalom.train(MLP(1, 4, 1, activation=torch.sin), PLAIN, steps=2)
    with pytest.raises(BadPlan, match="is a function of your own"):
        eject(own, tmp_path / "net.py")
