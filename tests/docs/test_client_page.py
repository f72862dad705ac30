"""The tables of docs/client.md hold what the client's own classes say, row by row."""

import re
from collections.abc import Iterator

import mp_oauth_sandbox.client as client
from mp_oauth_sandbox.client import LinkingError, Reason

from .pages import DOCS

PAGE = (DOCS / "client.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in table[2:]]


def leaves(kind: type[LinkingError]) -> Iterator[type[LinkingError]]:
    below = kind.__subclasses__()
    if not below:
        yield kind
    for one in below:
        yield from leaves(one)


def test_every_error_is_there_with_what_it_says_of_itself():
    said = {name: (whose, passes, do) for name, whose, passes, do in rows("What can go wrong")}

    assert said == {
        one.__name__: (one.whose, "yes" if one.transient else "no", one.next_step)
        for one in leaves(LinkingError)
    }


def test_every_reason_is_there():
    assert [reason for reason, *_ in rows("The callback")] == list(Reason)


def test_every_event_is_there():
    named = {event for cell, _ in rows("Logs and metrics") for event in re.findall(r"\w+", cell)}

    # All are told in these two modules, by name.
    code = "".join(
        (DOCS.parent / "mp_oauth_sandbox" / "client" / f"{module}.py").read_text(encoding="utf-8")
        for module in ("desk", "flows", "vault")
    )
    told = set(re.findall(r"self\._(?:tell|warn)\(\s*\"(\w+)\"", code))
    assert named == told


def test_every_name_that_the_page_imports_is_public():
    imported = re.findall(r"from mp_oauth_sandbox\.client import ([\w, ]+)", PAGE)
    names = {name.strip() for line in imported for name in line.split(",")}

    assert names
    assert names <= set(vars(client))


def test_the_store_for_an_orm_is_the_one_that_the_example_runs():
    section = PAGE.split("## Your own database\n")[1].split("\n## ")[0]
    shown = section.split("```python\n")[1].split("```")[0]
    example = (DOCS.parent / "examples" / "django" / "app.py").read_text(encoding="utf-8")

    assert "generation=expected" in shown
    assert shown in example
