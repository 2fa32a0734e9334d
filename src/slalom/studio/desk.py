"""What one page holds: its stage, and the verbs that it can ask for."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from slalom.core.errors import BadPlan, SlalomError
from slalom.core.language import LANGUAGES, language, tr
from slalom.diagnosis import diagnose
from slalom.diagnosis.findings import Finding
from slalom.studio import looks
from slalom.studio.later import load
from slalom.studio.looks import Look
from slalom.studio.settings import BadSetting, Tables, about, wanted, whole_of
from slalom.studio.stage import STEPS, Stage
from slalom.studio.wire import packed

Asked: TypeAlias = Mapping[str, Any]

KEPT = ("kept", "kept_before")  # sentences of the best weights: a page shows those of the moment


class Desk:
    """A page's own place: nobody else sees or changes what is on it.

    A message is JSON: `do` is a verb below, `id` comes back with the answer, `look` says what of
    the stage is to be seen ("net", with `member`, "wall" or "race"), `lang` in which language.

    Args:
        tables: gives the dataset of two columns of an uploaded table.

    Example:
        >>> desk = Desk()
        >>> answer = desk.answer('{"id": 1, "do": "begin", "settings": {"data": {"toy": "sine"}}}')
        >>> b'"step": 0' in answer
        True
    """

    def __init__(self, tables: Tables | None = None) -> None:
        self.tables = tables
        self.stage: Stage | None = None
        self.verbs: dict[str, Callable[[Asked], Look]] = {
            "begin": self.begin,
            "advance": self.advance,
            "seek": self.seek,
            "fork": self.fork,
            "retrain": self.retrain,
            "see": self.see,
            "whole": self.whole,
            "diagnose": self.diagnose,
            "map": self.map,
        }

    def answer(self, text: str) -> bytes:
        """What is answered to a message; what is wrong with it is an answer too."""
        asked: Asked = {}
        number = None
        try:
            asked = _read(text)
            number = asked.get("id") if type(asked.get("id")) is int else None
            with language(asked["lang"]), about("settings"):
                header, arrays = self._verb(asked)(asked)
        except BadSetting as error:
            header, arrays = {"error": str(error), "setting": error.setting}, {}
        except SlalomError as error:
            header, arrays = {"error": str(error), "setting": ""}, {}
        return packed({"id": number, **header}, arrays)

    def begin(self, asked: Asked) -> Look:
        """A new stage for these settings, `steps` along already if that is wanted."""
        steps = whole_of(asked, "end", STEPS, 1, STEPS)
        self.stage = Stage.of(wanted(asked.get("settings"), self.tables), steps)
        if ahead := whole_of(asked, "steps", 0, 0, STEPS):
            self.stage.advance(ahead)
        return self.whole(asked)

    def whole(self, asked: Asked) -> Look:
        """The stage as it stands, with what does not change."""
        header, arrays = self.see(asked)
        own, still = looks.beginning(self._stage())
        return header | own, arrays | still

    def advance(self, asked: Asked) -> Look:
        """`steps` more updates."""
        self._stage().advance(whole_of(asked, "steps", 1, 0, STEPS))
        return self.see(asked)

    def seek(self, asked: Asked) -> Look:
        """To a `step` that was reached before."""
        self._stage().seek(whole_of(asked, "step", 0, 0, STEPS))
        return self.see(asked)

    def fork(self, asked: Asked) -> Look:
        """On from here with other hyperparameters, `changes`."""
        self._stage().fork(_changes(asked))
        return self.see(asked)

    def retrain(self, asked: Asked) -> Look:
        """From the start to here with other hyperparameters, `changes`."""
        self._stage().retrain(_changes(asked))
        return self.see(asked)

    def see(self, asked: Asked) -> Look:
        """The stage as it stands."""
        stage, look = self._stage(), asked.get("look", "net")
        if look == "wall":
            return looks.of_wall(stage)
        if look == "race":
            return looks.of_race(stage)
        member = whole_of(asked, "member", 0, 0, STEPS)
        if member >= len(stage.population):
            raise BadPlan(tr("There is no member {member}.", member=member))
        return looks.of_net(stage, member)

    def map(self, asked: Asked) -> Look:
        """A window of the map, which is no stage; see `slalom.studio.plane`."""
        found: Look = load("plane").plane(asked)
        return found

    def diagnose(self, asked: Asked) -> Look:
        """What the training of a member looks like, in words."""
        run = self._stage().run
        if not len(run.records):
            return {"diagnosis": [], "step": self._stage().step}, {}
        found = diagnose(run, whole_of(asked, "member", 0, 0, STEPS))
        said = [{"kind": each.kind, "text": _of_now(each).text()} for each in found.findings]
        return {"diagnosis": said, "step": self._stage().step}, {}

    def _verb(self, asked: Asked) -> Callable[[Asked], Look]:
        verb = self.verbs.get(str(asked.get("do")))
        if verb is None:
            raise BadPlan(tr("A page can ask for: {verbs}.", verbs=", ".join(self.verbs)))
        return verb

    def _stage(self) -> Stage:
        if self.stage is None:
            raise BadPlan(tr("Nothing has begun yet."))
        return self.stage


def _read(text: str) -> Asked:
    """A message, in a language that we speak."""
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise BadPlan("A message to the studio is a JSON object.")
    lang = asked.get("lang")
    return {**asked, "lang": lang if lang in LANGUAGES else next(iter(LANGUAGES))}


def _of_now(finding: Finding) -> Finding:
    return replace(finding, sentences=tuple(s for s in finding.sentences if s not in KEPT))


def _changes(asked: Asked) -> dict[str, Any]:
    """Of the members alone: the length of a stage is what its history has room for."""
    changes = asked.get("changes")
    if not isinstance(changes, dict):
        raise BadPlan(tr("Changes are an object of names and values."))
    if fixed := sorted({"steps", "epochs", "patience"} & changes.keys()):
        raise BadPlan(tr("{name} cannot be changed here.", name=fixed[0]))
    return changes
