"""Starting is quick because heavy libraries load when they are used."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "pandas", "matplotlib", "sklearn", "pyarrow", "scipy", "polars"}
CASES = {
    "import slalom": "import slalom",
    "slalom --help": """
import sys
from slalom.cli import main
sys.argv = ["slalom", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
""",
}


@pytest.mark.parametrize("case", CASES)
def test_a_fresh_process_loads_nothing_heavy(case: str) -> None:
    script = f"{CASES[case]}\nimport sys\nprint('LOADED', *sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split("LOADED")[1].split()}
    assert not loaded & HEAVY
