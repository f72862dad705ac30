"""Every kind of store, and records to put in one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mp_oauth_sandbox.core.records import (
    NOTHING,
    Application,
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
)
from mp_oauth_sandbox.stores.memory import MemoryStore
from mp_oauth_sandbox.stores.protocol import Store
from mp_oauth_sandbox.stores.sqlite import SQLiteStore

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
KINDS: tuple[type[Any], ...] = (Application, Seller, Link, Grant, Credential, Notification)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """How to open one kind of store on a folder, and whether it is still there when reopened."""

    name: str
    open: Callable[[Path, int], Store]
    durable: bool


# A new store is one more line here.
MAKERS = (
    Maker(
        name="memory",
        open=lambda _, kept: MemoryStore(dead_kept=kept, finished_kept=kept),
        durable=False,
    ),
    Maker(
        name="sqlite",
        open=lambda folder, kept: SQLiteStore(
            folder / "store.db", dead_kept=kept, finished_kept=kept
        ),
        durable=True,
    ),
    Maker(
        name="sqlite, its log written anew all the time",
        open=lambda folder, kept: SQLiteStore(
            folder / "store.db", dead_kept=kept, finished_kept=kept, steps_kept=2
        ),
        durable=True,
    ),
)
every_store = pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.name)


APPLICATION = Application(
    client_id="1001",
    client_secret="secret",
    name="Tienda",
    redirect_uris=("http://localhost:8000/callback",),
    owner=1,
    access_token="APP_USR-owner",
    public_key="APP_USR-public",
)
SELLER = Seller(user_id=2, nickname="TESTUSER2", country="AR", registered_at=START)
LINK = Link(client_id="1001", user_id=2, live_key="live", test_key="test")
GRANT = Grant(
    grant_id="g1",
    client_id="1001",
    user_id=2,
    scopes=("read",),
    epochs=Epochs(application=0, seller=0, link=0),
)
CODE = Credential(
    secret="TG-code",
    kind=CredentialKind.CODE,
    grant_id="g1",
    generation=0,
    issued_at=START,
    expires_at=START + timedelta(minutes=10),
)
NOTIFICATION = Notification(
    notification_id=7,
    client_id="1001",
    user_id=2,
    action="application.authorized",
    data_id="2",
    live_mode=True,
    created_at=START,
    due_at=START,
)
LINKED = (APPLICATION, SELLER, LINK, GRANT, CODE)


def put(store: Store, *records: Record, now: datetime = START) -> None:
    store.transact(Keys(), lambda _: (Change(put=records), None), now=now)


def find(store: Store, secret: str) -> Credential | None:
    return store.read(Keys(secret=secret)).credential


def spend(store: Store, secret: str, *, now: datetime = START) -> bool:
    """Redeem in miniature: True for the one who spends it."""

    def decide(view: View) -> tuple[Change, bool]:
        credential = view.credential
        if credential is None or credential.spent_at is not None:
            return NOTHING, False
        return Change(put=(replace(credential, spent_at=now),)), True

    return store.transact(Keys(secret=secret), decide, now=now)[1]


def token(number: int, *, lives: timedelta | None = None) -> Credential:
    expires_at = None if lives is None else START + lives
    return replace(
        CODE, secret=f"token-{number}", kind=CredentialKind.ACCESS_TOKEN, expires_at=expires_at
    )
