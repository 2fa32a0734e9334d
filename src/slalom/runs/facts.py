"""What a run is and how far it is, as a table; and in what runs differ."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from slalom.runs.folder import RunFolder

# Which files belong to it, and what a reader sees elsewhere, as pictures.
HIDDEN = ("format", "files", "result")
HASHES = ("fingerprint", "plan_sha256")


def facts(folder: RunFolder) -> pd.DataFrame:
    """One row a fact: what, value."""
    told = {k: v for k, v in (folder.about | folder.status).items() if k not in HIDDEN}
    return pd.DataFrame(_flat(told).items(), columns=["what", "value"])


def differences(folders: Sequence[RunFolder]) -> pd.DataFrame:
    """One row for each fact in which runs differ, one column a run."""
    each = [facts(folder).set_index("what")["value"] for folder in folders]
    table = pd.concat(each, axis=1, keys=[folder.name for folder in folders])
    differs = table.nunique(axis=1, dropna=False) > 1
    return table[differs].fillna("").reset_index()


def _flat(values: dict[str, Any], start: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{start}{key}.")
        elif value not in (None, ""):
            found[start + key] = _written(key, value)
    return found


def _written(key: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_written(key, each) for each in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)[:12] if key in HASHES else str(value)
