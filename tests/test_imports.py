"""Starting is quick because heavy libraries load when used; each that is used is declared."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

HEAVY = {"torch", "pandas", "matplotlib", "sklearn", "pyarrow", "scipy", "polars"}
CASES = {
    "import slalom": "import slalom",
    "the pages of the studio": "from slalom.studio.app import studio; studio([], 'token')",
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


@pytest.mark.slow
def test_a_fit_loads_no_compiler_of_torch(tmp_path: Path) -> None:
    """It takes two seconds, for nothing: what we compile is compiled by Numba."""
    table = ROOT / "examples" / "penguins.csv"
    script = f"""
import sys
from slalom.cli import main
sys.argv = ["slalom", "fit", {str(table)!r}, "--target", "species", "--epochs", "2"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", *sorted(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split("LOADED")[1].split())
    assert not loaded & {"torch._dynamo", "torch._inductor", "sympy"}


@pytest.mark.slow
def test_every_library_that_the_source_imports_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    used = [
        line for name, lines in extras.items() if name not in ("dev", "bench") for line in lines
    ]
    declared = [*project["dependencies"], *used]
    names = {re.split(r"[<>=\[ ]", line)[0].lower() for line in declared}
    distributions = packages_distributions()
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [str(node.module)]
            for module in modules:
                package = module.split(".")[0]
                if package in sys.stdlib_module_names or package in ("slalom", "__future__"):
                    continue
                homes = {name.lower().replace("_", "-") for name in distributions.get(package, ())}
                assert homes & names, f"{path.name} imports {package}; declare it in pyproject.toml"


def test_every_declared_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    pinned = {name.lower().replace("_", "-"): version for name, version in pinned.items()}
    extras = project["optional-dependencies"].values()
    for line in [*project["dependencies"], *(line for extra in extras for line in extra)]:
        assert re.split(r"[<>=\[ ]", line)[0].lower() in pinned
    assert all(re.fullmatch(r"[\w.]+", version) for version in pinned.values()), "no local builds"
