import pytest

from ensemble.learners import LEARNERS
from ensemble.tuning import SPACES, Range


@pytest.mark.parametrize("learner", sorted(SPACES))
def test_the_defaults_lie_inside(learner: str) -> None:
    defaults = LEARNERS[learner].configured({}).parameters
    for each in SPACES[learner]:
        assert each.low <= defaults.get(each.name, each.low) <= each.high, each.name


@pytest.mark.parametrize(
    ("value", "edge"),
    [(1.0, "low"), (1.4, "low"), (1.6, None), (50.0, None), (9.4, None), (9900.0, "high"), (10_000.0, "high")],
)
def test_the_edge_of_a_logarithmic_range_is_a_twentieth_of_the_logarithm(value: float, edge: str | None) -> None:
    # log10 from 0 to 4: the lowest twentieth ends at 10**0.2 = 1.58, the highest begins at 10**3.8 = 6310
    assert Range("x", 1, 10_000, log=True).edge(value) == edge


def test_at_a_wall_the_range_can_not_be_widened() -> None:
    share = Range("subsample", 0.3, 1.0, wall="high")
    assert share.edge(1.0) is None
    assert share.edge(0.3) == "low"
