"""Tests that share something expensive run in one process, which makes it once."""

import os

import pytest


@pytest.mark.xdist_group("shared")
def test_a_group_is_heeded(request: pytest.FixtureRequest) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("all tests run in one process here")
    assert request.node.nodeid.endswith("@shared"), "this pytest and pytest-xdist do not fit"
