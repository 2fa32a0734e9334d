"""A training under way: what advances it, its frames, and its progress."""

from slalom.training.frames import Frame as Frame
from slalom.training.outcome import Outcome as Outcome
from slalom.training.outcome import Stopper as Stopper
from slalom.training.progress import Progress as Progress
from slalom.training.training import Filmed as Filmed
from slalom.training.training import Happening as Happening
from slalom.training.training import Recorded as Recorded
from slalom.training.training import Snapshot as Snapshot
from slalom.training.training import Training as Training
