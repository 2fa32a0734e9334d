from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import slalom
from slalom import MLP, SGD, Adam, grid, toys
from slalom.core.errors import BadFile, BadPlan
from slalom.data.dataset import Dataset
from slalom.plots import animate
from slalom.plots.animation import animation_numbers
from slalom.runs import Run


def frames_of(path: Path) -> tuple[list[np.ndarray], list[int]]:
    """The frames as arrays, and how long each is shown in milliseconds."""
    with Image.open(path) as image:
        pictures, times = [], []
        for i in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(i)
            pictures.append(np.asarray(image.convert("RGB")).astype(int))
            times.append(image.info["duration"])
    return pictures, times


def test_a_line_bends_over_as_many_frames_as_the_run_kept(line_run: Run, tmp_path: Path) -> None:
    path = line_run.animate(tmp_path / "line.gif")
    pictures, times = frames_of(path)
    assert path == tmp_path / "line.gif"
    assert len(pictures) == len(line_run.frames) == 5
    assert pictures[0].shape == (500, 720, 3)
    assert times == [80, 80, 80, 80, 2000]
    assert all((a != b).any() for a, b in pairwise(pictures))


def test_the_line_has_the_exact_colour_of_its_optimizer(line_run: Run, tmp_path: Path) -> None:
    pictures, _ = frames_of(animate(line_run, tmp_path / "line.gif"))
    sgd = np.array([0x00, 0x72, 0xB2])
    assert ((pictures[-1] == sgd).all(axis=-1)).sum() > 500
    assert (pictures[-1][0, 0] == 255).all()


def test_captions_tell_step_loss_and_accuracy(line_run: Run, region_run: Run) -> None:
    line, regions = animation_numbers(line_run), animation_numbers(region_run)
    last = line_run.frames[-1]
    assert line.captions[0][0].startswith("step 0  loss ")
    assert line.captions[-1][0] == f"step 60  loss {last.train_loss[0]:.3g}"
    accuracy = region_run.frames[-1].metric[3]
    assert regions.captions[-1][3].endswith(f"accuracy {accuracy:.3f}")


def test_predictions_are_those_of_the_frames(region_run: Run) -> None:
    every, one = animation_numbers(region_run), animation_numbers(region_run, member=2)
    assert every.members == (0, 1, 2, 3)
    np.testing.assert_array_equal(one.predictions[:, 0], every.predictions[:, 2])
    np.testing.assert_array_equal(every.predictions[1], region_run.frames[1].predictions)


@pytest.mark.slow
def test_members_stand_side_by_side(region_run: Run, tmp_path: Path) -> None:
    pictures, _ = frames_of(animate(region_run, tmp_path / "all.gif"))
    assert pictures[0].shape == (720, 840, 3)
    alone, _ = frames_of(animate(region_run, tmp_path / "one.gif", member=1))
    assert alone[0].shape == (500, 720, 3)
    colored = np.ptp(pictures[-1], axis=-1) > 40
    assert all(
        half.mean() > 0.2 for row in np.split(colored, 2) for half in np.split(row, 2, axis=1)
    )


def test_regions_in_the_gif_are_where_the_model_sees_each_class(
    region_run: Run, tmp_path: Path
) -> None:
    pictures, _ = frames_of(animate(region_run, tmp_path / "one.gif", member=3))
    tint = 255 - pictures[-1][np.ptp(pictures[-1], axis=-1) > 15]
    pure = 255 - np.array([[0, 114, 178], [230, 159, 0], [0, 158, 115]])
    fit = (tint @ pure.T) / np.linalg.norm(tint, axis=1)[:, None] / np.linalg.norm(pure, axis=1)
    shares = np.bincount(fit.argmax(axis=1), minlength=3) / len(tint)
    likeliest = region_run.frames[-1].predictions[3].argmax(axis=1)
    truth = np.bincount(likeliest, minlength=3) / len(likeliest)
    np.testing.assert_allclose(shares, truth, atol=0.05)


def test_a_diverged_member_says_when_and_leaves_the_others_their_picture(tmp_path: Path) -> None:
    members = grid(net=MLP(1, 4, 1), optimizer=SGD, lr=[0.1, 1e6])
    run = slalom.train(members, toys.quadratic(20), steps=40, frames=5)
    captions = animation_numbers(run).captions
    assert captions[-1][1] == f"diverged at step {run.state.diverged_at[1]}"
    assert captions[-1][0].startswith("step 40  loss")
    animate(run, tmp_path / "d.gif")


@pytest.mark.slow
def test_the_file_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = grid(net=MLP(2, 8, 2), optimizer=[SGD(0.1), Adam(0.05)])
    run = slalom.train(members, toys.spirals(100), steps=100, frames=20)
    whole, times = frames_of(animate(run, tmp_path / "a.gif"))
    assert (tmp_path / "a.gif").stat().st_size < 3_000_000
    monkeypatch.setattr("slalom.plots.movie.MOST_BYTES", 100)
    fewer, longer = frames_of(animate(run, tmp_path / "b.gif"))
    assert len(fewer) < len(whole) / 2
    assert sum(times) == pytest.approx(sum(longer), rel=0.3)
    np.testing.assert_array_equal(fewer[-1], whole[-1])


def test_two_classes_on_one_feature_show_a_probability(tmp_path: Path) -> None:
    data = Dataset(np.linspace(-1, 1, 40)[:, None], np.arange(40) // 20, "classification")
    run = slalom.train(MLP(1, 4, 2), data, optimizer=SGD(0.5), steps=20, frames=3)
    assert len(frames_of(animate(run, tmp_path / "p.gif"))[0]) == 3


def test_without_frames_the_message_says_how_to_get_some(grid_run: Run, tmp_path: Path) -> None:
    with pytest.raises(BadPlan, match=r"kept no frames to animate\. Train with frames=60"):
        animate(grid_run, tmp_path / "a.gif")


def test_a_member_without_frames_is_refused(line_run: Run, tmp_path: Path) -> None:
    with pytest.raises(BadPlan, match="Frames cover members 0 to 0, but member 1"):
        animate(line_run, tmp_path / "a.gif", member=1)


def test_a_regression_on_two_features_has_no_animation(tmp_path: Path) -> None:
    data = Dataset(np.random.default_rng(0).random((9, 2)), np.arange(9.0), "regression")
    with pytest.raises(BadPlan, match="1 targets for regression"):
        slalom.train(MLP(2, 1), data, steps=2, frames=2)
    with pytest.raises(BadPlan, match="frames"):
        animate(slalom.train(MLP(2, 1), data, steps=2), tmp_path / "a.gif")


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.mp4", "written as .gif, but .* ends in .mp4"), ("nowhere/a.gif", "no folder")],
)
def test_a_path_that_cannot_be_is_refused(
    line_run: Run, tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(BadFile, match=message):
        animate(line_run, tmp_path / name)
