import threading
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from slalom.core.errors import BadFile
from slalom.optim import OPTIMIZERS
from slalom.plots import style
from slalom.plots.labels import member_labels
from slalom.population import grid


def a_picture() -> style.Picture:
    with style.look():
        figure = style.picture()
        figure.add_subplot().plot([1, 2], [3, 4])
    return figure


def relative_luminance(color: str) -> float:
    """WCAG 2's."""
    rgb = np.array(matplotlib.colors.to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_every_optimizer_has_a_colour_and_a_line_of_its_own() -> None:
    names = {cls().name for cls in OPTIMIZERS.values()} | {OPTIMIZERS["sgd"](momentum=0.9).name}
    assert names == set(style.COLORS) == set(style.LINES)
    assert len(set(style.COLORS.values())) == len(names)
    assert len({str(line) for line in style.LINES.values()}) == len(names)


def test_an_unknown_optimizer_is_grey_and_solid() -> None:
    assert style.color_of("Lion") == style.QUIET
    assert style.line_of("Lion") == "-"


def test_line_colours_stand_out_from_white() -> None:
    for color in style.COLORS.values():
        assert 1.05 / (relative_luminance(color) + 0.05) > 2


def test_classes_have_their_own_colour_and_marker_up_to_56() -> None:
    looks = {(style.class_color(k), style.class_marker(k)) for k in range(56)}
    assert len(looks) == 56


def test_a_file_is_1280_pixels_wide_and_a_notebook_picture_800(tmp_path: Path) -> None:
    figure = a_picture()
    style.save(figure, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (1280, 800)
    (tmp_path / "b.png").write_bytes(figure._repr_png_())
    with Image.open(tmp_path / "b.png") as image:
        assert image.size == (800, 500)


@pytest.mark.slow
def test_svg_is_valid_and_its_bytes_depend_on_the_data_alone(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        style.save(a_picture(), tmp_path / name)
    assert ET.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_pdf_is_written(tmp_path: Path) -> None:
    assert style.save(a_picture(), tmp_path / "a.PDF").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.jpeg", "written as .png, .svg or .pdf, but .* ends in .jpeg"),
        ("a", "has no ending"),
        ("nowhere/a.png", "there is no folder"),
        ("folder.png", "it is a folder"),
    ],
)
def test_a_path_that_cannot_be_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(BadFile, match=message):
        style.save(a_picture(), tmp_path / name)


def test_a_failing_disk_is_a_bad_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    figure = a_picture()
    monkeypatch.setattr(figure, "savefig", full)
    with pytest.raises(BadFile, match="No space left on device"):
        style.save(figure, tmp_path / "a.png")


def test_the_users_settings_neither_change_nor_matter(tmp_path: Path) -> None:
    style.save(a_picture(), tmp_path / "a.png")
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 30, "savefig.dpi": 10}):
        style.save(a_picture(), tmp_path / "b.png")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_settings_are_restored_after_an_error() -> None:
    before = dict(matplotlib.rcParams)
    with pytest.raises(RuntimeError), style.look():
        raise RuntimeError
    assert dict(matplotlib.rcParams) == before


def test_threads_do_not_take_over_each_others_settings() -> None:
    before = dict(matplotlib.rcParams)
    threads = [threading.Thread(target=a_picture) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("seed", range(20))
def test_labels_are_spread_in_order_within_bounds_and_no_closer_than_the_gap(seed: int) -> None:
    heights = np.random.default_rng(seed).random(8).round(1)
    placed = style.spread(heights, gap=0.1)
    order = np.argsort(heights, kind="stable")
    assert np.diff(placed[order]).min() >= 0.1 - 1e-9
    assert placed.min() >= -1e-9
    assert placed.max() <= 1 + 1e-9


def test_labels_far_apart_stay_where_they_are() -> None:
    np.testing.assert_allclose(style.spread(np.array([0.9, 0.1, 0.5]), gap=0.1), [0.9, 0.1, 0.5])
    assert len(style.spread(np.empty(0), gap=0.1)) == 0


def test_member_labels_name_only_what_sets_members_apart() -> None:
    members = grid(
        net=[slalom_net(4), slalom_net(8)], optimizer="adam", lr=[0.1, 0.2], batch_size=[None, 8]
    )
    labels = member_labels(members)
    assert labels[0] == "Adam(lr=0.1), 1-4-1 relu, full batch"
    assert labels[-1] == "Adam(lr=0.2), 1-8-1 relu, batch 8"
    assert len(set(labels)) == 8


def slalom_net(width: int) -> object:
    from slalom import MLP

    return MLP(1, width, 1)
