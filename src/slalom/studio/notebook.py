"""A training in a notebook: a picture that moves while cells run, and sliders that retrain it."""

import base64
import io
import json
import re
import time
from importlib.resources import files
from typing import Any

from slalom.core.errors import BadPlan, MissingExtra
from slalom.core.language import check_language
from slalom.runs import Run
from slalom.studio import looks
from slalom.studio.desk import Desk
from slalom.studio.stage import Stage
from slalom.studio.wire import packed
from slalom.studio.words import told_in
from slalom.training import Happening, Training

EVERY = 0.05  # seconds between two pictures while a cell runs
PARTS = (
    "wire.js",
    "newest.js",
    "pictures.js",
    "transport.js",
    "widget.js",
)  # of which the script is put together


def watch(training: Training | Run, member: int = 0, lang: str = "en") -> Any:
    """Show a training that moves: in Jupyter, VS Code, marimo and whatever else knows anywidget.

    The picture follows the training while a cell advances it. When no cell runs, it can be played,
    paused, stepped, taken back to any step that was reached, and trained again at another
    learning rate. A line or regions are drawn for one and two features; for others the losses.

    Args:
        training: a `slalom.training.Training`, or a run, which is shown as it ended.
        member: whom to look at.
        lang: "en" or "zh".

    Returns:
        The widget; `widget.training` is the training as it stands.

    Raises:
        MissingExtra: when anywidget is not installed.
        BadPlan: when there is no such member.

    Example:
        >>> import slalom
        >>> run = slalom.train(slalom.MLP(1, 10, 1), slalom.toys.quadratic(100), steps=50)
        >>> widget = slalom.watch(run)
        >>> widget.training.state.step
        array([50])
    """
    check_language(lang)
    if isinstance(training, Run):
        training = Training.resume(training.snapshot(), training.engine)
    try:
        return _widget(training, member, lang)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("anywidget", "traitlets", "ipywidgets"):
            raise
        raise MissingExtra("A training in a notebook", "notebook") from None


def _widget(training: Training, member: int, lang: str) -> Any:
    import anywidget
    import traitlets

    if not 0 <= member < len(training.plan.population):
        raise BadPlan(
            f"There is no member {member}: this training has 0 to "
            f"{len(training.plan.population) - 1}."
        )

    class Watched(anywidget.AnyWidget):
        """A stage, to which a page in the notebook talks as the studio's pages do."""

        _esm = script()
        _css = (files("slalom.studio") / "static" / "widget.css").read_text(encoding="utf-8")
        told = traitlets.Dict().tag(sync=True)

        def __init__(self) -> None:
            super().__init__(told=told_in(lang))
            self.desk = Desk()
            self.desk.stage = Stage(training)
            self._next, self._shown = 0.0, ""
            self.on_msg(lambda _, asked, __: self._answer(asked))
            training.listeners.append(self._listen)

        @property
        def training(self) -> Training:
            """As it stands."""
            stage = self.desk.stage
            assert stage is not None
            return stage.training

        def _repr_mimebundle_(self, **how: Any) -> Any:
            """With a picture for whoever opens the saved file and has no kernel."""
            data, *rest = super()._repr_mimebundle_(**how) or ({},)
            stage = self.desk.stage
            assert stage is not None
            return ({**data, "image/png": _picture(stage, member)}, *rest)

        def _ipython_display_(self, **how: Any) -> None:
            """As an output that can be put anew, so that the saved file has the last picture."""
            from IPython import display

            show: Any = display.display  # untyped in IPython
            self._shown = show(self._bundle(), raw=True, display_id=True).display_id

        def _keep(self) -> None:
            """Put the picture of this moment into the output."""
            from IPython import display

            update: Any = display.update_display
            if self._shown and self._kept != self._moment:
                update(self._bundle(), raw=True, display_id=self._shown)

        def _bundle(self) -> dict[str, Any]:
            self._kept = self._moment
            return {
                kind: base64.b64encode(data).decode() if isinstance(data, bytes) else data
                for kind, data in self._repr_mimebundle_()[0].items()
            }

        @property
        def _moment(self) -> list[list[float]]:
            """By which one picture is told from another."""
            state = self.training.state
            return [state.step.tolist(), state.train_loss.tolist()]

        def _answer(self, asked: dict[str, Any]) -> None:
            if asked.get("do") == "keep":
                self._keep()
                return
            self.send({}, [self.desk.answer(json.dumps({**asked, "member": member}))])

        def _listen(self, happening: Happening) -> None:
            """A picture of what a cell has trained so far."""
            stage, now = self.desk.stage, time.monotonic()
            if stage is None or stage.training is not training:
                return  # it was trained again, or taken back, in the picture
            if now < self._next and not training.done:
                return
            self._next = now + EVERY
            stage.keep()
            header, arrays = looks.of_net(stage, member)
            self.send({}, [packed({"id": 0, **header}, arrays)])

    return Watched()


def _picture(stage: Stage, member: int) -> bytes:
    """What a net says, or its losses where that cannot be drawn: PNG."""
    from slalom import plots  # loads matplotlib

    run, stream = stage.run, io.BytesIO()
    if not looks.drawable(stage.dataset) or run.state.diverged_at[member] >= 0:
        figure = plots.learning_curves(run)
    elif stage.dataset.task == "regression":
        figure = plots.fitted_line(run, member)
    else:
        figure = plots.decision_regions(run, member)
    figure.savefig(stream, format="png")
    return stream.getvalue()


def script() -> str:
    """One script of the studio's, for a notebook loads no second one."""
    static = files("slalom.studio") / "static"
    player = (files("slalom.lessons") / "player.js").read_text(encoding="utf-8")
    parts = [_class_of(player, "Player")]
    parts += [(static / name).read_text(encoding="utf-8") for name in PARTS]
    whole = re.sub(r"^import .*?;\n", "", "\n".join(parts), flags=re.MULTILINE)
    exports = re.sub(r"^export (?!default)", "", whole, flags=re.MULTILINE)
    return f"let told;\n{exports}"


def _class_of(text: str, name: str) -> str:
    """A class of a script, with the constants before it."""
    end = re.search(rf"^class {name} .*?^}}\n", text, re.MULTILINE | re.DOTALL)
    assert end is not None
    return text[: end.end()]
