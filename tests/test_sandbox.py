"""`Sandbox` in the hands of somebody who writes tests in Python."""

import gc
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from mp_oauth_sandbox import (
    Application,
    InvalidInputError,
    Lifetimes,
    Profile,
    Sandbox,
    Seller,
    StoreError,
)

CALLBACK = "http://localhost:8000/mp/callback"


class Integration:
    """Links a seller and uses the tokens, as an application would."""

    def __init__(self, sandbox: Sandbox, app: Application | None = None) -> None:
        self.sandbox = sandbox
        self.http = httpx.Client(transport=sandbox.transport(), base_url=sandbox.url)
        self.app = app or sandbox.register_application(redirect_uris=[CALLBACK])

    def code(self) -> str:
        answer = self.http.get(self.sandbox.authorization_url(self.app, state="s"))
        return httpx.URL(answer.headers["location"]).params["code"]

    def post(self, **fields: str) -> httpx.Response:
        body = {"client_id": self.app.client_id, "client_secret": self.app.client_secret, **fields}
        return self.http.post("/oauth/token", json=body)

    def redeem(self, code: str | None = None) -> httpx.Response:
        return self.post(
            grant_type="authorization_code", code=code or self.code(), redirect_uri=CALLBACK
        )

    def refresh(self, tokens: dict[str, Any]) -> httpx.Response:
        return self.post(grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    def me(self, access_token: str) -> httpx.Response:
        return self.http.get("/users/me", headers={"authorization": f"Bearer {access_token}"})


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(live=False) as sandbox:
        yield sandbox


@pytest.fixture
def seller(sandbox: Sandbox) -> Seller:
    seller = sandbox.create_seller(country="AR")
    sandbox.auto_consent(seller)
    return seller


@pytest.fixture
def integration(sandbox: Sandbox, seller: Seller) -> Iterator[Integration]:
    integration = Integration(sandbox)
    with integration.http:
        yield integration


# ---- open and close ----


def test_it_accepts_connections_as_soon_as_it_exists_and_none_once_it_is_closed():
    sandbox = Sandbox()
    assert httpx.get(f"{sandbox.url}/_sandbox/health").json()["status"] == "ok"

    sandbox.close()
    sandbox.close()

    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.url)


def test_a_hundred_of_them_leave_no_thread_no_file_and_no_memory_behind():
    def one_life() -> None:
        with Sandbox() as sandbox:
            sandbox.auto_consent(sandbox.create_seller())
            app = sandbox.register_application(redirect_uris=[CALLBACK], client_id="1" * 16)
            # The same URL each time: the standard library remembers those it has parsed.
            url = sandbox.authorization_url(app).replace(sandbox.url, "http://localhost")
            with httpx.Client(transport=sandbox.transport()) as http:
                assert http.get(url).status_code == 302

    def held() -> tuple[int, int, int]:
        gc.collect()
        # Objects, not bytes: whoever measures coverage keeps memory for each thread.
        makers = (str(type(each).__module__) for each in gc.get_objects())
        ours = sum(maker.startswith("mp_oauth_sandbox") for maker in makers)
        return threading.active_count(), len(os.listdir("/proc/self/fd")), ours

    for _ in range(5):
        one_life()
    before = held()
    for _ in range(95):
        one_life()

    # Fewer are no leak: what an earlier test has left may go meanwhile.
    assert all(now <= then for now, then in zip(held(), before, strict=True))


def test_two_at_once_know_nothing_of_each_other():
    with Sandbox() as one, Sandbox() as other:
        seller = one.create_seller(user_id=123456789)
        one.auto_consent(seller)
        app = one.register_application(redirect_uris=[CALLBACK], client_id="1111111111111111")
        with Integration(one, app).http:
            code = Integration(one, app).code()
        one.clock.advance(days=10)

        assert one.url != other.url
        assert other.application(app.client_id) is None
        assert other.clock() < one.clock() - timedelta(days=9)
        assert len(other.journal) == 0
        twin = other.register_application(
            redirect_uris=[CALLBACK], client_id=app.client_id, client_secret=app.client_secret
        )
        answer = Integration(other, twin).redeem(code)
        assert answer.status_code == 400
        assert other.journal.last().cause == "code_unknown"


def test_its_app_can_be_called_without_a_socket_under_any_loopback_name(sandbox: Sandbox):
    with httpx.Client(transport=sandbox.transport()) as http:
        for name in ("localhost", "127.0.0.1:5000", "[::1]:80"):
            assert http.get(f"http://{name}/_sandbox/health").status_code == 200
        assert http.get("http://evil.example/_sandbox/health").status_code == 403


# ---- the story of the documentation ----


def test_a_link_grows_old_is_renewed_and_an_old_copy_is_presented(integration: Integration):
    sandbox = integration.sandbox
    tokens = integration.redeem().json()
    sandbox.clock.advance(days=175)
    assert integration.me(tokens["access_token"]).status_code == 200

    assert integration.refresh(tokens).status_code == 200
    assert integration.refresh(tokens).status_code == 400

    last = sandbox.journal.last()
    assert last.cause == "refresh_replaced"
    assert last.status == 400
    assert last.client_id == integration.app.client_id
    assert "Store the new refresh_token" in (last.remedy or "")
    assert str(last).startswith(f"{last.at:%H:%M:%S} POST /oauth/token refresh_token -> 400")


def test_after_180_days_the_access_token_is_over_and_the_refresh_token_not_yet(
    integration: Integration,
):
    tokens = integration.redeem().json()

    now = integration.sandbox.clock.advance(days=180)

    assert now == pytest.approx(datetime.now(UTC) + timedelta(days=180), abs=timedelta(minutes=1))
    assert integration.me(tokens["access_token"]).status_code == 401
    assert integration.sandbox.journal.last().cause == "token_expired"
    assert integration.refresh(tokens).status_code == 200


def test_each_application_may_have_lifetimes_of_its_own(sandbox: Sandbox, seller: Seller):
    short = Lifetimes(access_token=timedelta(seconds=30), refresh_token=timedelta(minutes=1))
    app = sandbox.register_application(redirect_uris=[CALLBACK], lifetimes=short)
    integration = Integration(sandbox, app)
    with integration.http:
        tokens = integration.redeem().json()
        assert tokens["expires_in"] == 30
        sandbox.clock.advance(seconds=30)
        assert integration.me(tokens["access_token"]).status_code == 401
        sandbox.clock.advance(seconds=30)
        assert integration.refresh(tokens).status_code == 400
    assert sandbox.journal.last().cause == "refresh_expired"


def test_the_platforms_token_is_of_another_person_and_does_not_expire(
    integration: Integration, seller: Seller
):
    own = integration.app.access_token
    integration.sandbox.clock.advance(days=3000)

    profile = integration.me(own).json()

    assert profile["id"] == integration.app.owner != seller.user_id


def test_an_owner_can_be_named(sandbox: Sandbox, seller: Seller):
    app = sandbox.register_application(redirect_uris=[CALLBACK], owner=seller)

    assert app.owner == seller.user_id
    assert app.access_token.endswith(f"-{seller.user_id}")


# ---- what ends a link ----


def unlink(sandbox: Sandbox, app: Application, seller: Seller) -> None:
    sandbox.unlink(app, seller)


def change_password(sandbox: Sandbox, app: Application, seller: Seller) -> None:
    sandbox.change_password(seller)


def clean_sessions(sandbox: Sandbox, app: Application, seller: Seller) -> None:
    sandbox.clean_sessions(seller)


def clean_fraud(sandbox: Sandbox, app: Application, seller: Seller) -> None:
    sandbox.clean_fraud(seller)


def leave_unused(sandbox: Sandbox, app: Application, seller: Seller) -> None:
    sandbox.leave_unused(app, seller)


@pytest.mark.parametrize(
    "end", [unlink, change_password, clean_sessions, clean_fraud, leave_unused]
)
def test_what_ends_a_link_ends_its_tokens_and_a_new_link_is_unharmed(
    integration: Integration, seller: Seller, end: Any
):
    journal = integration.sandbox.journal
    tokens, code = integration.redeem().json(), integration.code()

    end(integration.sandbox, integration.app, seller)

    assert integration.me(tokens["access_token"]).status_code == 401
    assert journal.last().cause == "token_revoked"
    assert integration.refresh(tokens).status_code == 400
    assert journal.last().cause == "link_revoked"
    assert integration.redeem(code).status_code == 400
    assert journal.last().cause == "link_revoked"
    assert integration.me(integration.app.access_token).status_code == 200
    assert integration.redeem().status_code == 200


def test_unlinking_leaves_other_applications_of_the_seller_alone(
    integration: Integration, seller: Seller
):
    other = Integration(integration.sandbox)
    with other.http:
        tokens = other.redeem().json()
        integration.redeem()

        integration.sandbox.unlink(integration.app, seller)

        assert other.me(tokens["access_token"]).status_code == 200


def test_a_rotated_secret_ends_every_link_of_the_application(integration: Integration):
    journal, old = integration.sandbox.journal, integration.app
    tokens, code = integration.redeem().json(), integration.code()

    integration.app = integration.sandbox.rotate_secret(old)

    assert integration.me(tokens["access_token"]).status_code == 401
    assert journal.last().cause == "token_revoked"
    assert integration.refresh(tokens).status_code == 400
    assert journal.last().cause == "link_revoked"
    assert "client_secret was rotated" in (journal.last().explanation or "")
    assert integration.redeem(code).status_code == 400
    assert integration.redeem().status_code == 200
    assert integration.me(old.access_token).status_code == 200
    integration.app = old
    assert integration.redeem().json()["error"] == "invalid_client"
    assert journal.last().cause == "secret_mismatch"
    assert "before it was rotated" in (journal.last().explanation or "")


def test_a_deleted_application_takes_everything_along(integration: Integration):
    journal = integration.sandbox.journal
    tokens = integration.redeem().json()

    integration.sandbox.delete_application(integration.app)

    assert integration.me(tokens["access_token"]).status_code == 401
    assert journal.last().cause == "token_revoked"
    assert integration.me(integration.app.access_token).status_code == 401
    assert integration.refresh(tokens).json()["error"] == "invalid_client"
    assert journal.last().cause == "application_deleted"


def test_there_must_be_a_link_to_unlink(sandbox: Sandbox, seller: Seller):
    app = sandbox.register_application(redirect_uris=[CALLBACK])

    with pytest.raises(InvalidInputError, match="nothing to revoke"):
        sandbox.unlink(app, seller)


# ---- switches, start and reset ----


def test_single_switches_change_by_name_for_requests_from_now_on(integration: Integration):
    first = integration.redeem().json()
    changed = integration.sandbox.change_profile(token_type="bearer", redirect_status=303)

    assert (
        changed == integration.sandbox.profile == Profile(token_type="bearer", redirect_status=303)
    )
    assert (first["token_type"], integration.redeem().json()["token_type"]) == ("Bearer", "bearer")
    integration.sandbox.profile = Profile()
    assert integration.redeem().json()["token_type"] == "Bearer"


def test_the_link_to_start_with_has_a_state_where_the_profile_asks_for_one(
    integration: Integration,
):
    sandbox, app = integration.sandbox, integration.app
    without = sandbox.authorization_url(app)
    sandbox.change_profile(state_required=True)

    assert "state" not in httpx.URL(without).params
    assert httpx.URL(sandbox.authorization_url(app, state="s")).params["state"] == "s"
    assert integration.http.get(without).status_code == 400
    assert integration.http.get(sandbox.authorization_url(app)).status_code == 302


def test_a_switch_that_does_not_exist_is_an_error(sandbox: Sandbox):
    with pytest.raises((TypeError, InvalidInputError), match="no_such_switch"):
        sandbox.change_profile(no_such_switch=1)


def test_reset_returns_to_the_kept_state():
    with Sandbox(live=False) as sandbox:
        seller = sandbox.create_seller()
        integration = Integration(sandbox)
        sandbox.auto_consent(seller)
        sandbox.change_profile(token_type="bearer")
        sandbox.clock.advance(days=1)
        sandbox.keep(integration.app, seller)
        start = sandbox.clock()
        with integration.http:
            tokens, code = integration.redeem().json(), integration.code()
            other = sandbox.register_application(redirect_uris=[CALLBACK])
            stranger = sandbox.create_seller()
            sandbox.deny()
            sandbox.change_profile(token_type="Bearer")
            sandbox.clock.advance(days=100)
            sandbox.change_password(seller)

            sandbox.reset()

            assert len(sandbox.journal) == 0
            assert sandbox.clock() - start < timedelta(hours=1)
            assert sandbox.application(other.client_id) is None
            assert sandbox.seller(stranger.user_id) is None
            assert integration.me(tokens["access_token"]).status_code == 401
            assert sandbox.journal.last().cause == "token_unknown"
            assert sandbox.journal.last().seq == 1
            assert integration.refresh(tokens).status_code == 400
            assert sandbox.journal.last().cause == "refresh_unknown"
            assert integration.redeem(code).status_code == 400
            assert integration.redeem().json()["token_type"] == "bearer"
            assert integration.me(integration.app.access_token).status_code == 200


def test_without_keep_reset_leaves_nobody(integration: Integration, seller: Seller):
    integration.sandbox.reset()

    assert integration.sandbox.application(integration.app.client_id) is None
    assert integration.sandbox.seller(seller.user_id) is None


def test_codes_after_a_reset_are_not_those_of_before(integration: Integration, seller: Seller):
    integration.sandbox.keep(integration.app, seller)
    before = {integration.code() for _ in range(5)}

    integration.sandbox.reset()

    assert before.isdisjoint(integration.code() for _ in range(5))


# ---- misuse says which field ----


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["/relative"]}, "redirect_uris[0]"),
        ({"redirect_uris": [CALLBACK, f"{CALLBACK}#fragment"]}, "redirect_uris[1]"),
        ({"redirect_uris": ["https://user:pass@shop.example/"]}, "redirect_uris[0]"),
        ({"redirect_uris": ["https://shop.example/\r\nX: y"]}, "redirect_uris[0]"),
        ({"name": " "}, "name"),
        ({"client_id": "abc"}, "client_id"),
        ({"client_secret": "two words"}, "client_secret"),
        ({"owner": 5}, "owner"),
        ({"scopes": ["read", "everything"]}, "scopes"),
    ],
)
def test_an_application_that_cannot_be_names_the_field(
    sandbox: Sandbox, given: dict[str, Any], field: str
):
    with pytest.raises(InvalidInputError) as error:
        sandbox.register_application(**{"redirect_uris": [CALLBACK], **given})

    assert error.value.field == field
    assert str(error.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"country": "XX"}, "country"),
        ({"nickname": "<b>"}, "nickname"),
        ({"user_id": 0}, "user_id"),
        ({"collaborator_of": 5}, "collaborator_of"),
    ],
)
def test_a_seller_that_cannot_be_names_the_field(
    sandbox: Sandbox, given: dict[str, Any], field: str
):
    with pytest.raises(InvalidInputError) as error:
        sandbox.create_seller(**given)

    assert error.value.field == field


def test_a_taken_id_is_refused(sandbox: Sandbox, seller: Seller):
    app = sandbox.register_application(redirect_uris=[CALLBACK])

    with pytest.raises(InvalidInputError, match=r"client_id.*already registered"):
        sandbox.register_application(redirect_uris=[CALLBACK], client_id=app.client_id)
    with pytest.raises(InvalidInputError, match=r"user_id.*already exists"):
        sandbox.create_seller(user_id=seller.user_id)


def test_an_unknown_preset_or_seller_is_refused(sandbox: Sandbox, seller: Seller):
    with pytest.raises(InvalidInputError, match="default, strict, legacy"):
        Sandbox(live=False, profile="loose")
    with pytest.raises(InvalidInputError, match="seller"):
        sandbox.auto_consent(replace(seller, user_id=1))


def test_somebody_must_exist_to_consent(sandbox: Sandbox):
    with pytest.raises(InvalidInputError, match="no seller yet"):
        sandbox.auto_consent()


# ---- a data file ----


def test_a_data_file_carries_everything_over_a_restart(tmp_path: Path):
    data = tmp_path / "sandbox.db"
    with Sandbox(live=False, data=data) as sandbox:
        seller = sandbox.create_seller()
        sandbox.auto_consent(seller)
        first = Integration(sandbox)
        with first.http:
            tokens, code = first.redeem().json(), first.code()
            replaced = first.redeem().json()
            assert first.refresh(replaced).status_code == 200
        sandbox.change_profile(redirect_status=303)
        sandbox.clock.advance(days=100)
        then, entries = sandbox.clock(), len(sandbox.journal)

    with Sandbox(live=False, data=data) as sandbox:
        assert then <= sandbox.clock() < then + timedelta(minutes=5)
        assert len(sandbox.journal) == entries
        assert sandbox.profile.redirect_status == 303
        app = sandbox.application(first.app.client_id)
        assert app == first.app
        again = Integration(sandbox, app)
        with again.http:
            assert again.me(tokens["access_token"]).json()["id"] == seller.user_id
            assert again.refresh(replaced).status_code == 400
            assert sandbox.journal.last().cause == "refresh_replaced"
            assert sandbox.journal.last().seq > entries
            assert again.redeem(code).status_code == 400
            assert sandbox.journal.last().cause == "code_expired"
            assert again.refresh(tokens).status_code == 200
            assert again.redeem().status_code == 200, "the consent mode was not remembered"


@pytest.mark.parametrize("seed", [None, "tests"])
def test_no_restart_over_a_data_file_repeats_an_id(tmp_path: Path, seed: str | None):
    start = datetime(2026, 5, 18, tzinfo=UTC)
    codes: list[str] = []
    clients: list[str] = []
    for _ in range(4):
        with Sandbox(
            live=False, data=tmp_path / "s.db", seed=seed, start=start, frozen=True
        ) as sandbox:
            sandbox.auto_consent(sandbox.create_seller())
            integration = Integration(sandbox)
            with integration.http:
                codes += [integration.code() for _ in range(3)]
            clients += [integration.app.client_id, integration.app.client_secret]

    assert len(set(codes)) == 12
    assert len(set(clients)) == 8


def test_a_data_file_has_one_holder_at_a_time(tmp_path: Path):
    data = tmp_path / "sandbox.db"
    with Sandbox(live=False, data=data), pytest.raises(StoreError):
        Sandbox(live=False, data=data)

    Sandbox(live=False, data=data).close()


# ---- secrets ----


def test_no_repr_and_no_journal_shows_a_secret(integration: Integration):
    sandbox, app = integration.sandbox, integration.app
    code = integration.code()
    tokens = integration.redeem(code).json()
    integration.redeem(code)
    integration.refresh({"refresh_token": tokens["access_token"]})
    integration.me(tokens["refresh_token"])
    shown = "".join(
        [
            *map(repr, (sandbox, app, sandbox.profile, sandbox.journal, sandbox.clock)),
            *(f"{entry!r}{entry}{entry.facts}" for entry in sandbox.journal.entries()),
        ]
    )

    secrets = [code, tokens["access_token"], tokens["refresh_token"]]
    for secret in [*secrets, app.client_secret, app.access_token]:
        assert secret not in shown
        assert secret.split("-")[-2 if "-" in secret else 0] not in shown
