"""What every test shares: no screen, one thread, the same examples in every CI run."""

import os
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)
# Where runs go of which no test says where.
STORE = TemporaryDirectory(prefix="slalom-runs-")
os.environ["SLALOM_HOME"] = STORE.name
# A shell ignores Ctrl-C for what it starts in the background, and so would everything tested here.
signal.signal(signal.SIGINT, signal.default_int_handler)
pytest.register_assert_rewrite("tests.engine.conformance")

# Two cores are shared by many processes, so a slow example says nothing: no deadlines.
COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("dev", **COMMON)
settings.register_profile("ci", derandomize=True, print_blob=True, **COMMON)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real tables that lies beside the repository; not every machine has it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real tables of ../shared/data, which lie beside the repository")
    return folder
