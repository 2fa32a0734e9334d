"""Who is trained: members, and populations of one to millions of them."""

from slalom.population.columns import Columns as Columns
from slalom.population.columns import grouped as grouped
from slalom.population.columns import spread as spread
from slalom.population.lazy import Grid as Grid
from slalom.population.lazy import Joined as Joined
from slalom.population.member import Member as Member
from slalom.population.member import as_optimizer as as_optimizer
from slalom.population.population import MembersLike as MembersLike
from slalom.population.population import Population as Population
from slalom.population.population import as_population as as_population
from slalom.population.population import grid as grid
from slalom.population.population import sample as sample
