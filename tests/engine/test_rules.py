"""The rules of training stand in one place: a wrong one shows on every engine."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# What stands in `rules.py`, what is put there instead, and the test of the contract that sees it.
WRONG = [
    (
        "/ m.steps_per_epoch >= patience",
        "/ m.steps_per_epoch > patience",
        "test_patience_stops_at_the_right_epoch_and_keeps_the_best_weights",
    ),
    (
        "(m.epoch + 1) % validate_every",
        "m.epoch % validate_every",
        "test_validation_comes_every_few_epochs_and_after_the_last_step",
    ),
    (
        "m.epoch_loss / m.in_epoch",
        "m.epoch_loss / m.steps_per_epoch",
        "test_the_record_of_an_epoch_is_the_mean_of_its_steps",
    ),
    (
        "return ended or m.step == m.next_record",
        "return m.step == m.next_record",
        "test_a_thinner_history_keeps_every_so_many_rows_and_the_last_of_each_member",
    ),
    (
        "m.diverged_at = m.step + 1",
        "m.diverged_at = m.step + 2",
        "test_divergence_is_marked_with_the_step_whose_loss_was_not_finite",
    ),
    (
        "m.best_train_loss = m.train_loss",
        "m.best_train_loss = loss",
        "test_the_state_knows_the_latest_scores_and_those_of_the_best_validation",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["test_reference.py", "native/test_engine.py"])
def test_a_wrong_rule_fails_the_contract_on_every_engine(
    suite: str, root: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "src" / "slalom"
    shutil.copytree(root / "src" / "slalom", broken, ignore=shutil.ignore_patterns("__pycache__"))
    path = broken / "engine" / "rules.py"
    source = path.read_text()
    for right, wrong, _ in WRONG:
        assert source.count(right) == 1, f"rules.py says it in other words now: {right}"
        source = source.replace(right, wrong)
    path.write_text(source)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            str(root / "tests" / "engine" / suite),
            *("-k", " or ".join(test for *_, test in WRONG)),
        ],
        cwd=root,
        env=os.environ
        | {
            "PYTHONPATH": f"{broken.parent}{os.pathsep}{root}",
            "SLALOM_CACHE_DIR": str(tmp_path / "cache"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    failed = set(re.findall(r"^FAILED .*::(test_\w+)", run.stdout, re.MULTILINE))
    assert failed == {test for *_, test in WRONG}, run.stdout
