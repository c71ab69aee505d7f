import pytest

from rnncli.nn.schedules import LAST, SCHEDULES, WARM_UP_FRACTION, cosine, stepwise


@pytest.mark.parametrize("schedule", SCHEDULES.values())
def test_the_rate_climbs_from_near_zero_to_its_peak_in_the_warm_up(schedule):
    assert 0 < schedule(0) <= 0.01
    assert schedule(WARM_UP_FRACTION / 2) == pytest.approx(0.5, abs=0.02)
    assert schedule(WARM_UP_FRACTION) == pytest.approx(1, abs=0.002)


def test_a_cosine_falls_to_its_last_rate_and_is_half_way_in_the_middle():
    assert cosine(0.5) == pytest.approx((1 + LAST) / 2)
    assert cosine(1) == pytest.approx(LAST)


def test_steps_halve_the_rate_at_every_twentieth_of_the_second_half():
    assert [stepwise(p) for p in (0.3, 0.499, 0.5, 0.549, 0.55, 0.6)] == [1, 1, 0.5, 0.5, 0.25, 0.125]
    assert stepwise(1) == 0.5**11


@pytest.mark.parametrize("schedule", SCHEDULES.values())
def test_after_its_end_a_schedule_stays_where_it_is(schedule):
    assert schedule(1.5) == schedule(1)
