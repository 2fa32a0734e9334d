"""The batched engine: members of any one architecture, stacked and trained together by torch."""

from slalom.engine.batched.engine import Batched as Batched
