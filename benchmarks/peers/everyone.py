"""Who is measured on a job, by name."""

from functools import partial

from peers.contestant import Maker, Pair
from peers.jax_scan import Scan
from peers.job import Job
from peers.loop import Loop, TwoThreads
from peers.sklearn_mlp import OPTIMIZERS, SklearnMLP
from peers.slalom_engine import Slalom, engine_of
from peers.stacked import BMM, Compiled, Vmap


def contestants(job: Job, pair: Pair, engine: str) -> dict[str, Maker]:
    """All that can do this job, in the order of tables: Slalom, then its peers.

    Args:
        job: the work.
        pair: two processes, for what trains one member at a time.
        engine: the name of Slalom's.
    """
    alone = job.members == 1
    makers: dict[str, Maker] = {
        "slalom": partial(Slalom, engine=engine_of(engine)),
        "jax vmap": partial(Scan, how="vmap"),
    }
    if alone:
        makers["jax map"] = partial(Scan, how="map")
    else:
        makers["jax vmap, halves"] = partial(Scan, how="vmap", devices=2)
        makers["jax map, halves"] = partial(Scan, how="map", devices=2)
    makers |= {"bmm": BMM, "vmap": Vmap, "vmap compiled": Compiled}
    makers["loop"] = Loop if alone else pair.run(Loop)
    if alone:
        makers["loop, two threads"] = TwoThreads
    if job.optimizer.name in OPTIMIZERS:
        makers["scikit-learn"] = SklearnMLP if alone else pair.run(SklearnMLP)
    return makers
