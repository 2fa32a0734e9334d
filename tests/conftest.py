"""What every test shares: no screen, one thread, the same examples in every CI run."""

import os
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

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
AXE = "axe-core@4.14.1"  # from the npm registry, at test time


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's Chromium, without a window."""
    from playwright.sync_api import expect, sync_playwright  # half a second

    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    program = next(filter(None, found), None)
    if program is None:
        pytest.skip("needs Chromium, from the packages of the system")
    expect.set_options(timeout=30_000)  # a busy machine is no failure, however slow
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that finds what keeps people from reading a page, such as too little contrast."""
    folder = tmp_path_factory.mktemp("axe")
    if shutil.which("npm") is None:
        pytest.skip("needs npm, which fetches axe-core")
    fetched = subprocess.run(
        ["npm", "pack", AXE, "--silent"], cwd=folder, capture_output=True, text=True, check=False
    )
    if fetched.returncode:
        pytest.skip(f"npm cannot fetch {AXE}: {fetched.stderr.strip()[-200:]}")
    with tarfile.open(folder / fetched.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package" / "axe.min.js"
