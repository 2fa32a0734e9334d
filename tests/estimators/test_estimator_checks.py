"""scikit-learn's own suite for estimators, every check of it."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import check_estimator

from slalom import Classifier, Regressor

ONLY_SKIP = {"check_array_api_input": "SCIPY_ARRAY_API is not set"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator", [Regressor(epochs=5), Classifier(epochs=5)], ids=["regressor", "classifier"]
)
def test_every_check_of_scikit_learn_passes(estimator: Any) -> None:
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    counts = dict.fromkeys(("passed", "skipped", "xfail", "failed"), 0)
    for result in results:
        counts[result["status"]] += 1
    print(f"{type(estimator).__name__}: {counts}")  # pytest -s shows it
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert failed == {}
    skipped = {r["check_name"]: str(r["exception"]) for r in results if r["status"] == "skipped"}
    assert skipped.keys() <= ONLY_SKIP.keys()
    assert all(skipped[name].startswith(ONLY_SKIP[name]) for name in skipped)
    assert counts["xfail"] == 0
    assert counts["passed"] == len(results) - len(skipped)
    assert counts["passed"] >= 50  # the suite was there at all
