"""What an earlier version left, this one goes on with: a run of each format, made when it was new.

`python -m tests.runs.test_golden_runs` makes the run and the net files that are written now.
"""

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import slalom
from slalom import MLP, Adam, Store
from slalom.core.errors import SlalomWarning
from slalom.engine import Reference
from slalom.models.net_file import load_net, load_parameters, save_net, save_parameters
from slalom.runs import folder

GOLDEN = Path(__file__).parent / "golden"
RUNS = ("slalom-run-1",)
DATA = slalom.toys.moons(40, noise=0.2, seed=1).split(validation=0.3)


def begun(store: Store, name: str, steps: int) -> slalom.Run:
    """A training of 12 steps, of which so many are done."""
    run = slalom.train(
        *(MLP(2, 4, 2, dropout=0.2), DATA),
        optimizer=Adam(0.01),
        batch_size=10,
        epochs=4,
        engine=Reference(),
        store=store,
        name=name,
        progress=False,
    )
    from slalom.runs.resume import go_back

    assert run.folder is not None
    if steps < 12:
        go_back(run.folder, steps)
        for path in run.folder.checkpoints()[1:]:
            path.unlink()
    return run


def test_there_is_a_run_of_the_format_that_is_written() -> None:
    assert RUNS[-1] == folder.FORMAT


@pytest.mark.parametrize("name", RUNS)
def test_a_run_of_each_format_goes_on_to_where_it_would_have_come(
    name: str, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    shutil.copytree(GOLDEN / name, tmp_path / name)
    assert slalom.open_run(name, store).state.step.tolist() == [5]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlalomWarning)  # another machine
        ended = slalom.resume(name, store=store, progress=False)
    known = json.loads((GOLDEN / f"{name}.json").read_text())
    assert ended.history["step"].tolist() == known["step"]
    np.testing.assert_allclose(ended.history["train_loss"], known["train_loss"], rtol=1e-5)
    np.testing.assert_allclose(ended.state.parameters, known["parameters"], rtol=1e-4, atol=1e-6)


def test_files_of_nets_of_each_format_are_read() -> None:
    net = load_net(GOLDEN / "slalom-net-1.slalom")
    other = MLP(2, 4, 2).build(seed=7)
    load_parameters(other, GOLDEN / "slalom-parameters-1.slalom")
    assert repr(net) == repr(other)
    known = MLP(2, 4, 2).build(seed=3)
    for one, two, three in zip(
        net.parameters(), other.parameters(), known.parameters(), strict=True
    ):
        assert torch.equal(one, two) and torch.equal(one, three)


def main() -> None:
    name = RUNS[-1]
    store = Store(GOLDEN)
    whole = begun(store, "whole", 12)
    history = whole.history
    known = {
        "step": history["step"].tolist(),
        "train_loss": history["train_loss"].tolist(),
        "parameters": whole.state.parameters.tolist(),
    }
    (GOLDEN / f"{name}.json").write_text(json.dumps(known))
    store.remove("whole")
    begun(store, name, 5)
    for path in (GOLDEN / name).glob("*.parquet"):
        path.unlink()
    net = MLP(2, 4, 2).build(seed=3)
    save_net(net, GOLDEN / "slalom-net-1.slalom")
    save_parameters(net, GOLDEN / "slalom-parameters-1.slalom")


if __name__ == "__main__":
    main()
