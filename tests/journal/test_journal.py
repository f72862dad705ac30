"""The journal keeps what happened, and never costs anybody an answer."""

import json
import logging

import httpx
import pytest

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.journal import KEPT


@pytest.fixture
def sandbox():
    with Sandbox(live=False) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox):
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client:
        yield client


def test_a_subscriber_that_fails_costs_nobody_an_answer(sandbox, client, caplog):
    def fail(_entry: object) -> None:
        raise UnicodeEncodeError("latin-1", "中", 0, 1, "not in this terminal")

    sandbox.journal.subscribe(fail)
    with caplog.at_level(logging.ERROR):
        assert client.get("/中").status_code == 401
    assert "A subscriber of the journal failed on entry 1" in caplog.text


def test_entries_that_cannot_be_kept_cost_nobody_an_answer(sandbox, client, caplog):
    def full(_batch: object) -> None:
        raise OSError("no space left")

    sandbox.journal._save = full
    with caplog.at_level(logging.ERROR):
        assert {client.get("/").status_code for _ in range(3)} == {200}
        assert {client.get("/x").status_code for _ in range(130)} == {401}
    assert "64 journal entries could not be kept" in caplog.text
    assert len(sandbox.journal) == 130


def test_what_could_not_be_kept_is_tried_again_in_order_and_costs_no_more_each_time(
    sandbox, client
):
    sizes: list[int] = []
    kept: list[bytes] = []

    def full(batch: list[bytes]) -> None:
        sizes.append(len(batch))
        raise OSError("no space left")

    sandbox.journal._save = full
    for _ in range(200):
        client.get("/x")
    assert len(sizes) == 3
    assert max(sizes) <= 64

    sandbox.journal._save = kept.extend
    sandbox.journal.flush()
    assert [json.loads(entry)["seq"] for entry in kept] == list(range(1, 201))


def test_what_is_forgotten_is_not_kept_afterwards(sandbox, client):
    kept: list[bytes] = []
    sandbox.journal._save = kept.extend
    client.get("/x")
    sandbox.journal.clear()
    sandbox.journal.flush()
    assert kept == []


def test_it_is_read_like_a_list_of_the_newest(sandbox, client):
    for _ in range(3):
        client.get("/x")
    assert [entry.seq for entry in sandbox.journal] == [1, 2, 3]
    assert [entry.seq for entry in sandbox.journal.entries(after=1, limit=1)] == [2]
    assert sandbox.journal.last("resource").seq == 3
    with pytest.raises(LookupError):
        sandbox.journal.last("token")
    assert KEPT == 10_000


def test_what_was_sent_in_the_wrong_place_is_named(sandbox, client):
    fields = {"grant_type": "client_credentials", "client_id": "1", "client_secret": "2"}
    client.post("/oauth/token", params=fields, json={})
    assert "query string" in (sandbox.journal.last().explanation or "")
    client.post("/oauth/token", auth=("1", "2"), data={"grant_type": "client_credentials"})
    assert "Authorization: Basic" in (sandbox.journal.last().explanation or "")


def test_secrets_in_addresses_and_wrong_fields_are_not_shown(sandbox, client):
    secret = "abcdefghijklmnopqrstuvwxyz012345"
    uri = f"https://shop.example/cb?client_secret={secret}&code=TG%2D6b04c6de6225fe0001c86ea7%2D1"
    client.get("/authorization", params={"client_id": "1", "redirect_uri": uri})
    shown = "".join(str(entry) + str(entry.facts) for entry in sandbox.journal)
    assert secret not in shown
    assert "6b04c6de" not in shown
