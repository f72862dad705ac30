"""A damaged or odd data file: the sandbox starts, or says in one line why it does not."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from mp_oauth_sandbox import Sandbox, StoreError
from mp_oauth_sandbox.first_run import FirstRun, first_run

CALLBACK = "https://shop.example/mp"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@contextmanager
def opened(data: Path) -> Iterator[tuple[Sandbox, FirstRun]]:
    with Sandbox(live=False, data=data) as sandbox:
        start = first_run(sandbox, redirect_uris=[CALLBACK])
        sandbox.auto_consent(start.sellers[0])
        yield sandbox, start


def flow(sandbox: Sandbox, start: FirstRun) -> int:
    """Approve and exchange; the status of the exchange."""
    application = start.application
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client:
        location = client.get(sandbox.authorization_url(application)).headers["location"]
        body = {
            "grant_type": "authorization_code",
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            "code": httpx.URL(location).params["code"],
            "redirect_uri": CALLBACK,
        }
        return client.post("/oauth/token", json=body).status_code


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of some exchanges, closed."""
    data = tmp_path_factory.mktemp("data") / "sandbox.db"
    with opened(data) as (sandbox, start):
        for _ in range(5):
            assert flow(sandbox, start) == 200
        sandbox.clock.advance(hours=1)
    return data


@pytest.fixture
def data(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path))


def changed(data: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(data)) as db, db:
        assert db.execute(statement, values).rowcount


def refusal(data: Path) -> str:
    """What the start is refused with: one line that names the file."""
    with pytest.raises(StoreError) as caught:
        Sandbox(live=False, data=data).close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("entry", [b"\0", "{}", 7, "null", '{"seq":"x"}'])
def test_damaged_entries_of_the_journal_are_left_out_and_counted(
    data: Path, entry: object, caplog: pytest.LogCaptureFixture
):
    with opened(data) as (sandbox, _):
        before = len(sandbox.journal)
    caplog.clear()
    changed(data, "UPDATE journal SET entry = ? WHERE n IN (2, 4)", entry)

    with opened(data) as (sandbox, start):
        assert len(sandbox.journal) == before - 2
        assert flow(sandbox, start) == 200
    said = "2 journal entries of earlier runs are damaged and left out"
    assert [record.message for record in caplog.records] == [said]


@pytest.mark.parametrize("value", [b"\xff", "{", 7, "[]", "[1,2,3]", '["x",null]'])
def test_a_setting_that_cannot_be_read_is_refused(data: Path, value: object):
    changed(data, "UPDATE settings SET value = ? WHERE name = 'clock'", value)

    assert "holds a setting that this version cannot read" in refusal(data)


@pytest.mark.parametrize("state", [[10**30, None], [5, 10**30], [5, -(10**17)], [2**62, None]])
def test_a_clock_outside_the_calendar_is_refused(data: Path, state: list[int | None]):
    text = str(state).replace("None", "null")
    changed(data, "UPDATE settings SET value = ? WHERE name = 'clock'", text)

    assert refusal(data) == (
        f"{data}: the clock cannot be outside the calendar; start with another file"
    )


@pytest.mark.parametrize("n", range(1, 12))
def test_a_step_that_is_missing_stops_nobody(data: Path, n: int):
    changed(data, "DELETE FROM log WHERE n = ?", n)

    with opened(data) as (sandbox, start):
        assert flow(sandbox, start) == 200
        sandbox.clock.advance(days=400)
        assert flow(sandbox, start) == 200


@pytest.mark.parametrize("seed", range(60))
def test_a_file_with_wrong_bytes_is_served_or_refused(data: Path, seed: int):
    luck = random.Random(seed)  # noqa: S311 - damage, to be had again
    content = bytearray(data.read_bytes())
    for _ in range(luck.choice([1, 3, 30])):
        content[luck.randrange(len(content))] = luck.randrange(256)
    data.write_bytes(content[: luck.randrange(len(content))] if seed % 5 == 0 else content)

    # Anything else that is raised fails this.
    with suppress(StoreError), opened(data) as (sandbox, start):
        assert flow(sandbox, start) in {200, 500}
