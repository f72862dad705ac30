"""Linking, and every callback that must not link."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from mp_oauth_sandbox import Sandbox, Seller

from .person import Person
from .running import CLIENT_ID, EXAMPLES, Running

MakePerson = Callable[[str], Person]
OWN_FORMS = ("/login", "/logout", "/mp/link", "/mp/unlink", "/sales")


def token_requests(sandbox: Sandbox) -> int:
    return len(sandbox.journal.query(kind="token"))


def assert_refused_kindly(answer: httpx.Response) -> None:
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "<a href=" in answer.text


@pytest.mark.parametrize("example", EXAMPLES, indirect=True)  # Express in every run, too.
def test_a_seller_is_linked_shown_and_unlinked(ana: Person, seller: Seller):
    assert (ana.status, ana.seller) == ("none", None)

    ana.link(seller)
    assert (ana.status, ana.seller) == ("linked", seller.user_id)
    assert str(seller.user_id) in ana.get("/").text

    answer = ana.post("/mp/unlink")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (ana.status, ana.seller) == ("unlinked", None)
    assert str(seller.user_id) not in ana.get("/").text


def test_the_authorization_url_has_what_mercado_pago_asks_for(ana: Person, example: Running):
    first, second = (httpx.URL(ana.start()).params for _ in range(2))

    assert first["response_type"] == "code"
    assert first["platform_id"] == "mp"
    assert first["redirect_uri"] == example.callback
    assert first["code_challenge_method"] == "S256"
    assert len(first["code_challenge"]) == 43
    # 128 bits take 22 characters of base64, or 32 of hex.
    assert len(first["state"]) >= 22
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


def test_an_application_that_requires_pkce_is_linked_where_nothing_surplus_is_taken(
    ana: Person, mp_sandbox: Sandbox, seller: Seller
):
    mp_sandbox.update_application(CLIENT_ID, lambda one: replace(one, pkce_required=True))
    mp_sandbox.change_profile(challenge_missing="error_page", surplus_fields="refuse")

    ana.link(seller)

    assert ana.status == "linked"


def test_the_redirect_uri_is_the_configured_one_whatever_the_host_header(
    ana: Person, example: Running
):
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example", "origin": example.url}
    answer = ana.http.post("/mp/link", headers=forged)

    location = answer.headers.get("location", "")
    assert "evil.example" not in location
    # Refusing a strange host is as good.
    assert answer.status_code >= 400 or httpx.URL(location).params["redirect_uri"] == (
        example.callback
    )


@pytest.mark.parametrize("path", ["/mp/status", "/mp/link", "/mp/unlink", "/sales"])
def test_nothing_is_done_for_somebody_who_is_not_logged_in(
    path: str, example: Running, mp_sandbox: Sandbox
):
    stranger = Person(example, mp_sandbox, "nobody")
    with stranger.http:
        answer = stranger.get(path) if path == "/mp/status" else stranger.post(path)

    assert answer.status_code == 401


def test_a_login_always_begins_a_new_session(
    ana: Person, person: MakePerson, example: Running, mp_sandbox: Sandbox, seller: Seller
):
    planted = ana.cookies
    victim = Person(example, mp_sandbox, "beto")
    with victim.http:
        victim.http.cookies.update(planted)
        victim.log_in()
        victim.link(seller)

        assert dict(victim.cookies) != dict(planted)
        # The planted session is not the victim's: it has ended, or is still Ana's own.
        seen = ana.get("/mp/status")
        assert seen.status_code == 401 or seen.json()["status"] == "none"


def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(
    example: Running, mp_sandbox: Sandbox
):
    ana = Person(example, mp_sandbox, "ana")
    with ana.http:
        cookies = ana.post("/login", account="ana").headers.get_list("set-cookie")

    attributes = {part.strip().lower() for cookie in cookies for part in cookie.split(";")}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes


def test_a_logout_ends_the_session_on_the_server_too(ana: Person):
    kept = ana.cookies
    assert ana.post("/logout").status_code == 303

    ana.http.cookies.update(kept)

    assert ana.get("/mp/status").status_code == 401


@pytest.mark.parametrize("path", OWN_FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=lambda headers: " ".join(f"{name} {value}" for name, value in headers.items()),
)
def test_a_form_that_another_site_sends_is_refused(
    path: str, headers: dict[str, str], linked: Person, mp_sandbox: Sandbox
):
    answer = linked.http.post(path, data={"account": "evil"}, headers=headers)

    assert answer.status_code == 403
    assert linked.status == "linked"
    mp_sandbox.journal.assert_count(0, kind="resource")


def test_names_are_escaped(person: MakePerson, example: Running):
    page = person('<b>"ana"&</b>').get("/").text

    assert "<b>" not in page
    assert "&lt;b&gt;" in page or "&#60;b&#62;" in page


# ---- the seller refuses ----


def test_a_denial_links_nobody_and_a_new_attempt_works(
    ana: Person, mp_sandbox: Sandbox, seller: Seller
):
    answer = ana.get(ana.deny(ana.start()))

    assert answer.status_code in {303, 400}
    assert token_requests(mp_sandbox) == 0
    assert ana.status == "none"
    ana.link(seller)
    assert ana.status == "linked"


def test_a_denial_spends_the_state(ana: Person, mp_sandbox: Sandbox, seller: Seller):
    url = ana.start()
    ana.get(ana.deny(url))

    answer = ana.get(ana.approve(url, seller))

    assert_refused_kindly(answer)
    assert token_requests(mp_sandbox) == 0
    assert ana.status == "none"


def test_a_denial_does_not_end_the_link_there_is(linked: Person):
    linked.get(linked.deny(linked.start()))

    assert linked.status == "linked"
    assert linked.sell().status_code == 200


# ---- the same callback again ----


def test_a_reloaded_callback_shows_the_success_again_and_exchanges_nothing(
    ana: Person, mp_sandbox: Sandbox, seller: Seller
):
    callback = ana.approve(ana.start(), seller)

    answers = [ana.get(callback) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert token_requests(mp_sandbox) == 1
    assert ana.status == "linked"


def test_a_denial_after_the_success_changes_nothing(ana: Person, seller: Seller):
    url = ana.start()
    callback = ana.approve(url, seller)
    ana.get(callback)

    assert_refused_kindly(ana.get(ana.deny(url)))

    assert ana.get(callback).status_code == 303
    assert ana.status == "linked"


def test_callbacks_at_the_same_time_lead_to_one_exchange_and_all_succeed(
    ana: Person, mp_sandbox: Sandbox, seller: Seller
):
    callback = ana.approve(ana.start(), seller)
    # The first exchange is held long enough for a second one to come, if there is any.
    mp_sandbox.faults.add("gate", on="exchange", waiting=2, within=0.3)

    with ThreadPoolExecutor(3) as browsers:
        answers = list(browsers.map(ana.get, [callback] * 3))

    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert token_requests(mp_sandbox) == 1
    assert ana.status == "linked"


def test_a_state_is_good_for_one_code_only(ana: Person, mp_sandbox: Sandbox, seller: Seller):
    url = ana.start()
    first, second = ana.approve(url, seller), ana.approve(url, seller)
    mp_sandbox.faults.add("gate", on="exchange", waiting=2, within=0.3)

    with ThreadPoolExecutor(2) as browsers:
        answers = list(browsers.map(ana.get, [first, second]))

    assert sorted(answer.status_code for answer in answers) == [303, 400]
    assert token_requests(mp_sandbox) == 1
    assert_refused_kindly(ana.get(ana.approve(url, seller)))
    assert token_requests(mp_sandbox) == 1


def test_a_failed_callback_fails_again_without_another_exchange(
    ana: Person, mp_sandbox: Sandbox, seller: Seller
):
    callback = ana.approve(ana.start(), seller)
    mp_sandbox.faults.add("refuse", on="exchange", status=503)

    answers = [ana.get(callback) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert token_requests(mp_sandbox) == 1
    assert ana.status == "none"


def test_two_tabs_may_finish_in_either_order(ana: Person, seller: Seller, mp_sandbox: Sandbox):
    first, second = ana.start(), ana.start()

    answers = [ana.get(ana.approve(url, seller)) for url in (second, first)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert ana.sell().status_code == 200


# ---- callbacks of others ----


def test_another_session_cannot_finish_and_does_not_spend_the_state(
    person: MakePerson, mp_sandbox: Sandbox, seller: Seller
):
    attacker, victim = person("attacker"), person("victim")
    callback = attacker.approve(attacker.start(), seller)

    assert_refused_kindly(victim.get(callback))
    assert token_requests(mp_sandbox) == 0
    assert victim.status == "none"

    assert attacker.get(callback).status_code == 303


def test_another_login_in_the_same_browser_cannot_finish(
    ana: Person, mp_sandbox: Sandbox, seller: Seller
):
    callback = ana.approve(ana.start(), seller)
    ana.post("/logout")
    ana.account = "beto"
    ana.log_in()

    assert_refused_kindly(ana.get(callback))
    assert token_requests(mp_sandbox) == 0
    assert ana.status == "none"


def test_another_browser_of_the_same_account_cannot_finish(
    ana: Person, person: MakePerson, mp_sandbox: Sandbox, seller: Seller
):
    callback = ana.approve(ana.start(), seller)

    assert_refused_kindly(person(ana.account).get(callback))
    assert token_requests(mp_sandbox) == 0

    assert ana.get(callback).status_code == 303


def test_a_browser_without_a_session_neither_finishes_nor_spends_the_state(
    ana: Person, example: Running, mp_sandbox: Sandbox, seller: Seller
):
    callback = ana.approve(ana.start(), seller)
    scanner = Person(example, mp_sandbox, "nobody")
    with scanner.http:
        assert_refused_kindly(scanner.get(callback))
    assert token_requests(mp_sandbox) == 0

    assert ana.get(callback).status_code == 303


def test_a_head_request_neither_exchanges_nor_spends(
    ana: Person, mp_sandbox: Sandbox, seller: Seller
):
    callback = ana.approve(ana.start(), seller)

    assert ana.http.head(callback).status_code < 500
    assert token_requests(mp_sandbox) == 0
    assert ana.status == "none"

    assert ana.get(callback).status_code == 303


# ---- too late, or not right ----


def test_a_state_lives_ten_minutes(
    ana: Person, mp_sandbox: Sandbox, seller: Seller, advance: Callable[..., None]
):
    in_time, late = ana.start(), ana.start()

    advance(minutes=9, seconds=50)
    assert ana.get(ana.approve(in_time, seller)).status_code == 303

    advance(seconds=11)
    assert_refused_kindly(ana.get(ana.approve(late, seller)))
    assert token_requests(mp_sandbox) == 1


def test_a_code_that_has_expired_is_tried_once_and_links_nobody(
    ana: Person, mp_sandbox: Sandbox, seller: Seller
):
    callback = ana.approve(ana.start(), seller)
    mp_sandbox.clock.advance(minutes=11)  # Only theirs: the state is still good.

    assert_refused_kindly(ana.get(callback))
    assert token_requests(mp_sandbox) == 1
    assert ana.status == "none"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state={state}",
        "state={state}&code=",
        "code=TG-0&state=",
        "code=TG-0&state=guessed",
        "code=TG-0&state={state}0",
        "code=TG-0&state={state}&state={state}",
        "code=<script>alert(1)</script>&state=<script>alert(1)</script>",
        "error=<script>alert(1)</script>&error_description=<script>alert(1)</script>",
        "error=access_denied&state=%00%ff%0d%0aset-cookie:%20a=b",
    ],
)
def test_a_strange_callback_asks_for_no_tokens_and_repeats_nothing(
    query: str, ana: Person, mp_sandbox: Sandbox
):
    state = httpx.URL(ana.start()).params["state"]

    answer = ana.get("/mp/callback?" + query.format(state=state))

    assert_refused_kindly(answer)
    assert token_requests(mp_sandbox) == 0
    assert "alert(1)" not in answer.text
    assert state not in answer.text
    assert ana.status == "none"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lose-response"},
        {"kind": "drop-before-commit"},
        {"kind": "refuse", "status": 500},
        {"kind": "refuse", "status": 429, "retry_after": 1},
        {"kind": "refuse", "cause": "secret_mismatch"},
        {"kind": "garble", "how": "truncated"},
        {"kind": "garble", "how": "html"},
        {"kind": "garble", "how": "empty"},
        {"kind": "garble", "how": "missing-field"},
        {"kind": "garble", "how": "missing-field", "field": "user_id"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_an_exchange_that_fails_is_not_repeated_and_links_nobody(
    fault: dict[str, object], ana: Person, mp_sandbox: Sandbox, seller: Seller
):
    mp_sandbox.faults.add(
        str(fault["kind"]), on="exchange", **{k: v for k, v in fault.items() if k != "kind"}
    )

    assert_refused_kindly(ana.get(ana.approve(ana.start(), seller)))
    assert token_requests(mp_sandbox) == 1
    assert ana.status == "none"

    ana.link(seller)
    assert ana.sell().status_code == 200


# ---- several sellers and accounts ----


def test_each_account_sells_with_its_own_seller(person: MakePerson, mp_sandbox: Sandbox):
    people = [person("ana"), person("beto")]
    sellers = [mp_sandbox.create_seller() for _ in people]
    for one, seller in zip(people, sellers, strict=True):
        one.link(seller)

    for one, seller in zip(people, sellers, strict=True):
        assert one.sell().status_code == 200
        assert mp_sandbox.journal.last("resource").user_id == seller.user_id


def test_a_seller_of_one_account_cannot_be_linked_to_another(
    linked: Person, person: MakePerson, seller: Seller
):
    beto = person("beto")

    assert_refused_kindly(beto.get(beto.approve(beto.start(), seller)))

    assert beto.status == "none"
    assert linked.status == "linked"
    assert linked.sell().status_code == 200


def test_an_account_may_link_another_seller_instead(linked: Person, mp_sandbox: Sandbox):
    other = mp_sandbox.create_seller(country="BR")

    linked.link(other)

    assert (linked.status, linked.seller) == ("linked", other.user_id)
    assert linked.sell().status_code == 200
    assert mp_sandbox.journal.last("resource").user_id == other.user_id


def test_what_was_unlinked_can_be_linked_again_by_anybody(
    linked: Person, person: MakePerson, seller: Seller
):
    linked.post("/mp/unlink")
    beto = person("beto")

    beto.link(seller)

    assert (beto.status, linked.status) == ("linked", "unlinked")
