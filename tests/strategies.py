"""Random specs for property tests."""

from hypothesis import strategies as st

import slalom
from slalom import MLP, Member, Plan, Population, losses
from slalom.nets import ACTIVATIONS

positive = st.floats(1e-9, 1e9)
share = st.floats(0, 0.999)

optimizers = st.one_of(
    st.builds(slalom.SGD, lr=positive, momentum=share, dampening=share, weight_decay=positive),
    st.builds(slalom.Adagrad, lr=positive, lr_decay=share, eps=positive),
    st.builds(slalom.RMSprop, lr=positive, alpha=share, momentum=share, centered=st.booleans()),
    st.builds(slalom.Adam, lr=positive, betas=st.tuples(share, share), amsgrad=st.booleans()),
    st.builds(slalom.AdamW, lr=positive, weight_decay=positive),
)
simple_schedules = st.one_of(
    st.just(slalom.Constant()),
    st.builds(slalom.StepLR, step_size=st.integers(1, 99), gamma=positive),
    st.builds(slalom.ExponentialLR, gamma=positive),
    st.builds(slalom.CosineAnnealingLR, T_max=st.none() | st.integers(1, 99), eta_min=share),
    st.builds(slalom.OneCycleLR, anneal_strategy=st.sampled_from(["cos", "linear"])),
)
schedules = simple_schedules | st.builds(
    slalom.Warmup, steps=st.integers(1, 99), then=simple_schedules
)
nets = st.builds(
    lambda widths, activation, dropout: MLP(*widths, activation=activation, dropout=dropout),
    st.lists(st.integers(1, 300), min_size=2, max_size=5),
    st.sampled_from(sorted(ACTIVATIONS)),
    share,
)
members = st.builds(
    Member,
    net=nets,
    optimizer=optimizers,
    batch_size=st.none() | st.integers(1, 10_000),
    seed=st.integers(0, 2**63 - 1),
    fold=st.integers(0, 9),
    schedule=schedules,
    clip_norm=st.none() | positive,
)
any_loss = st.one_of(
    st.sampled_from([losses.MSE(), losses.L1(), losses.CrossEntropy()]),
    st.builds(losses.Huber, delta=positive),
    st.builds(losses.GaussianNLL, eps=positive),
    st.builds(losses.BCEWithLogits, pos_weight=st.none() | positive),
    st.builds(
        losses.CrossEntropy,
        weight=st.lists(positive, min_size=2, max_size=4),
        label_smoothing=share,
    ),
)
choices = st.fixed_dictionaries(
    {"net": st.lists(nets, min_size=1, max_size=3)},
    optional={
        "optimizer": st.lists(optimizers, min_size=1, max_size=3),
        "lr": st.lists(positive, min_size=1, max_size=3),
        "weight_decay": st.lists(positive, min_size=1, max_size=2),
        "activation": st.lists(st.sampled_from(sorted(ACTIVATIONS)), min_size=1, max_size=2),
        "dropout": share,
        "batch_size": st.lists(st.none() | st.integers(1, 10_000), min_size=1, max_size=2),
        "seed": st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=3),
        "fold": st.integers(0, 9),
        "schedule": st.lists(schedules, min_size=1, max_size=2),
        "clip_norm": st.lists(st.none() | positive, min_size=1, max_size=2),
    },
)
grids = choices.map(lambda chosen: slalom.grid(**chosen))
lists = st.builds(Population, st.lists(members, min_size=1, max_size=4))
populations = st.one_of(lists, grids, st.builds(lambda one, other: one + other, grids, lists))
plans = st.one_of(
    st.builds(
        Plan,
        population=populations,
        loss=any_loss,
        **length,
        patience=st.none() | st.integers(1, 99),
        validate_every=st.integers(1, 9),
        record=st.sampled_from(["step", "epoch"]),
        record_every=st.integers(1, 10**6),
        frames=st.integers(0, 99),
    )
    for length in ({"epochs": st.integers(1, 10**6)}, {"steps": st.integers(1, 10**9)})
)
