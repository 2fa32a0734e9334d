"""Where a user's machine keeps what can be made again."""

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """The user's cache folder, or what the environment variable SLALOM_CACHE_DIR names."""
    given = os.environ.get("SLALOM_CACHE_DIR")
    return Path(given) if given else user_cache_path("slalom")
