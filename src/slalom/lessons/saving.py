"""Lesson 8: a net on disk: whole, as parameters alone, and why not as a pickle.

Nothing is unpickled here. Pickles are written, in memory, to be measured and taken apart.
"""

import hashlib
import io
import json
import pickle
import pickletools
import zipfile
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from safetensors.torch import save as safe_bytes
from torch.serialization import get_unsafe_globals_in_checkpoint

from slalom.core.language import tr
from slalom.data import Dataset, toys
from slalom.lessons.building import Net
from slalom.lessons.common import SEED, train
from slalom.lessons.lesson import Choice, Lesson, Result, Whole
from slalom.lessons.prose import Text
from slalom.nets import MLP
from slalom.nets import Net as Recipe
from slalom.optim import SGD
from slalom.plan import Plan
from slalom.plots.toolkit import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PALE,
    QUIET,
    VERMILLION,
    Picture,
    halo,
    look,
    picture,
)

Array = NDArray[Any]


class Surprise:
    """What pickles as a call of print."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("I ran while the file was read",)


class Size(NamedTuple):
    """What the bytes of a file are for."""

    numbers: int
    text: int
    program: int
    container: int


def saving(width: int, activation: str, steps: int, seed: int) -> Result:
    """Train a net, make it anew in two ways, and look into its files."""
    data = toys.quadratic(100, noise=0.2, seed=1)
    recipe = MLP(1, width, 1, activation=activation)
    run = train(recipe, data, optimizer=SGD(0.05), seed=seed, steps=steps, engine="reference")
    net = run.model()
    state = net.state_dict()
    numbers = safe_bytes(state)

    # The entire net: the plan says how to build it, the numbers what it has learned.
    member = Plan.loads(run.plan.dumps()).population[0]
    restored = member.net.build(member.seed)
    restored.load_state_dict(load(numbers))
    # Its parameters alone: whoever reads them has to know the build.
    rebuilt = recipe.build(seed + 1)
    fresh = outputs(rebuilt, data)
    rebuilt.load_state_dict(load(numbers))
    # A net of the same layers under other names gets nothing.
    other = Recipe(Net, inputs=1, width=width, activation=activation).build(seed)
    fit = other.load_state_dict(state, strict=False)

    drawn = {
        "trained": outputs(net, data),
        "restored": outputs(restored, data),
        "rebuilt": outputs(rebuilt, data),
    }
    opcodes = disassemble(Surprise())
    whole, alone = torch_bytes(net), torch_bytes(state)
    number_bytes = sum(tensor.nbytes for tensor in state.values())
    sizes = [
        torch_size(whole, number_bytes),
        torch_size(alone, number_bytes),
        Size(number_bytes, len(numbers) - number_bytes - 8, 0, 8),
    ]
    return Result(
        numbers={
            "final_loss": run.history["train_loss"].iloc[-1],
            "parameters": run.state.parameters.size,
            "number_bytes": number_bytes,
            "names": list(state),
            "missing": fit.missing_keys,
            "unexpected": fit.unexpected_keys,
            "fresh_outputs": fresh,
            "trained_outputs": drawn["trained"],
            "restored_outputs": drawn["restored"],
            "rebuilt_outputs": drawn["rebuilt"],
            "restored_difference": np.abs(drawn["restored"] - drawn["trained"]).max(),
            "rebuilt_difference": np.abs(drawn["rebuilt"] - drawn["trained"]).max(),
            "net_calls": sorted(get_unsafe_globals_in_checkpoint(io.BytesIO(whole))),
            "parameters_calls": get_unsafe_globals_in_checkpoint(io.BytesIO(alone)),
            "net_program": sizes[0].program,
            "parameters_program": sizes[1].program,
            "opcodes": [name for _, name, _ in opcodes],
            "recipe": json.dumps(recipe.to_json()),
            "safe_size": len(numbers),
        },
        figures={
            "panels": partial(panels, data, drawn, fresh),
            "opcodes": partial(opcode_table, opcodes),
            "bytes": partial(byte_bars, sizes),
        },
    )


def outputs(net: torch.nn.Module, data: Dataset) -> Array:
    """What a net gives for all rows, `[N, 1]`."""
    with torch.no_grad():
        given: Array = net(torch.from_numpy(data.X)).numpy()
    return given


def torch_bytes(content: Any) -> bytes:
    """What `torch.save` writes: a zip archive with a pickle and the numbers."""
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def torch_size(content: bytes, numbers: int) -> Size:
    """What the bytes of a file of `torch.save` are for."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        program = archive.getinfo("archive/data.pkl").file_size
    return Size(numbers, 0, program, len(content) - numbers - program)


def disassemble(content: object) -> list[tuple[int, str, str]]:
    """The pickle of an object as a program: place, name and argument of each opcode."""
    program = pickletools.optimize(pickle.dumps(content, protocol=4))
    return [
        (place or 0, opcode.name, "" if argument is None else repr(argument))
        for opcode, argument, place in pickletools.genops(program)
    ]


@look()
def panels(data: Dataset, drawn: dict[str, Array], fresh: Array) -> Picture:
    """Three nets and a digest of all bits of their outputs, `[N, 1]` each."""
    figure = picture(8, 4)
    titles = (
        tr("trained"),
        tr("restored\nfrom recipe and numbers"),
        tr("rebuilt\nfrom its parameters"),
    )
    x = data.X[:, 0]
    all_axes = figure.subplots(1, 3, sharex=True, sharey=True)
    for axes, title, line in zip(all_axes, titles, drawn.values(), strict=True):
        axes.scatter(x, data.y, s=12, color=PALE, edgecolor=QUIET, linewidth=0.4)
        axes.plot(x, line, color=BLUE, linewidth=2.4, path_effects=halo(4))
        axes.set_title(title, fontsize=10.5)
        digest = hashlib.sha256(line.tobytes()).hexdigest()[:8]
        axes.set_xlabel("x\n\n" + tr("outputs' digest {digest}", digest=digest))
    all_axes[0].set_ylabel("y")
    all_axes[2].plot(x, fresh, "--", color=VERMILLION, label=tr("before loading"))
    all_axes[2].legend(loc="upper center", frameon=True, edgecolor="none")
    return figure


@look()
def opcode_table(opcodes: list[tuple[int, str, str]]) -> Picture:
    """A pickle as the program that it is."""
    figure = picture(8, 3.6)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(len(opcodes), -1.2))
    axes.set_title(tr("A pickle is a program; reading it means running it"))
    columns = (0.0, 0.07, 0.30, 0.63)
    heads = (tr("byte"), tr("opcode"), tr("argument"), tr("what it does"))
    meanings = _meanings()
    for text, x in zip(heads, columns, strict=True):
        axes.text(x, -0.7, text, va="center", color=QUIET, fontsize=9)
    for row, (place, name, argument) in enumerate(opcodes):
        acts = name in ("STACK_GLOBAL", "REDUCE")
        if acts:
            axes.axhspan(row - 0.5, row + 0.5, color=ORANGE, alpha=0.35)
        weight = "bold" if acts else "normal"
        for text, x in zip((str(place), name, argument), columns, strict=False):
            axes.text(x, row, text, va="center", fontsize=9, family="monospace", weight=weight)
        axes.text(columns[-1], row, meanings[name], va="center", fontsize=9, weight=weight)
    return figure


def _meanings() -> dict[str, str]:
    """What each opcode of our little pickle does."""
    return {
        "PROTO": tr("version of the language"),
        "FRAME": tr("how many bytes follow"),
        "SHORT_BINUNICODE": tr("put this text on the stack"),
        "STACK_GLOBAL": tr("import the function so named"),
        "TUPLE1": tr("make the text an argument"),
        "REDUCE": tr("CALL the function with the argument"),
        "STOP": tr("what is on the stack is the object"),
    }


@look()
def byte_bars(sizes: list[Size]) -> Picture:
    """What the bytes of each file are for: the entire net, its state dict, and that made safe."""
    figure = picture(8, 3.4)
    axes = figure.add_subplot()
    names = (
        tr("entire net, torch.save"),
        tr("state dict, torch.save"),
        tr("state dict, safetensors"),
    )
    looks = (
        (tr("numbers"), BLUE, ""),
        (tr("text"), GREEN, ""),
        (tr("program"), VERMILLION, "///"),
        (tr("container"), PALE, ""),
    )
    left = np.zeros(len(sizes))
    for values, (kind, color, hatch) in zip(np.array(sizes).T, looks, strict=True):
        axes.barh(
            names,
            values,
            left=left,
            color=color,
            hatch=hatch,
            edgecolor="white",
            label=kind,
        )
        left += values
    for row, total in enumerate(left):
        axes.text(total, row, f" {total:,.0f}", va="center", color=INK)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlabel=tr("bytes"), xlim=(0, 1.1 * left.max()))
    axes.set_title(tr("Only the files of torch.save hold a program"))
    figure.legend(loc="outside lower center", ncols=len(looks))
    return figure


LESSON = Lesson(
    name="saving",
    parameters=(
        Whole(
            "width", 10, Text("hidden neurons", "隐藏神经元数"), low=1, high=32
        ),  # wider nets may diverge
        Choice(
            "activation",
            "relu",
            Text("activation function", "激活函数"),
            options=("relu", "elu", "gelu", "sigmoid", "tanh"),
        ),
        Whole("steps", 500, Text("steps", "步数"), low=1, high=1000),
        SEED,
    ),
    function=saving,
    scripts=("saving.py",),
    only_here=frozenset({"recipe", "safe_size"}),  # a recipe and a safetensors file are Slalom's
)
