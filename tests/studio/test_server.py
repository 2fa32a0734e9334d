"""`slalom studio` says where it is, and what it cannot do, before anything heavy is loaded."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from slalom.core.errors import BadPlan, MissingExtra
from slalom.studio import server
from slalom.studio.server import is_own, listen, names, serve

OPENED = """
import os, sys, webbrowser
from slalom.studio.server import serve

def opened(link):
    print(link, sorted({"torch", "pandas", "matplotlib", "starlette"} & sys.modules.keys()))
    sys.stdout.flush()
    os._exit(0)

webbrowser.open = opened
serve(host=sys.argv[1])
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_browser_opens_before_anything_heavy_is_loaded(host: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPENED, host],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
    )
    link, loaded = done.stdout.splitlines()[-1].split(" ", 1)
    name = host if host == "127.0.0.1" else socket.gethostname()  # 0.0.0.0 cannot be reached
    assert link.startswith(f"http://{name}:") and "?token=" in link
    assert loaded == "[]"
    assert ("unencrypted" in done.stderr) == (host == "0.0.0.0")


def test_the_port_is_the_first_one_that_is_free_or_the_one_that_is_asked_for() -> None:
    with listen("127.0.0.1", 0) as first, listen("127.0.0.1", 0) as second:
        one, other = first.getsockname()[1], second.getsockname()[1]
        assert 8000 <= one < other < 8100
        with pytest.raises(BadPlan, match=f"127.0.0.1:{one}: .*another port with --port"):
            listen("127.0.0.1", one)


def test_on_this_machine_it_is_called_localhost_too() -> None:
    assert names("127.0.0.1", 8000) == ["127.0.0.1:8000", "localhost:8000"]
    assert names("::1", 8000) == ["[::1]:8000", "localhost:8000"]
    assert names("10.1.2.3", 8000) == ["10.1.2.3:8000"]
    assert f"{socket.gethostname()}:8000" in names("0.0.0.0", 8000)


def test_a_name_is_no_address_to_listen_at() -> None:
    assert is_own("127.0.0.1") and not is_own("0.0.0.0")
    with pytest.raises(BadPlan, match=r"address such as 127\.0\.0\.1, but 'foo' was given"):
        is_own("foo")


def test_without_its_packages_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"slalom\[studio\]"):
        serve()
