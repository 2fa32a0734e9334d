"""A finding: a kind, the numbers behind it, and the sentences that say it, in two languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from slalom.core.errors import BadPlan

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


class _Words(NamedTuple):
    en: str
    zh: str


_UNITS = {"epoch": _Words("epoch", "轮"), "step": _Words("step", "步")}

# The places are names of the finding's numbers.
_SENTENCES = {
    "diverged": _Words(
        "Diverged at step {step:,}: the loss was no longer a finite number.",
        "在第 {step:,} 步发散：损失不再是有限的数。",
    ),
    "grew": _Words(
        "Before, it had grown from {low:.3g} at {unit} {since:,} to {high:.3g}, as it does when "
        "the learning rate ({lr:,.7g}) is too large.",
        "在此之前，损失从第 {since:,} {unit}的 {low:.3g} 涨到了 {high:.3g}："
        "学习率（{lr:,.7g}）太大时就会这样。",
    ),
    "at_once": _Words(
        "That was so early that nothing could be seen to grow: the learning rate ({lr:,.7g}) or "
        "the features are far too large.",
        "发散来得太早，看不到增长的过程：学习率（{lr:,.7g}）或特征的数值实在太大。",
    ),
    "peer_held": _Words(
        "With a learning rate of {peer:,.7g} the same net did not diverge: go down to that, or "
        "clip the gradient (clip_norm=1.0).",
        "同样的网络在学习率为 {peer:,.7g} 时没有发散：请降到这个值，"
        "或者裁剪梯度（clip_norm=1.0）。",
    ),
    "clip": _Words(
        "Divide the learning rate by ten until it holds, or clip the gradient (clip_norm=1.0).",
        "请把学习率除以十，直到不再发散，或者裁剪梯度（clip_norm=1.0）。",
    ),
    "kept_before": _Words(
        "The weights of {unit} {best:,} are kept, where the validation loss was lowest.",
        "保留下来的是第 {best:,} {unit}的权重，那里的验证损失最低。",
    ),
    "time_limit": _Words(
        "The time limit ended the training after {step:,} of {total:,} steps: give it more time.",
        "时间到了，训练只走了 {total:,} 步中的 {step:,} 步：请多给一些时间。",
    ),
    "interrupt": _Words(
        "Ctrl-C ended the training after {step:,} of {total:,} steps: let it run longer.",
        "训练被 Ctrl-C 中断，只走了 {total:,} 步中的 {step:,} 步：请让它多跑一会儿。",
    ),
    "underfit": _Words(
        "Next to nothing was learned: the training loss is {loss:.3g}, and one and the same answer "
        "for all rows would have {constant:.3g}.",
        "几乎什么也没有学到：训练损失是 {loss:.3g}，而如果对所有行都给出同一个答案，"
        "损失是 {constant:.3g}。",
    ),
    "try_more": _Words(
        "Try a larger learning rate, a wider net or more steps, and check that the features say "
        "something about the target.",
        "可以试试更大的学习率、更宽的网络或更多的步数，并检查特征是否真的与目标有关。",
    ),
    "falling": _Words(
        "The loss was still falling at the end: the last fifth of the way brought {share:.0%} of "
        "the whole fall.",
        "结束时损失还在下降：全部下降的 {share:.0%} 发生在最后五分之一的路程里。",
    ),
    "raise": _Words(
        "Raise the learning rate ({lr:,.7g}), or train longer.",
        "请提高学习率（{lr:,.7g}），或者训练得更久。",
    ),
    "peer_faster": _Words(
        "The learning rate ({lr:,.7g}) is too small: with {peer:,.7g} the same net came to "
        "{peer_loss:.3g} instead of {loss:.3g}.",
        "学习率（{lr:,.7g}）太小：同样的网络在学习率为 {peer:,.7g} 时降到了 {peer_loss:.3g}，"
        "而不是 {loss:.3g}。",
    ),
    "swings": _Words(
        "The loss jumps by about {swing:.3g} from one {unit} to the next: with this learning rate "
        "({lr:,.7g}) the steps go across the valley and not down into it.",
        "从一{unit}到下一{unit}，损失会跳动约 {swing:.3g}：学习率（{lr:,.7g}）太大，"
        "步子总是跨过谷底，走不下去。",
    ),
    "overshot": _Words(
        "A step went much too far: the loss was {first:.3g} at first and {peak:.3g} at {unit} "
        "{at:,}. The learning rate ({lr:,.7g}) is too large.",
        "有一步迈得太远：损失起初是 {first:.3g}，到第 {at:,} {unit}却有 {peak:.3g}。"
        "学习率（{lr:,.7g}）太大。",
    ),
    "lower": _Words(
        "Divide it by three or ten, or let it decay (CosineAnnealingLR).",
        "请把它除以三或十，或者让它逐渐减小（CosineAnnealingLR）。",
    ),
    "overfit": _Words(
        "Overfitting since {unit} {since:,}: there the validation loss was lowest ({low:.3g}). It "
        "rose to {high:.3g}, while the training loss went on falling, from {train_then:.3g} to "
        "{train_last:.3g}.",
        "从第 {since:,} {unit}起过拟合：验证损失在那里最低（{low:.3g}），后来升到 {high:.3g}，"
        "而训练损失还在继续下降，从 {train_then:.3g} 降到 {train_last:.3g}。",
    ),
    "kept": _Words(
        "The weights of that {unit} are kept; dropout, weight decay, a smaller net or more rows "
        "would help.",
        "保留下来的是那一{unit}的权重；dropout、权重衰减、更小的网络或更多的数据会有帮助。",
    ),
    "dead": _Words(
        "{dead:,} of the {units:,} neurons of hidden layer {layer} are dead: they give 0 on all of "
        "{rows:,} training rows and no longer learn. {died:,} of them died in the training.",
        "第 {layer} 个隐藏层的 {units:,} 个神经元中有 {dead:,} 个是死的：它们对全部 {rows:,} 行"
        "训练数据都输出 0，不再学习。其中 {died:,} 个是在训练中死去的。",
    ),
    "revive": _Words(
        "A smaller learning rate, features around 1 or leaky_relu keeps neurons alive.",
        "更小的学习率、数值在 1 左右的特征，或者 leaky_relu，可以避免神经元死掉。",
    ),
    "saturated": _Words(
        "{saturated:,} of the {units:,} neurons of hidden layer {layer} are saturated: on almost "
        "all training rows their {activation} is at its limit, where the gradient is close to 0.",
        "第 {layer} 个隐藏层的 {units:,} 个神经元中有 {saturated:,} 个已经饱和："
        "对几乎所有训练数据，它们的 {activation} 都到了极限，那里的梯度接近 0。",
    ),
    "desaturate": _Words(
        "Bring the features to about 1, or lower the learning rate.",
        "请把特征缩放到 1 左右，或者降低学习率。",
    ),
    "unscaled": _Words(
        "{name} has values around {size:.3g}, and nets learn best from values around 1: subtract "
        "the mean and divide by the standard deviation.",
        "{name} 的数值在 {size:.3g} 左右，而网络最适合学习 1 左右的数值："
        "请减去均值，再除以标准差。",
    ),
    "stopped_early": _Words(
        "Stopped early at {unit} {at:,}: the validation loss had not improved since {unit} "
        "{best:,}, whose weights are kept.",
        "在第 {at:,} {unit}提前停止：验证损失从第 {best:,} {unit}起再没有改善，"
        "保留的是那时的权重。",
    ),
    "healthy": _Words(
        "Nothing wrong was found: the training loss is {loss:.3g}, where one and the same answer "
        "for all rows would have {constant:.3g}.",
        "没有发现问题：训练损失是 {loss:.3g}，而如果对所有行都给出同一个答案，"
        "损失会是 {constant:.3g}。",
    ),
    "validated": _Words(
        "The validation loss was lowest at {unit} {best:,} ({validation:.3g}).",
        "验证损失在第 {best:,} {unit}最低（{validation:.3g}）。",
    ),
    "unvalidated": _Words(
        "No rows were held out, so overfitting would not show; data.split(validation=0.2) holds "
        "some out.",
        "没有留出验证数据，所以看不出过拟合；data.split(validation=0.2) 可以留出一部分。",
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

    def text(self, lang: Lang = "en") -> str:
        """It in words, in English ("en") or Simplified Chinese ("zh").

        Raises:
            BadPlan: for another language.

        >>> Finding("diverged", {"step": 7}, ("diverged",)).text()
        'Diverged at step 7: the loss was no longer a finite number.'
        """
        if lang not in _Words._fields:
            raise BadPlan(f"lang must be one of {list(_Words._fields)}, but {lang!r} was given.")
        unit = _UNITS[self.numbers.get("unit", "step")]
        words = {**self.numbers, "unit": getattr(unit, lang)}
        said = [getattr(_SENTENCES[name], lang).format_map(words) for name in self.sentences]
        return (" " if lang == "en" else "").join(said)


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

    def text(self, lang: Lang = "en") -> str:
        """All findings in words, a line each."""
        return "\n".join(finding.text(lang) for finding in self.findings)

    def __str__(self) -> str:
        return self.text()
