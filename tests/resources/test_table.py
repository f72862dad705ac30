"""The table of resources: what may be added, which row answers, and what reset leaves."""

import math
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from mp_oauth_sandbox import InvalidInputError
from mp_oauth_sandbox.resources import ResourceTable

BUILT_IN = ["/users/me", "/checkout/preferences", "/v1/payments", "/v1/payments/search"]


@pytest.fixture
def table() -> ResourceTable:
    return ResourceTable()


def found(table: ResourceTable, method: str, path: str) -> str | None:
    match = table.find(method, tuple(path.removeprefix("/").split("/")))
    return match.resource.path if match else None


def test_it_starts_with_the_built_in_rows(table: ResourceTable):
    rows = table.list()

    assert [row.path for row in rows] == BUILT_IN
    assert all(row.built_in for row in rows)
    assert [row.id for row in rows] == [1, 2, 3, 4]


def test_a_row_answers_its_method_and_path_and_a_get_answers_head_too(table: ResourceTable):
    table.add("GET", "/v1/payments/{id}")

    assert found(table, "GET", "/v1/payments/5") == "/v1/payments/{id}"
    assert found(table, "HEAD", "/v1/payments/5") == "/v1/payments/{id}"
    assert found(table, "POST", "/v1/payments/5") is None
    assert found(table, "GET", "/v1/payments/5/") is None
    assert found(table, "GET", "/v1/payments/5/6") is None


def test_the_longer_literal_beginning_answers(table: ResourceTable):
    for path in ("/{a}/{b}/c", "/x/{b}/{c}", "/{a}/y/z", "/x/y/{c}"):
        table.add("GET", path)

    assert found(table, "GET", "/v1/payments/search") == "/v1/payments/search"
    assert found(table, "GET", "/x/y/z") == "/x/y/{c}"
    assert found(table, "GET", "/x/q/z") == "/x/{b}/{c}"
    assert found(table, "GET", "/q/y/z") == "/{a}/y/z"
    assert found(table, "GET", "/q/q/c") == "/{a}/{b}/c"
    assert found(table, "GET", "/q/q/q") is None


def test_the_names_of_a_path_are_those_of_the_row(table: ResourceTable):
    table.add("GET", "/users/{user}/items/{item}")

    match = table.find("GET", ("users", "a/b", "items", "{}"))

    assert match is not None
    assert match.path == {"user": "a/b", "item": "{}"}


def test_a_later_row_takes_the_place_of_an_earlier_one(table: ResourceTable):
    table.add("GET", "/v1/a/{x}", status=200)
    newer = table.add("GET", "/v1/a/{y}", status=404)
    over = table.add("GET", "/users/me", body={"id": 1})

    assert len(table.list()) == len(BUILT_IN) + 1
    match = table.find("GET", ("v1", "a", "b"))
    assert match is not None
    assert (match.resource, match.path) == (newer, {"y": "b"})
    assert table.list()[-1] == over
    assert not over.built_in


def test_what_is_removed_answers_no_more(table: ResourceTable):
    added = table.add("GET", "/v1/a/{x}")
    table.remove("GET", "/v1/a/{x}")
    table.remove("GET", "/users/me")

    assert found(table, "GET", "/v1/a/b") is None
    assert found(table, "GET", "/users/me") is None
    with pytest.raises(InvalidInputError, match="path: there is no resource GET /users/me"):
        table.remove("GET", "/users/me")
    with pytest.raises(InvalidInputError, match=f"id: there is no resource {added.id}"):
        table.remove_id(added.id)


def test_reset_returns_to_the_marked_rows(table: ResourceTable):
    kept = table.add("GET", "/kept/{x}")
    table.mark_start()
    table.remove("GET", "/users/me")
    gone = table.add("GET", "/gone/{x}/y")

    table.reset()

    assert [row.path for row in table.list()] == [*BUILT_IN, kept.path]
    assert found(table, "GET", "/kept/1") == kept.path
    assert found(table, "GET", "/gone/1/y") is None
    assert table.add("GET", "/again").id == gone.id


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"method": "get"}, "method"),
        ({"method": "HEAD"}, "method"),
        ({"method": "OPTIONS"}, "method"),
        ({"path": "v1"}, "path"),
        ({"path": "/"}, "path"),
        ({"path": "/v1/"}, "path"),
        ({"path": "//v1"}, "path"),
        ({"path": "/v1?x=1"}, "path"),
        ({"path": "/v1/a b"}, "path"),
        ({"path": "/v1/x{id}"}, "path"),
        ({"path": "/v1/{}"}, "path"),
        ({"path": "/v1/{ID}"}, "path"),
        ({"path": "/{a}/{a}"}, "path"),
        ({"path": "/" + "x" * 500}, "path"),
        ({"path": "/oauth/token"}, "path"),
        ({"path": "/authorization/consent"}, "path"),
        ({"path": "/callback"}, "path"),
        ({"path": "/_sandbox/health"}, "path"),
        ({"status": 199}, "status"),
        ({"status": 600}, "status"),
        ({"headers": {"a b": "c"}}, "headers"),
        ({"headers": {"a": "b\r\nc: d"}}, "headers"),
        ({"headers": {"Content-Length": "5"}}, "headers"),
        ({"headers": {"content-type": "text/html"}}, "headers"),
        ({"body": object()}, "body"),
        ({"body": "\ud800"}, "body"),
        ({"body": deep(101)}, "body"),
        ({"body": deep(sys.getrecursionlimit() + 10)}, "body"),
        ({"body": {"id": ["$path.other"]}}, "body"),
    ],
)
def test_what_cannot_be_used_is_named(table: ResourceTable, changes: dict[str, Any], field: str):
    given: dict[str, Any] = {"method": "GET", "path": "/v1/{id}"} | changes
    method, path = given.pop("method"), given.pop("path")

    with pytest.raises(InvalidInputError) as caught:
        table.add(method, path, **given)

    assert caught.value.field == field
    assert len(table.list()) == len(BUILT_IN)


def test_a_body_is_copied_when_it_is_given(table: ResourceTable):
    body: dict[str, object] = {"ids": [1], "odd": math.inf}
    added = table.add("GET", "/v1/x", body=body)
    body["ids"] = []

    assert added.body == {"ids": [1], "odd": None}


def test_a_body_may_have_a_hundred_levels(table: ResourceTable):
    assert table.add("GET", "/v1/x", body=deep(100)).body == deep(100)


def test_ten_thousand_rows_are_found_as_fast_as_one(table: ResourceTable):
    for index in range(10_000):
        table.add("GET", f"/v1/{index}/{{id}}")

    tried = 0

    class Counting(dict):  # type: ignore[type-arg]  # counts look-ups, whatever the types
        def get(self, *args: object) -> object:
            nonlocal tried
            tried += 1
            return super().get(*args)

    table._rows = Counting(table._rows)
    assert found(table, "GET", "/v1/9999/5") == "/v1/9999/{id}"
    assert tried <= 3
    assert found(table, "GET", "/v1/10000/5") is None


def test_a_table_has_an_end(table: ResourceTable, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mp_oauth_sandbox.resources.table.LARGEST", 5)
    table.add("GET", "/a")

    with pytest.raises(InvalidInputError, match="remove some"):
        table.add("GET", "/b")


def test_many_threads_may_change_it_at_once(table: ResourceTable):
    def change(name: int) -> None:
        for index in range(200):
            table.add("GET", f"/{name}/{{x}}/{index}")
            assert found(table, "GET", f"/{name}/a/{index}")
            table.remove("GET", f"/{name}/{{x}}/{index}")

    threads = [threading.Thread(target=change, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [row.path for row in table.list()] == BUILT_IN


# ---- files ----

GOOD = """
[[resource]]
method = "GET"
path = "/v1/payments/{id}"
body = { id = "$path.id", collector_id = "$user_id" }

[[resource]]
method = "DELETE"
path = "/v1/cards/{card}"
status = 204
headers = { x-reason = "gone" }
"""


def test_a_file_adds_its_entries(table: ResourceTable, tmp_path: Path):
    file = tmp_path / "resources.toml"
    file.write_text(GOOD)

    table.load(file)

    first, second = table.list()[-2:]
    assert (first.status, first.body) == (200, {"id": "$path.id", "collector_id": "$user_id"})
    assert (second.status, dict(second.headers)) == (204, {"x-reason": "gone"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[resource]]\nmethod = 'GET'", "path"),
        ("[[resource]]\nmethod = 'GET'\npath = '/a'\nstat = 1", "stat"),
        ("[[resources]]", "resources"),
        ("nonsense", "cannot be used"),
        (GOOD + "[[resource]]\nmethod='GET'\npath='x'", r"resource\[2\].path"),
        ("\xff", "cannot be used"),
    ],
)
def test_a_file_with_a_mistake_adds_nothing(
    table: ResourceTable, tmp_path: Path, text: str, words: str
):
    file = tmp_path / "resources.toml"
    file.write_text(text, encoding="latin-1")

    with pytest.raises(InvalidInputError, match=words):
        table.load(file)
    with pytest.raises(InvalidInputError, match="resources: "):
        table.load(tmp_path / "absent.toml")

    assert len(table.list()) == len(BUILT_IN)
