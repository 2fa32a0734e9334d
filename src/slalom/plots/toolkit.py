"""What pictures of one's own are drawn with: a look, labels, points, movies.

The lessons draw with these; `slalom.plots` has the finished pictures.
"""

from slalom.core.colours import BLUE as BLUE
from slalom.core.colours import GREEN as GREEN
from slalom.core.colours import INK as INK
from slalom.core.colours import ORANGE as ORANGE
from slalom.core.colours import PALE as PALE
from slalom.core.colours import PURPLE as PURPLE
from slalom.core.colours import QUIET as QUIET
from slalom.core.colours import VERMILLION as VERMILLION
from slalom.plots.animation import movie as movie
from slalom.plots.curves import learning_curves as learning_curves
from slalom.plots.decision_regions import draw_boundaries as draw_boundaries
from slalom.plots.decision_regions import draw_classes as draw_classes
from slalom.plots.decision_regions import draw_regions as draw_regions
from slalom.plots.decision_regions import region_numbers as region_numbers
from slalom.plots.images import draw_filters as draw_filters
from slalom.plots.images import draw_image as draw_image
from slalom.plots.images import draw_maps as draw_maps
from slalom.plots.labels import number as number
from slalom.plots.labels import rows_of as rows_of
from slalom.plots.labels import shortened as shortened
from slalom.plots.labels import wrapped as wrapped
from slalom.plots.movie import LAST_MS as LAST_MS
from slalom.plots.movie import Movie as Movie
from slalom.plots.movie import Track as Track
from slalom.plots.points import draw_points as draw_points
from slalom.plots.points import name_axes as name_axes
from slalom.plots.race import race as race
from slalom.plots.style import CHINESE as CHINESE
from slalom.plots.style import Picture as Picture
from slalom.plots.style import class_color as class_color
from slalom.plots.style import class_marker as class_marker
from slalom.plots.style import color_of as color_of
from slalom.plots.style import end_labels as end_labels
from slalom.plots.style import halo as halo
from slalom.plots.style import headline as headline
from slalom.plots.style import line_of as line_of
from slalom.plots.style import look as look
from slalom.plots.style import picture as picture
from slalom.plots.style import whole_ticks as whole_ticks
