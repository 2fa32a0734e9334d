"""A finding: a kind, the numbers behind it, and the sentences that say it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from slalom.core.language import language, tr

Kind: TypeAlias = Literal[
    "diverged",
    "interrupted",
    "underfit",
    "lr_too_small",
    "lr_too_large",
    "overfit",
    "dead",
    "saturated",
    "unscaled",
    "stopped_early",
    "healthy",
]
Lang: TypeAlias = Literal["en", "zh"]

_MOMENTS = ("since", "best", "at")  # numbers that are counted in the `unit` of a finding

# Said in the language of the moment. The places are names of the numbers of a finding.
_SENTENCES: dict[str, Callable[..., str]] = {
    "diverged": lambda **n: tr(
        "Diverged at step {step:,}: the loss was no longer a finite number.", **n
    ),
    "grew": lambda **n: tr(
        "Before, it had grown from {low:.3g} at {since} to {high:.3g}, as it does when the "
        "learning rate ({lr:,.7g}) is too large.",
        **n,
    ),
    "at_once": lambda **n: tr(
        "That was so early that nothing could be seen to grow: the learning rate ({lr:,.7g}) or "
        "the features are far too large.",
        **n,
    ),
    "peer_held": lambda **n: tr(
        "With a learning rate of {peer:,.7g} the same net did not diverge: go down to that, or "
        "clip the gradient (clip_norm=1.0).",
        **n,
    ),
    "clip": lambda **n: tr(
        "Divide the learning rate by ten until it holds, or clip the gradient (clip_norm=1.0).", **n
    ),
    "kept_before": lambda **n: tr(
        "The weights of {best} are kept, where the validation loss was lowest.", **n
    ),
    "time_limit": lambda **n: tr(
        "The time limit ended the training after {step:,} of {total:,} steps: give it more time.",
        **n,
    ),
    "interrupt": lambda **n: tr(
        "Ctrl-C ended the training after {step:,} of {total:,} steps: let it run longer.", **n
    ),
    "underfit": lambda **n: tr(
        "Next to nothing was learned: the training loss is {loss:.3g}, and one and the same "
        "answer for all rows would have {constant:.3g}.",
        **n,
    ),
    "try_more": lambda **n: tr(
        "Try a larger learning rate, a wider net or more steps, and check that the features say "
        "something about the target.",
        **n,
    ),
    "falling": lambda **n: tr(
        "The loss was still falling at the end: the last fifth of the way brought {share:.0%} of "
        "the whole fall.",
        **n,
    ),
    "raise": lambda **n: tr("Raise the learning rate ({lr:,.7g}), or train longer.", **n),
    "peer_faster": lambda **n: tr(
        "The learning rate ({lr:,.7g}) is too small: with {peer:,.7g} the same net came to "
        "{peer_loss:.3g} instead of {loss:.3g}.",
        **n,
    ),
    "swings": lambda **n: tr(
        "The loss jumps up and down by about {swing:.3g}: with this learning rate ({lr:,.7g}) the"
        " steps go across the valley and not down into it.",
        **n,
    ),
    "overshot": lambda **n: tr(
        "A step went much too far: the loss was {first:.3g} at first and {peak:.3g} at {at}. The "
        "learning rate ({lr:,.7g}) is too large.",
        **n,
    ),
    "lower": lambda **n: tr("Divide it by three or ten, or let it decay (CosineAnnealingLR).", **n),
    "overfit": lambda **n: tr(
        "Overfitting since {since}: there the validation loss was lowest ({low:.3g}). It rose to "
        "{high:.3g}, while the training loss went on falling, from {train_then:.3g} to "
        "{train_last:.3g}.",
        **n,
    ),
    "kept": lambda **n: tr("The weights from there are kept.", **n),
    "simpler": lambda **n: tr("Dropout, weight decay, a smaller net or more rows would help.", **n),
    "dead": lambda **n: tr(
        "{dead:,} of the {units:,} neurons of hidden layer {layer} are dead: they give 0 on all "
        "of {rows:,} training rows and no longer learn. {died:,} of them died in the training.",
        **n,
    ),
    "dead_filters": lambda **n: tr(
        "{dead:,} of the {units:,} filters of convolution {layer} are dead: they find nothing "
        "anywhere in {rows:,} training rows and no longer learn. {died:,} of them died in the "
        "training.",
        **n,
    ),
    "revive": lambda **n: tr(
        "A smaller learning rate, features around 1 or leaky_relu keeps neurons alive.", **n
    ),
    "saturated": lambda **n: tr(
        "{saturated:,} of the {units:,} neurons of hidden layer {layer} are saturated: on almost "
        "all training rows their {activation} is at its limit, where the gradient is close to 0.",
        **n,
    ),
    "saturated_filters": lambda **n: tr(
        "{saturated:,} of the {units:,} filters of convolution {layer} are saturated: almost "
        "everywhere in the training rows their {activation} is at its limit, where the gradient is "
        "close to 0.",
        **n,
    ),
    "desaturate": lambda **n: tr("Bring the features to about 1, or lower the learning rate.", **n),
    "unscaled": lambda **n: tr(
        "{name} has values around {size:.3g}, and nets learn best from values around 1: subtract "
        "the mean and divide by the standard deviation.",
        **n,
    ),
    "stopped_early": lambda **n: tr(
        "Stopped early at {at}: the validation loss had not improved since {best}, whose weights "
        "are kept.",
        **n,
    ),
    "healthy": lambda **n: tr(
        "Nothing wrong was found: the training loss is {loss:.3g}, where one and the same answer "
        "for all rows would have {constant:.3g}.",
        **n,
    ),
    "so_far": lambda **n: tr(
        "Nothing wrong so far: the training loss is {loss:.3g}, and one and the same answer for "
        "all rows would have {constant:.3g}.",
        **n,
    ),
    "validated": lambda **n: tr(
        "The validation loss was lowest at {best} ({validation:.3g}).", **n
    ),
    "unvalidated": lambda **n: tr(
        "No rows were held out, so overfitting would not show; data.split(validation=0.2) holds "
        "some out.",
        **n,
    ),
}


@dataclass(frozen=True)
class Finding:
    """One thing about a training.

    Args:
        kind: which.
        numbers: what is behind it, by name. Moments are counted in `unit`, "epoch" or "step".
        sentences: the names of the sentences that say it, what to do last.
    """

    kind: Kind
    numbers: Mapping[str, Any]
    sentences: tuple[str, ...]

    def text(self, lang: Lang | None = None) -> str:
        """It in words, in English ("en"), Simplified Chinese ("zh") or the language of the moment.

        Raises:
            BadPlan: for another language.

        >>> Finding("diverged", {"step": 7}, ("diverged",)).text()
        'Diverged at step 7: the loss was no longer a finite number.'
        """
        if lang is not None:
            with language(lang):
                return self.text()
        moments = {name: self._moment(name) for name in _MOMENTS if name in self.numbers}
        words = {**self.numbers, **moments}
        return tr(" ").join(_SENTENCES[name](**words) for name in self.sentences)

    def _moment(self, name: str) -> str:
        count = self.numbers[name]
        if self.numbers["unit"] == "epoch":
            return tr("epoch {count:,}", count=count)
        return tr("step {count:,}", count=count)


@dataclass(frozen=True)
class Diagnosis:
    """All that was found about the training of one member; see `slalom.diagnose`.

    Args:
        member: its number.
        findings: the gravest first; never empty.
    """

    member: int
    findings: tuple[Finding, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kind of each finding."""
        return tuple(finding.kind for finding in self.findings)

    def text(self, lang: Lang | None = None) -> str:
        """All findings in words, a line each, as `Finding.text`."""
        return "\n".join(finding.text(lang) for finding in self.findings)

    def __str__(self) -> str:
        return self.text()
