"""Whatever is done to a store, it says what the one in memory says."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mp_oauth_sandbox.core.lifetimes import CalendarMonths, Lifetimes
from mp_oauth_sandbox.core.records import (
    Application,
    Attempt,
    Challenge,
    Change,
    Credential,
    CredentialKind,
    Epochs,
    Grant,
    Keys,
    Link,
    Notification,
    Record,
    Seller,
    View,
    Webhook,
)
from mp_oauth_sandbox.stores.memory import MemoryStore
from mp_oauth_sandbox.stores.protocol import DEAD_KEPT, Store

from .kinds import CODE, GRANT, KINDS, LINKED, START, Maker, every_store, put

# Names as people type them: anything but half a surrogate pair, which no parser lets in.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
instants = st.datetimes(timezones=st.just(UTC))
durations = st.timedeltas()
applications = st.builds(
    Application,
    client_id=st.sampled_from(["1001", "1002", "1003"]),
    client_secret=texts,
    name=texts,
    redirect_uris=st.lists(texts, max_size=2).map(tuple),
    owner=st.integers(1, 4),
    access_token=texts,
    public_key=texts,
    pkce_required=st.booleans(),
    activated=st.booleans(),
    application_type=st.sampled_from(["any", "online"]),
    scopes=st.lists(texts, max_size=2).map(tuple),
    lifetimes=st.builds(
        Lifetimes,
        authorization_code=durations,
        access_token=durations,
        refresh_token=durations | st.builds(CalendarMonths, months=st.integers(0, 99)),
        client_credentials_token=durations,
    ),
    webhook=st.none() | st.builds(Webhook, url=texts, secret=texts, enabled=st.booleans()),
    status=st.sampled_from(["active", "blocked", "deleted"]),
    epoch=st.integers(0, 9),
    revoked_because=st.none() | texts,
)
sellers = st.builds(
    Seller,
    user_id=st.integers(1, 4),
    nickname=texts,
    country=texts,
    registered_at=instants,
    collaborator_of=st.none() | st.integers(1, 2**63),
    epoch=st.integers(0, 9),
    revoked_because=st.none() | texts,
)
links = st.builds(
    Link,
    client_id=st.sampled_from(["1001", "1002", "1003"]),
    user_id=st.integers(1, 4),
    live_key=texts,
    test_key=texts,
    consented=st.booleans(),
    newer_grants=st.integers(0, 9),
    epoch=st.integers(0, 9),
    revoked_because=st.none() | texts,
)
grants = st.builds(
    Grant,
    grant_id=st.sampled_from(["g1", "g2", "g3"]),
    client_id=st.sampled_from(["1001", "1002", "1003"]),
    user_id=st.integers(1, 4),
    scopes=st.lists(texts, max_size=2).map(tuple),
    epochs=st.builds(Epochs),
    redirect_uri=st.none() | texts,
    challenge=st.none() | st.builds(Challenge, value=texts),
    newer_grants=st.integers(0, 9),
    generation=st.integers(0, 9),
    revoked_because=st.none() | texts,
)
credentials = st.builds(
    Credential,
    secret=texts,
    kind=st.sampled_from(CredentialKind),
    grant_id=st.just("g1"),
    generation=st.integers(0, 9),
    issued_at=instants,
    expires_at=st.none() | instants,
    live_mode=st.booleans(),
    spent_at=st.none() | instants,
)
notifications = st.builds(
    Notification,
    notification_id=st.integers(1, 4),
    client_id=st.sampled_from(["1001", "1002", "1003"]),
    user_id=st.integers(1, 4),
    data_id=texts,
    live_mode=st.booleans(),
    created_at=instants,
    due_at=instants | st.just(START),
    attempts=st.integers(0, 9),
    status=st.sampled_from(["pending", "accepted", "given_up", "lost"]),
    latest=st.lists(
        st.builds(
            Attempt, at=instants, retry=st.integers(0, 9), status=st.integers(0), outcome=texts
        ),
        max_size=2,
    ).map(tuple),
)


@pytest.mark.hypothesis
@every_store
def test_every_record_comes_back_exactly_as_it_was_put(
    maker: Maker, tmp_path_factory: pytest.TempPathFactory
):
    store = maker.open(tmp_path_factory.mktemp("store"), DEAD_KEPT)

    @settings(deadline=None)
    @given(st.tuples(applications, sellers, links, credentials, notifications))
    def round_trip(records: tuple[Application, Seller, Link, Credential, Notification]) -> None:
        store.reset([], {})
        put(store, *records, GRANT)
        assert store.snapshot() == [*records[:3], GRANT, *records[3:]]

    round_trip()
    store.close()


secrets = st.integers(0, 30)


class Agreement(RuleBasedStateMachine):
    """A store beside the one in memory: whatever is done to both, they say the same."""

    maker: Maker

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.store = self.open()
        self.oracle = MemoryStore(dead_kept=3, finished_kept=3)
        self.now = START
        self.issued: list[str] = []

    def open(self) -> Store:
        return self.maker.open(Path(self.folder.name), 3)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def secret(self, number: int) -> str:
        return self.issued[number % len(self.issued)] if self.issued else "absent"

    def issue(self, tie: str, grant_id: str, lives: int | None) -> Credential:
        # The random beginning decides the order among those that expire at the same instant.
        self.issued.append(f"{tie}-{len(self.issued)}")
        return Credential(
            secret=self.issued[-1],
            kind=CredentialKind.REFRESH_TOKEN,
            grant_id=grant_id,
            generation=1,
            issued_at=self.now,
            expires_at=None if lives is None else self.now + timedelta(seconds=lives),
        )

    def both(self, keys: Keys, change: Callable[[View], Change]) -> None:
        def decide(view: View) -> tuple[Change, View]:
            return change(view), view

        said = self.store.transact(keys, decide, now=self.now)
        assert said == self.oracle.transact(keys, decide, now=self.now)

    @initialize()
    def begin(self) -> None:
        self.both(Keys(), lambda _: Change(put=LINKED))
        self.issued.append(CODE.secret)

    @rule(record=applications | sellers | links | notifications)
    def put_record(self, record: Record) -> None:
        self.both(Keys(), lambda _: Change(put=(record,)))

    @rule(grant=grants, lives=st.none() | st.integers(0, 40), tie=st.sampled_from("abc"))
    def approve(self, grant: Grant, lives: int | None, tie: str) -> None:
        code = self.issue(tie, grant.grant_id, lives)
        keys = Keys(client_id=grant.client_id, user_id=grant.user_id)
        self.both(keys, lambda _: Change(put=(code, grant)))

    @rule(number=secrets, lives=st.none() | st.integers(0, 40), ties=st.text("abc", min_size=2))
    def redeem(self, number: int, lives: int | None, ties: str) -> None:
        secret = self.secret(number)
        view = self.oracle.read(Keys(secret=secret))
        if view.credential is None or view.grant is None:
            return
        new = [self.issue(tie, view.grant.grant_id, lives) for tie in ties[:2]]
        generation = view.grant.generation + 1

        def change(view: View) -> Change:
            assert view.credential is not None
            assert view.grant is not None
            spent = replace(view.credential, spent_at=self.now)
            unchanged = (view.link,) if view.link else ()
            grant = replace(view.grant, generation=generation)
            return Change(put=(*unchanged, spent, grant, *new))

        self.both(Keys(secret=secret), change)

    @rule(numbers=st.lists(secrets, min_size=1, max_size=6))
    def spend_some(self, numbers: list[int]) -> None:
        found = [self.oracle.read(Keys(secret=self.secret(n))).credential for n in numbers]
        spent = tuple(replace(one, spent_at=self.now) for one in found if one is not None)
        self.both(Keys(), lambda _: Change(put=spent))

    @rule(seconds=st.sampled_from([0, 1, 5, 30, 10**7]))
    def advance(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(
        client_id=st.sampled_from([None, "1001", "1002", "1003", "absent"]),
        number=st.none() | secrets,
        user_id=st.none() | st.integers(1, 5),
        notification_id=st.none() | st.integers(1, 5),
    )
    def read(
        self,
        client_id: str | None,
        number: int | None,
        user_id: int | None,
        notification_id: int | None,
    ) -> None:
        secret = None if number is None else self.secret(number)
        keys = Keys(
            client_id=client_id, secret=secret, user_id=user_id, notification_id=notification_id
        )
        assert self.store.read(keys) == self.oracle.read(keys)

    @rule(
        kind=st.sampled_from(KINDS),
        after=st.sampled_from(["", "1001", "2", "1001/2", "g2", "absent"]),
        limit=st.integers(0, 4),
    )
    def page(self, kind: type[Any], after: str, limit: int) -> None:
        said = self.store.page(kind, after=after, limit=limit)
        assert said == self.oracle.page(kind, after=after, limit=limit)

    @rule(number=secrets)
    def fail(self, number: int) -> None:
        def change(view: View) -> Change:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            self.both(Keys(secret=self.secret(number)), change)

    @rule()
    def start_again_from_a_snapshot(self) -> None:
        records = self.store.snapshot()
        self.store.reset(records, {})
        self.oracle.reset(records, {})

    @precondition(lambda self: self.maker.durable)
    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.open()

    @rule(name=st.sampled_from("ab"), value=texts)
    def save_setting(self, name: str, value: str) -> None:
        self.store.save_settings({name: value})
        self.oracle.save_settings({name: value})
        assert self.store.settings() == self.oracle.settings()

    @invariant()
    def same_records_in_the_same_order(self) -> None:
        assert self.store.snapshot() == self.oracle.snapshot()
        assert self.store.next_notification() == self.oracle.next_notification()


@pytest.mark.hypothesis
@every_store
def test_whatever_happens_a_store_agrees_with_memory(maker: Maker):
    machine = type("Agreement", (Agreement,), {"maker": maker})

    run_state_machine_as_test(machine, settings=settings(deadline=None, stateful_step_count=40))
