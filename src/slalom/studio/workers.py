"""Work in processes of its own: what the workers have said so far, for whoever asks."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

from slalom.core.errors import BadPlan
from slalom.core.language import tr

MOST_AT_ONCE = 4  # a fit takes all cores anyway
KEPT = 100  # workers that are over and can still be asked for
PATIENCE = 180.0  # seconds for reading a table, which the page waits for


class Worker:
    """A worker, and what it has said: the last word on each subject.

    Args:
        asked: `do` and its arguments, as `slalom.studio.worker` reads them.

    Attributes:
        said: by subject; `done` with the result, `error` with a sentence, or `stopped` at the end.
        over: set at the end.
    """

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked, self.said = asked, dict[str, Any]()
        self.over = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "slalom.studio.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C at the studio is passed on by it, once
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.close()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def run(self) -> str:
        """The name of the run that it works on; "" while it has none."""
        return str(self.said.get("run", Path(self.asked.get("run", "")).name))

    def _listen(self) -> None:
        assert self.process.stdout is not None
        try:
            for line in self.process.stdout:
                self.said |= json.loads(line)
            self.process.wait()
        finally:
            self.process.stdout.close()
            if not {"done", "error", "stopped"} & self.said.keys():
                self.said["error"] = _ended(self.process.returncode or 0)
            self.over.set()

    def stop(self) -> None:
        """Let it end soon; a training keeps what it has reached."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)

    def result(self, seconds: float = PATIENCE) -> dict[str, Any]:
        """What it has come to, waited for.

        Raises:
            BadPlan: when it came to nothing, or not in time.
        """
        if not self.over.wait(seconds):
            self.process.kill()
            self.over.wait()
            raise BadPlan(tr("That took more than {seconds:.0f} seconds.", seconds=seconds))
        if "done" not in self.said:
            raise BadPlan(str(self.said.get("error", tr("It was stopped."))))
        found: dict[str, Any] = self.said["done"]
        return found


class Workers:
    """All workers of a studio, by an identifier that nobody can guess."""

    def __init__(self) -> None:
        self.all: dict[str, Worker] = {}
        self.lock = threading.Lock()

    def begin(self, asked: dict[str, Any]) -> str:
        """Start one; returns its identifier.

        Raises:
            BadPlan: when as many are under way as this machine should carry.
        """
        with self.lock:
            if len(self.running()) >= MOST_AT_ONCE:
                raise BadPlan(
                    tr(
                        "{most} trainings are under way. Wait for one, or stop one.",
                        most=MOST_AT_ONCE,
                    )
                )
            name = uuid4().hex
            self.all[name] = Worker(asked)
            over = [key for key, worker in self.all.items() if worker.over.is_set()]
            for key in over[:-KEPT]:
                del self.all[key]
            return name

    def find(self, name: str) -> Worker:
        """The worker of that identifier.

        Raises:
            BadPlan: when there is none.
        """
        with self.lock:
            if name not in self.all:
                raise BadPlan(
                    tr("Nothing of that name is under way. Look among the runs for what it left.")
                )
            return self.all[name]

    def running(self) -> dict[str, Worker]:
        """Those that are not over."""
        return {name: worker for name, worker in self.all.items() if not worker.over.is_set()}

    def of_runs(self) -> dict[str, str]:
        """From the name of a run to that of who works on it."""
        return {worker.run: name for name, worker in self.running().items() if worker.run}

    def stop(self) -> None:
        """Let all end, and wait until what they have reached is kept."""
        for worker in self.running().values():
            worker.stop()
        for worker in self.all.values():
            if not worker.over.wait(10):
                worker.process.kill()


def _ended(code: int) -> str:
    """Why a process said nothing in the end."""
    if code < 0:  # killed, or a library that could not get memory gave up
        return tr("Reading the file took more time or memory than the studio gives to it.")
    return tr("The work ended without a word (exit code {code}).", code=code)
