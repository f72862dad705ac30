"""Half a year and longer: renewal, and whatever goes wrong with it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from mp_oauth_sandbox import Sandbox, Seller

from .person import Person
from .running import CLIENT_ID, CLIENT_SECRET, Running

MakePerson = Callable[[str], Person]
Advance = Callable[..., None]


def refreshes(sandbox: Sandbox) -> int:
    return len(sandbox.journal.query(kind="token", grant_type="refresh_token"))


def calls(sandbox: Sandbox) -> int:
    return len(sandbox.journal.query(kind="resource"))


def assert_not_sold(person: Person, status: int) -> None:
    answer = person.sell()
    assert answer.status_code == status, answer.text
    assert answer.json()["sold"] is False
    if status == 409:
        assert answer.json()["message"]


@pytest.fixture
def due(linked: Person, advance: Advance) -> Person:
    """Ana, whose link must be renewed, and whose access token is good for ten more days."""
    advance(days=170)
    return linked.log_in()


@pytest.fixture
def expired(linked: Person, advance: Advance) -> Person:
    """Ana, whose access token has expired; the refresh token lives a little longer."""
    advance(days=180, seconds=1)
    return linked.log_in()


def test_a_link_lives_on_over_200_days_with_the_nightly_job(
    linked: Person, mp_sandbox: Sandbox, example: Running, seller: Seller, advance: Advance
):
    for day in range(200):
        advance(days=1)
        example.run_jobs()
        if day % 10 == 9:
            assert linked.log_in().sell().json() == {"sold": True}

    assert (linked.status, linked.seller) == ("linked", seller.user_id)
    assert refreshes(mp_sandbox) == 1
    mp_sandbox.journal.assert_no_refusals()


def test_each_of_five_renewals_uses_the_token_of_the_one_before(
    linked: Person, mp_sandbox: Sandbox, example: Running, advance: Advance
):
    for _ in range(5):
        advance(days=166)
        example.run_jobs()

    chain = mp_sandbox.journal.query(kind="token", grant_type="refresh_token")
    presented = [entry.facts["refresh_token"] for entry in chain]
    issued = [
        entry.facts["issued_refresh_token"] for entry in mp_sandbox.journal.query(kind="token")
    ]
    assert presented == issued[:5]
    assert linked.log_in().sell().status_code == 200


def test_a_link_is_renewed_a_tenth_of_its_lifetime_early_and_not_sooner(
    ana: Person, mp_sandbox: Sandbox, example: Running, seller: Seller, advance: Advance
):
    mp_sandbox.faults.add("garble", on="exchange", how="other-expires-in", expires_in=1000)
    ana.link(seller)

    advance(seconds=880)
    example.run_jobs()
    assert refreshes(mp_sandbox) == 0

    advance(seconds=25)
    example.run_jobs()
    assert refreshes(mp_sandbox) == 1


def test_a_sale_renews_what_the_nightly_job_has_missed(expired: Person, mp_sandbox: Sandbox):
    assert expired.sell().json() == {"sold": True}

    assert refreshes(mp_sandbox) == 1
    mp_sandbox.journal.assert_no_refusals()


def test_a_seller_who_was_away_for_a_year_must_link_again(
    linked: Person, mp_sandbox: Sandbox, seller: Seller, advance: Advance
):
    advance(days=365)
    linked.log_in()

    assert_not_sold(linked, 409)
    assert linked.status == "needs_relink"
    assert_not_sold(linked, 409)
    assert (refreshes(mp_sandbox), calls(mp_sandbox)) == (1, 0)

    linked.link(seller)
    assert linked.sell().status_code == 200


def test_nobody_sells_without_a_link(ana: Person, mp_sandbox: Sandbox):
    assert_not_sold(ana, 409)

    assert calls(mp_sandbox) == 0


# ---- at the same time ----


def test_sales_at_the_same_time_share_one_refresh(due: Person, mp_sandbox: Sandbox):
    # The first refresh is held long enough for a second one to come, if there is any.
    mp_sandbox.faults.add("gate", on="refresh", waiting=2, within=0.3)

    with ThreadPoolExecutor(4) as browsers:
        answers = list(browsers.map(lambda _: due.sell(), range(4)))

    assert [answer.status_code for answer in answers] == [200] * 4
    assert refreshes(mp_sandbox) == 1


def test_the_nightly_job_and_a_sale_share_one_refresh(
    due: Person, mp_sandbox: Sandbox, example: Running
):
    mp_sandbox.faults.add("gate", on="refresh", waiting=2, within=0.3)

    with ThreadPoolExecutor(2) as both:
        job, sale = both.submit(example.run_jobs), both.submit(due.sell)
        job.result()

    assert sale.result().status_code == 200
    assert refreshes(mp_sandbox) == 1


def test_an_unlink_during_a_refresh_wins(due: Person, mp_sandbox: Sandbox, example: Running):
    gate = mp_sandbox.faults.add("gate", on="refresh", waiting=2, within=30)
    job = threading.Thread(target=example.run_jobs)
    job.start()
    wait_until(lambda: gate.held == 1)

    due.post("/mp/unlink")
    mp_sandbox.faults.clear()
    job.join()

    assert refreshes(mp_sandbox) == 1
    assert due.status == "unlinked"
    assert [token for link in example.links() for token in link["tokens"]] == []
    assert_not_sold(due, 409)
    assert calls(mp_sandbox) == 0


def test_a_new_link_during_a_refresh_wins(due: Person, mp_sandbox: Sandbox, example: Running):
    other = mp_sandbox.create_seller()
    gate = mp_sandbox.faults.add("gate", on="refresh", waiting=2, within=30)
    job = threading.Thread(target=example.run_jobs)
    job.start()
    wait_until(lambda: gate.held == 1)

    due.link(other)
    mp_sandbox.faults.clear()
    job.join()

    assert (due.status, due.seller) == ("linked", other.user_id)
    assert due.sell().status_code == 200
    assert mp_sandbox.journal.last("resource").user_id == other.user_id


def wait_until(holds: Callable[[], bool]) -> None:
    """Return as soon as it holds; it does so within milliseconds."""
    patience = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < patience
        time.sleep(0.001)


# ---- what is nobody's fault ----


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "refuse", "status": 503},
        {"kind": "refuse", "status": 429},
        {"kind": "drop-before-commit"},
        {"kind": "refuse", "cause": "secret_mismatch"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_a_refresh_that_fails_for_now_changes_nothing_and_is_tried_again(
    fault: dict[str, object], due: Person, mp_sandbox: Sandbox, example: Running, advance: Advance
):
    fields = {name: value for name, value in fault.items() if name != "kind"}
    mp_sandbox.faults.add(str(fault["kind"]), on="refresh", times="always", **fields)

    for _ in range(8):  # Two hours, in which the access token is good.
        advance(minutes=15)
        example.run_jobs()
        assert due.status in {"linked", "renewing"}
        assert due.sell().status_code == 200
    assert 8 <= refreshes(mp_sandbox) <= 16

    mp_sandbox.faults.clear()
    advance(minutes=15)
    example.run_jobs()
    advance(days=20)  # By now the access token of before has expired.
    assert due.log_in().sell().status_code == 200


def test_a_failed_refresh_is_not_tried_again_at_once(
    due: Person, mp_sandbox: Sandbox, example: Running, advance: Advance
):
    mp_sandbox.faults.add("refuse", on="refresh", status=503, times="always")

    for _ in range(5):
        example.run_jobs()
        assert due.sell().status_code == 200
    assert refreshes(mp_sandbox) == 1

    advance(seconds=1.5)
    example.run_jobs()
    example.run_jobs()
    assert refreshes(mp_sandbox) == 2


def test_the_wait_between_refreshes_grows_to_five_minutes(
    due: Person, mp_sandbox: Sandbox, example: Running, advance: Advance
):
    mp_sandbox.faults.add("refuse", on="refresh", status=503, times="always")
    for _ in range(12):
        example.run_jobs()
        advance(minutes=5, seconds=1)
    assert refreshes(mp_sandbox) == 12

    example.run_jobs()
    advance(minutes=4, seconds=50)
    example.run_jobs()

    assert refreshes(mp_sandbox) == 13
    assert due.status in {"linked", "renewing"}


def test_a_retry_after_is_honoured(
    due: Person, mp_sandbox: Sandbox, example: Running, advance: Advance
):
    mp_sandbox.faults.add("refuse", on="refresh", status=429, retry_after=3600)
    example.run_jobs()

    advance(minutes=59)
    example.run_jobs()
    assert refreshes(mp_sandbox) == 1

    advance(minutes=1, seconds=1)
    example.run_jobs()
    assert refreshes(mp_sandbox) == 2
    assert due.status == "linked"


def test_while_an_expired_token_cannot_be_renewed_nothing_is_sold_with_any_token(
    expired: Person, mp_sandbox: Sandbox, advance: Advance
):
    mp_sandbox.faults.add("refuse", on="refresh", status=503, times="always")

    for _ in range(2):
        assert_not_sold(expired, 503)
    assert calls(mp_sandbox) == 0
    assert expired.status in {"linked", "renewing"}

    mp_sandbox.faults.clear()
    advance(minutes=5)
    assert expired.sell().status_code == 200


def test_a_wrong_client_secret_unlinks_nobody_and_all_is_well_once_it_is_mended(
    linked: Person, person: MakePerson, mp_sandbox: Sandbox, example: Running, advance: Advance
):
    beto = person("beto")
    beto.link(mp_sandbox.create_seller())
    advance(days=170)
    set_secret(mp_sandbox, "ANewSecretThatNobodyToldUs000000")
    for _ in range(10):
        example.run_jobs()
    assert 1 <= refreshes(mp_sandbox) <= 2
    for one in (linked.log_in(), beto.log_in()):
        assert one.status in {"linked", "renewing"}
        assert one.sell().status_code == 200

    set_secret(mp_sandbox, CLIENT_SECRET)
    advance(minutes=6)
    example.run_jobs()

    advance(days=20)
    for one in (linked.log_in(), beto.log_in()):
        assert (one.status, one.sell().status_code) == ("linked", 200)


def set_secret(sandbox: Sandbox, secret: str) -> None:
    sandbox.update_application(CLIENT_ID, lambda one: replace(one, client_secret=secret))


# ---- answers that get lost, or are not right ----


def test_after_a_lost_answer_the_link_tells_the_truth_and_sales_go_on_as_long_as_they_can(
    due: Person, mp_sandbox: Sandbox, example: Running, seller: Seller, advance: Advance
):
    mp_sandbox.faults.add("lose-response", on="refresh")
    example.run_jobs()
    assert refreshes(mp_sandbox) == 1
    assert due.sell().status_code == 200

    for _ in range(5):
        advance(minutes=10)
        example.run_jobs()
    assert due.status == "needs_relink"
    assert refreshes(mp_sandbox) <= 3

    advance(days=20)
    assert_not_sold(due.log_in(), 409)
    due.link(seller)
    assert (due.status, due.sell().status_code) == ("linked", 200)


def test_where_a_refresh_token_may_be_used_again_a_lost_answer_does_no_harm(
    due: Person, mp_sandbox: Sandbox, example: Running, advance: Advance
):
    mp_sandbox.change_profile(refresh_reusable=True)
    mp_sandbox.faults.add("lose-response", on="refresh")
    example.run_jobs()

    advance(minutes=10)
    example.run_jobs()

    assert due.status == "linked"
    advance(days=20)
    assert due.log_in().sell().status_code == 200


def test_an_answer_without_a_refresh_token_keeps_the_one_there_is(
    due: Person, mp_sandbox: Sandbox, example: Running, advance: Advance
):
    mp_sandbox.change_profile(refresh_reusable=True)
    mp_sandbox.faults.add("garble", on="refresh", how="no-refresh-token")
    example.run_jobs()
    assert due.status == "linked"

    advance(days=170)
    example.run_jobs()

    first, second = mp_sandbox.journal.query(kind="token", grant_type="refresh_token")
    assert first.facts["refresh_token"] == second.facts["refresh_token"]
    assert due.log_in().status in {"linked", "needs_relink"}


def test_an_answer_about_another_seller_is_never_used(
    due: Person, mp_sandbox: Sandbox, example: Running, seller: Seller
):
    before = example.links()
    mp_sandbox.faults.add("garble", on="refresh", how="other-user")

    example.run_jobs()

    (link,) = example.links()
    assert link["seller"] == seller.user_id
    assert set(link["tokens"]) <= set(before[0]["tokens"])
    assert due.sell().status_code == 200


@pytest.mark.parametrize("how", ["truncated", "html", "empty", "missing-field"])
def test_an_answer_that_cannot_be_read_is_not_stored(
    how: str, due: Person, mp_sandbox: Sandbox, example: Running
):
    before = example.links()
    mp_sandbox.faults.add("garble", on="refresh", how=how)

    example.run_jobs()

    (link,) = example.links()
    assert set(link["tokens"]) <= set(before[0]["tokens"])
    assert due.sell().status_code == 200


def test_a_short_answer_of_a_refresh_will_do(
    due: Person, mp_sandbox: Sandbox, example: Running, seller: Seller
):
    mp_sandbox.change_profile(refresh_body="short")

    example.run_jobs()

    assert (due.status, due.seller) == ("linked", seller.user_id)


# ---- the link is gone on the other side ----


@pytest.mark.parametrize("how", ["unlinked", "password changed", "sessions cleaned"])
def test_a_revocation_that_nobody_told_is_noticed_at_the_next_sale(
    how: str, linked: Person, mp_sandbox: Sandbox, seller: Seller
):
    application = mp_sandbox.application(CLIENT_ID)
    assert application is not None
    match how:
        case "unlinked":
            mp_sandbox.unlink(application, seller)
        case "password changed":
            mp_sandbox.change_password(seller)
        case _:
            mp_sandbox.clean_sessions(seller)

    for _ in range(3):
        assert_not_sold(linked, 409)

    assert linked.status == "needs_relink"
    assert (refreshes(mp_sandbox), calls(mp_sandbox)) == (1, 1)
    linked.link(seller)
    assert (linked.status, linked.sell().status_code) == ("linked", 200)


def test_a_revocation_is_noticed_by_the_nightly_job_too_and_asked_about_once(
    due: Person, mp_sandbox: Sandbox, example: Running, seller: Seller, advance: Advance
):
    mp_sandbox.change_password(seller)

    for _ in range(3):
        example.run_jobs()
        advance(days=1)

    assert refreshes(mp_sandbox) == 1
    assert due.log_in().status == "needs_relink"


def test_a_refused_token_is_renewed_once_and_the_sale_is_the_same_one(
    linked: Person, mp_sandbox: Sandbox
):
    mp_sandbox.faults.add("refuse", on="POST /v1/payments", cause="token_revoked")

    assert linked.sell().json() == {"sold": True}

    first, second = mp_sandbox.journal.query(kind="resource")
    assert (first.status, second.status) == (401, 201)
    assert first.facts["access_token"] != second.facts["access_token"]
    assert refreshes(mp_sandbox) == 1
    linked.sell()
    *_, other = mp_sandbox.journal.query(kind="resource")
    assert other.facts["idempotency_key"] != second.facts["idempotency_key"]


def test_the_second_attempt_of_a_sale_has_the_key_of_the_first(linked: Person, mp_sandbox: Sandbox):
    # The sale is made, and yet answered with 401: only the key can tell the second from another.
    mp_sandbox.resources.add("POST", "/v1/payments", status=401, body={"code": "unauthorized"})
    linked.sell()

    first, second = mp_sandbox.journal.query(kind="resource")
    assert first.facts["idempotency_key"] == second.facts["idempotency_key"]


def test_a_token_that_is_refused_however_new_is_not_tried_for_ever(
    linked: Person, mp_sandbox: Sandbox
):
    mp_sandbox.faults.add("refuse", on="POST /v1/payments", cause="token_revoked", times="always")

    assert linked.sell().json()["sold"] is False

    assert (refreshes(mp_sandbox), calls(mp_sandbox)) == (1, 2)


@pytest.mark.parametrize(
    "fault",
    [{"kind": "refuse", "status": 503}, {"kind": "drop-before-commit"}],
    ids=["503", "hung up"],
)
def test_a_sale_that_cannot_be_made_now_says_so_and_leaves_the_link_alone(
    fault: dict[str, object], linked: Person, mp_sandbox: Sandbox
):
    fields = {name: value for name, value in fault.items() if name != "kind"}
    mp_sandbox.faults.add(str(fault["kind"]), on="resource", times="always", **fields)

    assert_not_sold(linked, 503)

    mp_sandbox.faults.clear()
    assert refreshes(mp_sandbox) == 0
    assert (linked.status, linked.sell().status_code) == ("linked", 200)


# ---- saving fails ----


@pytest.mark.parametrize("point", ["before_save", "after_save"])
@pytest.mark.parametrize("times", [1, 50])
def test_a_save_that_fails_at_linking_leaves_a_status_that_is_true(
    point: str, times: int, ana: Person, example: Running, seller: Seller
):
    example.fail_saves(point, times=times)  # pyright: ignore[reportArgumentType]

    answer = ana.get(ana.approve(ana.start(), seller))

    assert answer.status_code in {303, 400}
    is_linked = ana.status == "linked"
    assert is_linked is (answer.status_code == 303)
    assert (ana.sell().status_code == 200) is is_linked
    if (point, times) == ("before_save", 50):
        assert not is_linked


@pytest.mark.parametrize("point", ["before_save", "after_save"])
@pytest.mark.parametrize("times", [1, 50])
def test_a_save_that_fails_at_a_renewal_leaves_a_status_that_is_true(
    point: str, times: int, due: Person, example: Running, advance: Advance
):
    example.fail_saves(point, times=times)  # pyright: ignore[reportArgumentType]

    example.run_jobs()

    example.fail_saves("before_save", times=0)
    for _ in range(3):  # Whatever was put off.
        advance(minutes=10)
        example.run_jobs()
    status = due.status
    advance(days=20)
    sold = due.log_in().sell().status_code
    assert (status, sold) in {("linked", 200), ("needs_relink", 409)}
