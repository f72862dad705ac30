"""The server's clock: forward only, and deaf to what moves the test's own time."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import freezegun
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from mp_oauth_sandbox.engine.clock import Clock, ClockError, ClockState

START = datetime(2026, 5, 18, 1, 12, 0, 123_457, tzinfo=UTC)
DAY = timedelta(days=1)


def test_by_default_it_is_the_real_time_and_it_runs():
    clock = Clock()
    assert abs(clock() - datetime.now(UTC)) < timedelta(seconds=30)
    assert clock().tzinfo is UTC
    assert clock.now() <= clock.now()
    assert not clock.frozen


def test_it_can_start_at_an_instant_of_any_zone():
    instant = datetime(2030, 1, 1, tzinfo=timezone(timedelta(hours=-4)))
    assert Clock(instant, frozen=True)() == instant
    assert timedelta() <= Clock(instant)() - instant < timedelta(seconds=30)


def test_a_frozen_clock_stands_still_to_the_microsecond():
    clock = Clock(START, frozen=True)
    assert clock.frozen
    assert clock() == clock() == START


def test_advance_moves_by_exactly_what_is_asked():
    clock = Clock(START, frozen=True)
    moved = clock.advance(timedelta(minutes=1), days=2, hours=3, minutes=4, seconds=0.000_005)
    assert moved == clock() == START + timedelta(days=2, hours=3, minutes=5, microseconds=5)


def test_travel_lands_exactly_there():
    clock = Clock(START, frozen=True)
    assert clock.travel(START) == START
    assert clock.travel(START + DAY) == clock() == START + DAY


def test_a_running_clock_moves_and_goes_on_running():
    clock = Clock(START)
    clock.advance(days=175)
    assert timedelta() <= clock() - (START + 175 * DAY) < timedelta(seconds=30)
    clock.travel(START + 200 * DAY)
    assert timedelta() <= clock() - (START + 200 * DAY) < timedelta(seconds=30)
    assert not clock.frozen


def test_freeze_and_resume_keep_their_place():
    clock = Clock(START)
    stopped = clock.freeze()
    assert clock.freeze() == stopped == clock()
    clock.advance(days=1)
    assert clock() == stopped + DAY
    resumed = clock.resume()
    assert timedelta() <= resumed - (stopped + DAY) < timedelta(seconds=30)
    assert clock.resume() >= resumed


def test_it_never_goes_backwards():
    clock = Clock(START, frozen=True)
    with pytest.raises(ClockError, match=r"cannot go backwards \(asked for -1\.0 s\)"):
        clock.advance(seconds=-1)
    with pytest.raises(ClockError, match="cannot go backwards: it is 2026-05-18T01:12:00"):
        clock.travel(START - timedelta(microseconds=1))
    assert clock.advance(days=1, hours=-24) == START
    assert clock() == START


def test_an_instant_without_a_zone_is_refused():
    naive = datetime(2030, 1, 1)  # noqa: DTZ001 - what is refused
    for act in (Clock().travel, Clock):
        with pytest.raises(ClockError, match="no time zone"):
            act(naive)


@pytest.mark.parametrize("days", [1e9, 1e300, float("inf"), float("nan")])
def test_a_duration_that_leaves_the_calendar_is_refused_and_changes_nothing(days: float):
    clock = Clock(START, frozen=True)
    with pytest.raises(ClockError, match="calendar"):
        clock.advance(days=days)
    with pytest.raises(ClockError, match="beyond the year 9890"):
        clock.advance(timedelta(days=2_920_000))
    assert clock() == START


def test_it_goes_to_the_year_9890_and_no_further():
    last = datetime(9890, 1, 1, tzinfo=UTC)
    clock = Clock(START, frozen=True)
    assert clock.travel(last) == last
    with pytest.raises(ClockError, match="beyond the year 9890"):
        clock.advance(timedelta(microseconds=1))
    assert clock() == last


@given(st.lists(st.timedeltas(timedelta(), timedelta(days=20_000)), max_size=30))
def test_no_sum_of_steps_drifts(steps: list[timedelta]):
    clock = Clock(START, frozen=True)
    for step in steps:
        clock.advance(step)
    assert clock() == START + sum(steps, timedelta())


def test_its_state_can_be_taken_up_again():
    frozen = Clock(START, frozen=True)
    running = Clock(START)
    for clock in (frozen, running):
        again = Clock()
        again.restore(clock.state())
        assert again.frozen is clock.frozen
        assert abs(again() - clock()) < timedelta(seconds=30)
    again = Clock()
    again.restore(frozen.state())
    assert again() == START
    frozen.advance(days=1)
    frozen.restore(again.state())
    assert frozen() == START


@pytest.mark.parametrize(
    "move",
    [
        lambda clock: clock.advance(days=1),
        lambda clock: clock.travel(START + timedelta(days=1)),
        lambda clock: clock.resume(),
    ],
    ids=["advance", "travel", "resume"],
)
def test_what_is_told_before_a_move_hears_where_it_leads_and_can_forbid_it(
    move: Callable[[Clock], object],
):
    clock, twin, told = Clock(START, frozen=True), Clock(START, frozen=True), list[ClockState]()
    moved: list[bool] = []

    def forbid(state: ClockState) -> None:
        told.append(state)
        raise OSError("no room")

    clock.watch(before=forbid, after=lambda: moved.append(True))
    before = clock.state()
    with pytest.raises(OSError, match="no room"):
        move(clock)
    assert (clock.state(), moved) == (before, [])

    clock.watch(before=told.append, after=lambda: moved.append(True))
    move(clock)
    assert (clock.state(), moved) == (told[-1], [True])
    move(twin)
    assert abs(twin() - clock()) < timedelta(seconds=30)


def test_a_way_back_that_cannot_be_saved_is_not_gone():
    clock = Clock(START, frozen=True)
    start = clock.state()
    clock.advance(days=1)

    def full() -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        clock.restore(start, before=full)
    assert clock() == START + timedelta(days=1)


def test_freezegun_does_not_reach_it():
    clock = Clock()
    before = clock()
    with freezegun.freeze_time("1999-01-01"):
        assert before <= clock() < before + timedelta(minutes=5)
        assert before <= Clock()() < before + timedelta(minutes=5)
        assert before + DAY <= clock.advance(days=1) < before + DAY + timedelta(minutes=5)


def test_time_machine_does_not_reach_it():
    clock = Clock()
    before = clock()
    with time_machine.travel("1999-01-01"):
        assert before <= clock() < before + timedelta(minutes=5)
        assert before <= Clock()() < before + timedelta(minutes=5)
        assert before + DAY <= clock.advance(days=1) < before + DAY + timedelta(minutes=5)


def test_no_thread_ever_reads_an_earlier_time_while_others_move_the_clock():
    clock = Clock(START)
    done = threading.Event()
    backwards: list[tuple[datetime, datetime]] = []

    def watch() -> None:
        last = clock()
        while not done.is_set():
            now = clock()
            if now < last:
                backwards.append((last, now))
            last = now

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    for _ in range(2_000):
        clock.advance(timedelta())
        clock.freeze()
        clock.resume()
    done.set()
    for watcher in watchers:
        watcher.join()
    assert backwards == []
