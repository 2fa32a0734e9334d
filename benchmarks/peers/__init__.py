"""Who does the same work: one module a contestant, each started from the same `Job`."""

from peers.contestant import Contestant as Contestant
from peers.contestant import Maker as Maker
from peers.contestant import Pair as Pair
from peers.job import Job as Job
