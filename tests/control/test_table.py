"""Each call is described once: what serves it, what calls it and its document read the same row."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.control import applications, clock, consent, profile, sellers
from mp_oauth_sandbox.control.applications import ApplicationChange, ApplicationIn, LifetimesIn
from mp_oauth_sandbox.control.caller import Caller
from mp_oauth_sandbox.control.clock import AdvanceIn
from mp_oauth_sandbox.control.consent import ConsentIn
from mp_oauth_sandbox.control.errors import SandboxRefusedError
from mp_oauth_sandbox.control.sellers import SellerIn
from mp_oauth_sandbox.control.table import TABLE
from mp_oauth_sandbox.control.types import Call, Listed
from mp_oauth_sandbox.web.control.all import operations
from mp_oauth_sandbox.web.pages.sessions import Sessions
from mp_oauth_sandbox.webhooks.public import Webhooks

CALLBACK = "https://shop.example/mp/callback"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(live=False) as sandbox:
        yield sandbox


@pytest.fixture
def caller(sandbox: Sandbox) -> Iterator[Caller]:
    with httpx.Client(transport=sandbox.transport()) as http:
        yield Caller(sandbox.url, network=http)


def test_what_calls_a_sandbox_loads_neither_its_server_nor_its_engine(tmp_path: Path) -> None:
    script = (
        "import json, sys, mp_oauth_sandbox.control.caller; print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=tmp_path, check=True, capture_output=True
    )
    loaded: list[str] = json.loads(done.stdout)

    ours = {name for name in loaded if name.startswith("mp_oauth_sandbox.")}
    assert not any(name.split(".")[0] in {"starlette", "uvicorn", "jinja2"} for name in loaded)
    assert {name.split(".")[1] for name in ours} == {"control", "core"}


def test_every_row_is_served_and_nothing_else_is() -> None:
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(live=False))
        engine = sandbox._engine
        served = operations(engine, Webhooks(engine), Sessions())

    assert {id(one.call) for one in served} == {id(call) for call in TABLE}
    assert len({(call.method, call.path) for call in TABLE}) == len(TABLE)
    assert len({call.name for call in TABLE}) == len(TABLE)


@pytest.mark.parametrize("call", TABLE, ids=lambda call: call.name)
def test_a_row_takes_what_its_path_names(call: Call[Any, Any]) -> None:
    named = getattr(call.takes, "__struct_fields__", ())

    assert set(call.in_path) <= set(named)
    assert call.summary
    assert not call.summary.endswith(".")


def test_a_call_is_made_and_answered_in_types(caller: Caller, sandbox: Sandbox) -> None:
    wanted = ApplicationIn(name="Tienda", redirect_uris=[CALLBACK], pkce_required=True)
    made = caller.call(applications.REGISTER, wanted)
    change = ApplicationChange(client_id=made.client_id, lifetimes=LifetimesIn(access_token=60))
    changed = caller.call(applications.EDIT, change)
    caller.call(clock.FREEZE)
    before = sandbox.clock()
    caller.call(clock.ADVANCE, AdvanceIn(seconds=90))

    assert (made.name, made.pkce_required) == ("Tienda", True)
    assert (changed.name, changed.lifetimes.access_token) == ("Tienda", 60)
    assert (sandbox.clock() - before).total_seconds() == 90
    assert caller.call(profile.SHOW) == sandbox.profile


def test_a_refused_call_names_its_field(caller: Caller) -> None:
    with pytest.raises(SandboxRefusedError) as refused:
        caller.call(sellers.CREATE, SellerIn(country="US"))

    assert (refused.value.status, refused.value.field) == (400, "country")


def test_what_is_in_the_path_may_be_anything(caller: Caller) -> None:
    strange = applications.ApplicationWanted(client_id="..?x=1#\udcff")

    with pytest.raises(SandboxRefusedError) as refused:
        caller.call(applications.SHOW, strange)

    assert (refused.value.status, refused.value.field) == (404, "client_id")


def test_what_is_in_the_path_is_not_in_the_body_too(caller: Caller, sandbox: Sandbox) -> None:
    app = sandbox.register_application(redirect_uris=[CALLBACK])
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as http:
        answer = http.patch(
            f"/_sandbox/applications/{app.client_id}", json={"client_id": "1", "name": "B"}
        )

    assert answer.status_code == 400
    assert answer.json()["field"] == "client_id"


def test_a_list_of_any_length_is_read_in_pages(caller: Caller, sandbox: Sandbox) -> None:
    made = [sandbox.create_seller(country="AR").user_id for _ in range(7)]

    pages = list(caller.pages(sellers.LIST, Listed(limit=3)))

    assert [one.user_id for page in pages for one in page.sellers] == made
    assert [len(page.sellers) for page in pages] == [3, 3, 1]


def test_the_end_of_a_full_last_page_is_the_end(caller: Caller, sandbox: Sandbox) -> None:
    for _ in range(3):
        sandbox.create_seller(country="AR")

    assert caller.call(sellers.LIST, Listed(limit=3)).next is None


@pytest.mark.parametrize("row", [sellers.LIST, applications.LIST], ids=lambda row: row.name)
@pytest.mark.parametrize("after", ["7", "nonsense", "9" * 30])
def test_a_page_after_something_that_there_is_not_is_refused(
    caller: Caller, row: Call[Listed, Any], after: str
) -> None:
    with pytest.raises(SandboxRefusedError) as refused:
        caller.call(row, Listed(after=after))

    assert (refused.value.status, refused.value.field) == (400, "after")


# ---- consent of one person ----


def ask(sandbox: Sandbox, http: httpx.Client, cookies: dict[str, str]) -> httpx.Response:
    (application,) = sandbox._engine.store.page(applications.Application, limit=1)
    url = sandbox.authorization_url(application, state="s1")
    return http.get(url, headers={"cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())})


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    sandbox.register_application(redirect_uris=[CALLBACK])
    with httpx.Client(transport=sandbox.transport()) as http:
        yield http


def test_each_person_answers_for_themselves_and_all_others_as_before(
    caller: Caller, sandbox: Sandbox, http: httpx.Client
) -> None:
    ana, rosa = sandbox.create_seller(country="AR"), sandbox.create_seller(country="BR")
    people: list[dict[str, str]] = []
    for mode, seller in (("auto", ana), ("auto", rosa), ("deny", None)):
        opened = caller.call(consent.OPEN_SESSION)
        answer = ConsentIn(
            mode=mode,  # type: ignore[arg-type]
            seller=seller.user_id if seller else None,
            session=opened.session,
        )
        caller.call(consent.SET, answer)
        people.append({opened.cookie: opened.session})

    for person in people:
        ask(sandbox, http, person)
    stranger = ask(sandbox, http, {})

    entries = [one for one in sandbox.journal if one.kind == "authorization"]
    outcomes = [(one.outcome, one.user_id) for one in entries]
    assert outcomes == [
        ("code issued", ana.user_id),
        ("code issued", rosa.user_id),
        ("denied by the seller", None),
        ("sign-in page shown", None),
    ]
    assert stranger.status_code == 200
    assert sandbox.consent.mode == "page"


def test_one_person_can_be_asked_on_the_page_while_all_others_consent(
    caller: Caller, sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.auto_consent(sandbox.create_seller(country="AR"))
    opened = caller.call(consent.OPEN_SESSION)
    caller.call(consent.SET, ConsentIn(mode="page", session=opened.session))

    assert ask(sandbox, http, {opened.cookie: opened.session}).status_code == 200
    assert ask(sandbox, http, {}).status_code == 302


def test_a_session_that_there_is_not_is_refused_and_a_reset_leaves_none(
    caller: Caller, sandbox: Sandbox
) -> None:
    opened = caller.call(consent.OPEN_SESSION)
    sandbox.reset()

    for session in ("nonsense", opened.session):
        with pytest.raises(SandboxRefusedError) as refused:
            caller.call(consent.SET, ConsentIn(mode="deny", session=session))
        assert (refused.value.status, refused.value.field) == (404, "session")
    assert sandbox.consent.mode == "page"


def test_a_session_is_not_printed_with_what_opened_it(caller: Caller) -> None:
    opened = caller.call(consent.OPEN_SESSION)

    assert opened.session not in repr(opened) + repr(ConsentIn(mode="page", session=opened.session))
