"""The windows in which every page is opened: widths, and light or dark."""

import pytest

WINDOWS = [
    (1280, "light"),
    (390, "dark"),
    pytest.param(1280, "dark", marks=pytest.mark.soak),
    pytest.param(390, "light", marks=pytest.mark.soak),
]
