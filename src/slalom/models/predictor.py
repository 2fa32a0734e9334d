"""From a raw table to predictions: the schema, an ensemble of trained nets, and the target."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from slalom.core.annotations import rules
from slalom.core.errors import BadFile, BadPlan
from slalom.data.schema import Schema
from slalom.data.target import ClassificationTarget, RegressionTarget, Target
from slalom.losses import Loss, as_loss
from slalom.models.model_file import damaged, read_model, write_model
from slalom.nets import NetSpec, outputs


@dataclass(frozen=True, eq=False)
class Predictor:
    """What a training hands out: everything that is needed to predict from a table.

    Args:
        schema: makes features of the columns of a table.
        target: makes values or labels of what the nets give.
        loss: what the nets were trained on; it says what their outputs mean.
        nets: the recipes of the modules, in the order of `modules`.
        modules: the trained nets.
        weights: what each of them counts; they sum to 1.
        noise: for regression, the standard deviation of what the nets together left unexplained on
            validation rows, one a target in original units. Of no use where the loss itself tells
            the variance (`gaussian_nll`).
        about: JSON-ready facts on where it comes from.

    Raises:
        BadPlan: when the parts do not fit together.

    Example:
        >>> import numpy as np, slalom
        >>> X = np.linspace(-1, 1, 60)[:, None]
        >>> model = slalom.Regressor(epochs=5).fit(X, X[:, 0] ** 2).predictor_
        >>> model.predict(slalom.read_table(X)).shape
        (60,)
    """

    schema: Schema
    target: Target
    loss: Loss
    nets: tuple[NetSpec, ...]
    modules: tuple[torch.nn.Module, ...]
    weights: tuple[float, ...]
    noise: tuple[float, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, fits, words in rules(type(self)):  # type: ignore[arg-type]  # is hashable
            _demand(fits(getattr(self, name)), f"{name} must be {words}")
        count = len(self.nets)
        whole = count == len(self.modules) == len(self.weights) > 0
        _demand(whole, "nets, modules and weights must be equally many, and at least one")
        shares = min(self.weights) >= 0 and abs(sum(self.weights) - 1) < 1e-6
        _demand(shares, "weights must be 0 or more and sum to 1")
        as_loss(self.loss, self.task)
        target = self.target
        targets = len(target.names if isinstance(target, RegressionTarget) else target.classes)
        noisy = len(self.noise) in (0, targets) and min(self.noise, default=0) >= 0
        _demand(noisy, f"noise must be {targets} numbers >= 0, or none")
        self._check_modules(self.loss.outputs(targets))

    def _check_modules(self, count: int) -> None:
        """Each net must take the features of the schema and give `count` finite outputs."""
        row = torch.zeros(1, len(self.schema.feature_names))
        for k, module in enumerate(self.modules):
            try:
                output = outputs(module, row)
            except Exception as error:  # whatever a module of the user's raises
                raise BadPlan(
                    f"Predictor: net {k} fails on the {row.shape[1]} features of the schema: "
                    f"{str(error).partition(chr(10))[0]}."
                ) from error
            _demand(output.shape == (1, count), f"net {k} must give {count} outputs a row")
            finite = bool(self.loss.predict(output).isfinite().all())
            _demand(finite, f"net {k} must predict finite numbers")

    @property
    def task(self) -> str:
        """`regression` or `classification`."""
        return str(self.target.task)

    @property
    def column_names(self) -> tuple[str, ...]:
        """What the columns of a prediction are called in a table: the probability of each class, or
        the value of each target and its standard deviation."""
        if isinstance(self.target, ClassificationTarget):
            return tuple(f"probability_{label}" for label in self.target.classes)
        names = self.target.names
        labels = ["prediction"] if len(names) == 1 else [f"prediction_{name}" for name in names]
        return tuple(each for label in labels for each in (label, f"{label}_std"))

    def predict(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Labels `[N]`, or values in the target's units: `[N]`, or `[N, T]` for several targets.

        Raises:
            BadData: when a column that the schema needs is missing or cannot be read.
        """
        predicted = self.predict_features(self.schema.encode(frame))
        if isinstance(self.target, ClassificationTarget):
            return self.target.decode(predicted.argmax(axis=1))
        return _squeeze(predicted)

    def predict_proba(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities `[N, K]`, in the order of `target.classes`."""
        return self.predict_features(self.schema.encode(frame))

    def predict_features(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities `[N, K]`, or values `[N, T]`, of rows that the schema has encoded.

        Args:
            X: features, `[N, I]`.
        """
        mean = np.asarray(
            sum(weight * self.loss.predict(output).numpy() for weight, output in self._outputs(X))
        )
        if isinstance(self.target, RegressionTarget):
            return self.target.decode(mean)
        return mean.clip(0.0, 1.0)  # a sum of shares may be off by a rounding

    def predict_std(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Standard deviation of each prediction: where the nets disagree, and the noise left.

        The noise is what the nets say themselves where their loss has them tell a variance. The
        shape is that of `predict`. The two parts add as variances.
        """
        mean, square, variance = np.zeros(()), np.zeros(()), np.zeros(())
        for weight, output in self._outputs(self.schema.encode(frame)):
            values, own = self.loss.predict(output).numpy(), self.loss.variance(output)
            mean = mean + weight * values
            square = square + weight * values**2
            if own is not None:
                variance = variance + weight * own.numpy()
        spread = np.sqrt(np.maximum(square - mean**2, 0.0) + variance)
        scale = self.target.scale if isinstance(self.target, RegressionTarget) else 1.0
        noise = 0.0 if variance.any() else self.noise or 0.0
        return _squeeze(np.hypot(spread * np.asarray(scale), noise))

    def save(self, path: Any) -> None:
        """Write one safetensors file, without pickle. See `slalom.models.model_file`."""
        header = {
            "schema": self.schema.to_json(),
            "target": self.target.to_json(),
            "loss": self.loss.to_json(),
            "nets": [net.to_json() for net in self.nets],
            "weights": list(self.weights),
            "noise": list(self.noise),
            "about": self.about,
        }
        tensors = {
            f"{k}.{name}": tensor.detach().clone().contiguous()  # a copy each: modules may share
            for k, module in enumerate(self.modules)
            for name, tensor in module.state_dict().items()
        }
        write_model(path, header, tensors)

    @classmethod
    def load(cls, path: Any) -> "Predictor":
        """Read a file that `save` wrote.

        Raises:
            BadFile: when the file is missing, is not one of ours, is damaged, or names a function
                that has not been made known with `slalom.trust`.
        """
        header, tensors = read_model(path)
        try:
            return _predictor(header, tensors)
        except BadPlan as error:
            raise BadFile(
                f"The model {path} is damaged, or not for this process. {error}"
            ) from error
        except (LookupError, TypeError, ValueError, RuntimeError) as error:
            raise BadFile(damaged(path, error)) from error

    def _outputs(self, X: NDArray[np.float32]) -> Iterator[tuple[float, torch.Tensor]]:
        """Weight and raw outputs `[N, O]` of each net."""
        rows = torch.from_numpy(np.ascontiguousarray(X))
        for weight, module in zip(self.weights, self.modules, strict=True):
            # in float64, so that probabilities sum to 1 as closely as peers expect
            yield weight, outputs(module, rows).double()


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise BadPlan(f"Predictor: {what}.")


def _squeeze(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[:, 0] if values.shape[1] == 1 else values


def _predictor(header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Predictor:
    nets = tuple(NetSpec.from_json(net) for net in header["nets"])
    kinds = {cls.kind: cls for cls in (RegressionTarget, ClassificationTarget)}
    parts: list[dict[str, torch.Tensor]] = [{} for _ in nets]
    for name, tensor in tensors.items():
        k, _, own = name.partition(".")
        parts[int(k)][own] = tensor
    return Predictor(
        schema=Schema.from_json(header["schema"]),
        target=kinds[header["target"]["kind"]].from_json(header["target"]),
        loss=Loss.from_json(header["loss"]),
        nets=nets,
        modules=tuple(_module(net, part) for net, part in zip(nets, parts, strict=True)),
        weights=tuple(header["weights"]),
        noise=tuple(header["noise"]),
        about=header["about"],
    )


def _module(net: NetSpec, tensors: dict[str, torch.Tensor]) -> torch.nn.Module:
    """The net with these weights, built only if they are the ones that it needs."""
    for device in ("meta", "cpu"):  # the first knows shapes and takes no memory
        try:
            with torch.device(device):
                module = net.build(seed=0).float()
        except Exception as error:  # whatever a factory of the user's raises
            if device == "meta":  # where not everything can be computed
                continue
            why = str(error).partition("\n")[0]
            raise BadFile(f"The model is damaged: {net.label} cannot be built: {why}.") from error
        if _shapes(module.state_dict()) != _shapes(tensors):
            raise BadFile(f"The model is damaged: its weights are not those of {net.label}.")
    module.load_state_dict(tensors)
    return module.eval()


def _shapes(tensors: dict[str, torch.Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
