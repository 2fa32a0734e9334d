"""An hour of play, made short: pages open, train and close, and the memory stays what it was."""

import subprocess
import sys

import pytest

PLAY = """
import gc, json, os
from slalom import lessons
from slalom.studio.desk import Desk
from slalom.studio.memory import release
from slalom.studio.opened import open_lesson

PAGES = [
    {"settings": {"data": {"toy": "spirals", "held_out": 0.3}, "hidden": [8, 8]}, "look": "net"},
    {"settings": {"data": {"toy": "moons"}, "vary": {"lr": [0.01, 0.1, 1], "width": [2, 8, 32]}},
     "look": "wall"},
    {"settings": {"data": {"toy": "sine"}, "vary": {"optimizer": ["SGD", "Adam"]}}, "look": "race"},
]

def page(asked):
    desk = Desk()
    for do in ("begin", *["advance"] * 10, "seek", "diagnose"):
        desk.answer(json.dumps({"do": do, "steps": 10 if do == "advance" else 0, **asked}))

def play(turn):
    for asked in PAGES:
        page(asked)
        release()
    Desk().answer(json.dumps({"do": "map", "pixels": 56}))
    opened = open_lesson(lessons.get("regression"), {"lr": str(0.01 * (turn + 1))}, "en")
    for drawing in opened.drawings.values():
        drawing.image(0)

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

for turn in range(8):
    play(turn)
    if turn in (3, 7):
        release()
        print("HELD", resident())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="how much is held is read from /proc")
def test_pages_that_come_and_go_leave_the_memory_as_it_was() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PLAY], capture_output=True, text=True, timeout=300, check=True
    )
    before, after = (int(line.split()[1]) for line in done.stdout.splitlines() if "HELD" in line)
    assert after < 1.1 * before
