"""Each error that we explain is one that this torch raises, in these words."""

import io
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError

import pytest
import torch
from torch.nn.functional import cross_entropy

from slalom.lessons.exercise import check
from slalom.lessons.pitfalls import _PITFALLS, pitfall
from tests.lessons.test_exercises import THREE
from tests.lessons.test_lessons import HAN


def leaf() -> torch.Tensor:
    return torch.tensor(0.0, requires_grad=True)


def change_without_no_grad() -> None:
    w = leaf()
    w -= 0.1


def backward_twice() -> None:
    loss = leaf() ** 2
    loss.backward()
    loss.backward()


def load_an_entire_net() -> None:
    file = io.BytesIO()
    torch.save(torch.nn.Linear(1, 1), file)
    file.seek(0)
    torch.load(file)


MISTAKES: dict[str, Callable[[], object]] = {
    "'NoneType'": lambda: 0.1 * leaf().grad,  # type: ignore[operator]
    "does not require grad and does not have a grad_fn": lambda: torch.zeros(1).backward(),
    "a leaf Variable that requires grad": change_without_no_grad,
    "backward through the graph a second time": backward_twice,
    "grad can be implicitly created only for scalar": lambda: leaf().expand(2).backward(),
    "Tensor that requires grad. Use tensor.detach()": lambda: leaf().numpy(),
    "shapes cannot be multiplied": lambda: torch.nn.Linear(2, 3)(torch.zeros(4, 1)),
    "the same dtype": lambda: torch.nn.Linear(1, 1)(torch.zeros(4, 1).double()),
    "target dtype to be Long": lambda: cross_entropy(torch.zeros(4, 2), torch.zeros(4)),
    "multi-target not supported": lambda: cross_entropy(
        torch.zeros(4, 2), torch.zeros(4, 1).long()
    ),
    "is out of bounds": lambda: cross_entropy(torch.zeros(4, 2), torch.arange(4)),
    "target with class probabilities": lambda: cross_entropy(
        torch.zeros(4, 2), torch.zeros(4, 2).long()
    ),
    "is not a Module subclass": lambda: torch.nn.Sequential(torch.tanh),  # type: ignore[arg-type]
    "Boolean value of Tensor": lambda: 1 if torch.zeros(3) < 0 else 0,
    "params argument given to the optimizer": lambda: torch.optim.SGD(leaf(), lr=0.1),
    "Weights only load failed": load_an_entire_net,
    "loading state_dict": lambda: torch.nn.Linear(1, 1).load_state_dict({"net": {}}),
    "must match the size of tensor": lambda: torch.zeros(200) - torch.zeros(10),
    "cannot be converted to Scalar": lambda: torch.zeros(3).item(),
}


def test_every_error_that_is_explained_is_one_that_torch_raises() -> None:
    assert MISTAKES.keys() == _PITFALLS.keys()
    for part, mistake in MISTAKES.items():
        with pytest.raises((RuntimeError, TypeError, IndexError, UnpicklingError)) as caught:
            mistake()
        text = pitfall(str(caught.value))
        assert text == _PITFALLS[part]
        assert HAN.search(text.zh) and not HAN.search(text.en)


@pytest.mark.slow
def test_a_learner_reads_what_an_error_means_below_it(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text("import torch\nw = torch.tensor(1.0, requires_grad=True)\nw -= 1\n")
    error, meaning = check(THREE, script).told("en").splitlines()
    assert error.startswith("✗ The script stopped in line 3 with: RuntimeError: a leaf Variable")
    assert meaning.endswith("Put it into torch.no_grad().")
