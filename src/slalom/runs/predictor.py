"""From a raw table to predictions: the schema, an ensemble of trained nets, and the target."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from slalom.data.schema import Schema
from slalom.data.target import ClassificationTarget, RegressionTarget, Target
from slalom.losses import Loss
from slalom.nets import NetSpec

ROWS_AT_ONCE = 16384  # bounds the memory of predictions, whatever the table


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
            validation rows, one a target in original units.
        about: JSON-ready facts on where it comes from.

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

    @property
    def task(self) -> str:
        """`regression` or `classification`."""
        return str(self.target.task)

    def predict(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Labels `[N]`, or values in the target's units: `[N]`, or `[N, T]` for several targets.

        Raises:
            BadData: when a column that the schema needs is missing or cannot be read.
        """
        mean = self._mean(frame)
        if isinstance(self.target, ClassificationTarget):
            return self.target.decode(mean.argmax(axis=1))
        return _squeeze(self.target.decode(mean))

    def predict_proba(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities `[N, K]`, in the order of `target.classes`."""
        return self._mean(frame)

    def predict_std(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Standard deviation of each prediction: where the nets disagree, and the noise left.

        The shape is that of `predict`. The two parts add as variances.
        """
        X = self.schema.encode(frame)
        mean, square = np.zeros(()), np.zeros(())
        for weight, values in self._outputs(X):
            mean = mean + weight * values
            square = square + weight * values**2
        spread = np.sqrt(np.maximum(square - mean**2, 0.0))
        scale = self.target.scale if isinstance(self.target, RegressionTarget) else 1.0
        return _squeeze(np.sqrt((spread * np.asarray(scale)) ** 2 + np.square(self.noise or 0.0)))

    def save(self, path: Any) -> None:
        """Write one safetensors file, without pickle. See `slalom.runs.model_file`."""
        from slalom.runs.model_file import save_model

        save_model(self, path)

    @classmethod
    def load(cls, path: Any) -> "Predictor":
        """Read a file that `save` wrote. Raises `BadFile` when it is not one."""
        from slalom.runs.model_file import load_model

        return load_model(path)

    def _mean(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        X = self.schema.encode(frame)
        return np.asarray(sum(weight * values for weight, values in self._outputs(X)))

    def _outputs(self, X: NDArray[np.float32]) -> Iterator[tuple[float, NDArray[np.float64]]]:
        rows = torch.from_numpy(np.ascontiguousarray(X))
        for weight, module in zip(self.weights, self.modules, strict=True):
            with torch.no_grad():
                outputs = [module.eval()(part) for part in torch.split(rows, ROWS_AT_ONCE)]
                # in float64, so that probabilities sum to 1 as closely as peers expect
                yield weight, self.loss.predict(torch.cat(outputs).double()).numpy()


def _squeeze(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[:, 0] if values.shape[1] == 1 else values
