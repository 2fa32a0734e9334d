"""A device that is only pretended, for tests on machines without a GPU."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import torch

NAME = "pretended"
SOURCE = Path(__file__).parent / "device.cpp"


class _Module:
    """What torch asks a device for."""

    is_available = is_initialized = staticmethod(lambda: True)
    device_count = staticmethod(lambda: 1)
    current_device = staticmethod(lambda: 0)
    _is_in_bad_fork = staticmethod(lambda: False)
    manual_seed_all = staticmethod(lambda seed: None)


@cache
def pretended(folder: Path) -> str:
    """The name of the device, compiled into a folder; the test is skipped without a compiler."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no g++ to compile a pretended device with")
    home, library = Path(torch.__file__).parent, folder / "pretended.so"
    include = [home / "include", home / "include/torch/csrc/api/include"]
    flags = ["-shared", "-fPIC", "-std=c++20", "-O0", f"-I{include[0]}", f"-I{include[1]}"]
    link = [f"-L{home / 'lib'}", "-ltorch_cpu", "-lc10"]
    subprocess.run([compiler, *flags, str(SOURCE), "-o", str(library), *link], check=True)
    torch.ops.load_library(str(library))
    torch.utils.rename_privateuse1_backend(NAME)
    torch._register_device_module(NAME, _Module())
    torch.utils.generate_methods_for_privateuse1_backend()
    return NAME
