"""Pages that are asked for at once, while what they need is still being loaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

AT_ONCE = """
import json, sys, threading
from slalom.studio.app import studio
from tests.studio.asgi import COOKIE, HOST, TOKEN, ask

app = studio([HOST], TOKEN, sys.argv[1])
shared = app.app.state.office
threading.Thread(target=shared.desk).start()
found = {}

def get(path):
    found[path] = ask(app, path, [("host", HOST), COOKIE]).status

paths = ["/", "/playground", "/runs", "/runs.json", "/runs/none/told", "/lessons/regression/body"]
threads = [threading.Thread(target=get, args=[path]) for path in paths]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("FOUND" + json.dumps(found))
"""


@pytest.mark.slow
def test_pages_that_are_asked_for_while_torch_is_loaded_come_all_the_same(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    found = json.loads(done.stdout.split("FOUND")[1])
    assert found.pop("/runs/none/told") == 400
    assert set(found.values()) == {200}
