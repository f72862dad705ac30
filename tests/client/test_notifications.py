"""Notifications: which are believed, which are not, and what each of them changes.

Sources: Mercado Pago, "Configure optional notifications" (2026), and the validators of its
SDKs, whose manifest leaves an absent value out together with its name.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mp_oauth_sandbox import Webhook
from mp_oauth_sandbox.client import (
    Failure,
    Flows,
    LinkingError,
    MemoryPendingStore,
    MemoryTokenStore,
    Notification,
    NotificationError,
    Request,
    Settings,
    drive,
)
from tests.webhooks.receiver import Received, Receiver

from .world import CALLBACK, START, WEBHOOK_SECRET, Worker, World, notification, opened, signed

SELLER = 77


@pytest.fixture
def linked(world: World) -> World:
    """A world in which shop-1 is linked to the seller, since a day."""
    world.seller = world.sandbox.create_seller(user_id=SELLER)
    world.link(world.worker())
    world.clock.advance(days=1)
    return world


def told(
    world: World,
    worker: Worker | None = None,
    *,
    query: str = f"data.id={SELLER}&type=mp-connect",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> Notification:
    """Tell of the seller's unlinking, now, but for what is given."""
    at = world.clock()
    headers = signed(data_id=str(SELLER), at=at) if headers is None else headers
    body = notification(seller_id=SELLER, at=at) if body is None else body
    return (worker or world.worker()).notified(query, headers, body)


def unlinks(world: World, worker: Worker | None = None, **given: Any) -> bool:
    """Whether being told so unlinks the seller."""
    told(world, worker, **given)
    return status(world) == "unlinked"


def status(world: World) -> str:
    return world.worker().status("shop-1")


# ---- the sandbox's own, as they arrive ----


@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
def test_genuine_notifications_are_believed_as_they_arrive(unit: str):
    """Sent by the sandbox over a socket, byte for byte as documented."""
    with opened() as world, Receiver() as receiver:
        world.sandbox.change_profile(webhook_ts=unit)
        webhook = Webhook(url=receiver.url, secret=WEBHOOK_SECRET)
        world.application = world.sandbox.register_application(
            redirect_uris=[CALLBACK], webhook=webhook
        )
        shop = world.worker()
        link = world.link(shop)
        receiver.wait(1)
        authorized = heard(shop, receiver.received[0])
        world.clock.advance(hours=1)
        world.sandbox.unlink(world.application, world.seller)
        receiver.wait(2)
        deauthorized = heard(shop, receiver.received[1])

        assert authorized.action == "application.authorized"
        assert deauthorized.action == "application.deauthorized"
        assert authorized.seller_id == deauthorized.seller_id == link.seller_id
        assert authorized.created_at == link.linked_at
        assert deauthorized.created_at == world.clock()
        assert shop.status("shop-1") == "unlinked"


def heard(shop: Worker, received: Received) -> Notification:
    query = received.line.split(" ")[1].partition("?")[2]
    return shop.notified(query, received.headers, received.raw.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    ("how", "believed"),
    [
        ("without-request-id", True),
        ("unsigned", False),
        ("wrong-secret", False),
        ("old-timestamp", False),
        ("other-application", False),
    ],
)
def test_notifications_that_went_wrong_are_judged(how: str, believed: bool):
    with opened() as world, Receiver() as receiver:
        webhook = Webhook(url=receiver.url, secret=WEBHOOK_SECRET)
        world.application = world.sandbox.register_application(
            redirect_uris=[CALLBACK], webhook=webhook
        )
        shop = world.worker()
        world.link(shop)
        receiver.wait(1)
        world.clock.advance(hours=1)
        world.fault("webhook", how=how, **({"seconds": 3600} if how == "old-timestamp" else {}))
        world.sandbox.unlink(world.application, world.seller)
        receiver.wait(2)

        if believed:
            heard(shop, receiver.received[1])
        else:
            with pytest.raises(NotificationError):
                heard(shop, receiver.received[1])

        assert shop.status("shop-1") == ("unlinked" if believed else "linked")


def test_a_payment_s_notification_is_believed_and_unlinks_nobody(linked: World):
    at = linked.clock()
    body = notification(
        seller_id=SELLER, at=at, type="payment", action="payment.created", data={"id": "P1"}
    )

    came = told(
        linked,
        query="data.id=P1&type=payment",
        headers=signed(data_id="P1", at=at),
        body=body,
    )

    assert (came.type, came.action, came.data_id) == ("payment", "payment.created", "P1")
    assert status(linked) == "linked"


# ---- the signature ----


def test_the_documented_manifest_is_what_is_signed(linked: World):
    """Written out here once more, without the helper."""
    ts = int(linked.clock().timestamp())
    manifest = f"id:77;request-id:4ed4fa2b;ts:{ts};"
    v1 = hmac.new(WEBHOOK_SECRET.encode(), manifest.encode(), hashlib.sha256).hexdigest()

    told(linked, headers={"x-signature": f"ts={ts},v1={v1}", "x-request-id": "4ed4fa2b"})

    assert status(linked) == "unlinked"


@pytest.mark.parametrize("offset", [0, -299, 299])
@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
def test_seconds_and_milliseconds_are_understood(unit: int, offset: int, linked: World):
    at = linked.clock() + timedelta(seconds=offset)
    ts = str(int(at.timestamp() * unit))

    assert unlinks(linked, headers=signed(data_id=str(SELLER), at=at, ts=ts))


@pytest.mark.parametrize(
    ("offset", "believed"), [(-300, True), (300, True), (-301, False), (301, False)]
)
@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
def test_the_tolerance_has_an_edge(unit: int, offset: int, believed: bool, linked: World):
    at = linked.clock() + timedelta(seconds=offset)
    headers = signed(data_id=str(SELLER), at=at, ts=str(int(at.timestamp() * unit)))

    if believed:
        told(linked, headers=headers)
    else:
        with pytest.raises(NotificationError, match="too old, or a clock is wrong"):
            told(linked, headers=headers)

    assert status(linked) == ("unlinked" if believed else "linked")


def test_the_tolerance_can_be_set(linked: World):
    at = linked.clock() - timedelta(hours=23)
    shop = linked.worker(notification_tolerance=timedelta(days=1))

    assert unlinks(linked, shop, headers=signed(data_id=str(SELLER), at=at))


def test_without_a_request_id_the_manifest_is_shorter(linked: World):
    at = linked.clock()

    assert unlinks(linked, headers=signed(data_id=str(SELLER), at=at, request_id=None))


def test_a_request_id_that_was_not_signed_is_not_passed_over(linked: World):
    headers = signed(data_id=str(SELLER), at=linked.clock(), request_id=None)

    with pytest.raises(NotificationError):
        told(linked, headers=headers | {"x-request-id": "mine"})


def test_a_request_id_that_was_signed_must_be_there(linked: World):
    headers = signed(data_id=str(SELLER), at=linked.clock())
    del headers["X-Request-Id"]

    with pytest.raises(NotificationError):
        told(linked, headers=headers)


def test_without_an_id_in_the_query_nothing_is_said_about_anybody(linked: World):
    """The signature may be good; what it is about is not signed."""
    headers = signed(data_id="", at=linked.clock())

    with pytest.raises(NotificationError, match="not about the data"):
        told(linked, query="type=mp-connect", headers=headers)

    assert status(linked) == "linked"


def test_two_ids_in_the_query_are_refused(linked: World):
    with pytest.raises(NotificationError):
        told(linked, query=f"data.id={SELLER}&data.id=78")
    with pytest.raises(NotificationError):
        told(linked, query=f"data.id=78&data.id={SELLER}")


@pytest.mark.parametrize(
    "rewritten",
    [
        "v1={v1},ts={ts}",
        "ts={ts}, v1={v1}",
        " ts = {ts} , v1 = {v1} ",
        "ts={ts},v1={v1},",
        "v0=x,ts={ts},v1={v1},v2=y",
    ],
)
def test_the_parts_of_the_header_come_in_any_order(rewritten: str, linked: World):
    headers = signed(data_id=str(SELLER), at=linked.clock())
    parts = dict(part.split("=") for part in headers["X-Signature"].split(","))

    assert unlinks(linked, headers=headers | {"X-Signature": rewritten.format(**parts)})


@pytest.mark.parametrize("spelling", [str.lower, str.upper, str.title])
def test_the_names_of_headers_come_in_any_case(spelling: Any, linked: World):
    headers = signed(data_id=str(SELLER), at=linked.clock())

    assert unlinks(linked, headers={spelling(name): value for name, value in headers.items()})


def test_an_id_is_signed_in_lower_case_and_kept_as_it_came(linked: World):
    at = linked.clock()
    body = notification(seller_id=SELLER, at=at, data={"id": "AbC-1"}, type="order")

    came = told(linked, query="data.id=AbC-1", headers=signed(data_id="AbC-1", at=at), body=body)

    assert came.data_id == "AbC-1"


def test_an_encoded_id_is_decoded_once(linked: World):
    at = linked.clock()
    body = notification(seller_id=SELLER, at=at, data={"id": "a b%41"})

    came = told(
        linked, query="data.id=a%20b%2541", headers=signed(data_id="a b%41", at=at), body=body
    )

    assert came.data_id == "a b%41"


@pytest.mark.parametrize("query", [f"data.id={SELLER}", f"data.id={SELLER}".encode()], ids=repr)
def test_the_query_may_be_text_or_bytes(query: Any, linked: World):
    assert unlinks(linked, query=query)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        ",",
        "ts=,v1=",
        "ts={ts}",
        "v1={v1}",
        "ts={ts},v1=",
        "ts={ts},v1={v1}0",
        "ts={ts},v1={wrong}",
        "ts={ts},v1=\u00e9\ud800",
        "ts=-{ts},v1={v1}",
        "ts={ts}.0,v1={v1}",
        "ts=\u0661\u0662,v1={v1}",
        "ts=99999999999999999,v1={v1}",
        "ts={ts};v1={v1}",
        "{v1}",
    ],
)
def test_a_signature_that_is_not_one_is_refused(signature: str, linked: World):
    headers = signed(data_id=str(SELLER), at=linked.clock())
    parts = dict(part.split("=") for part in headers["X-Signature"].split(","))
    signature = signature.format(**parts, wrong=parts["v1"][::-1])

    with pytest.raises(NotificationError):
        told(linked, headers=headers | {"X-Signature": signature})

    assert status(linked) == "linked"


def test_a_signature_of_something_else_is_refused(linked: World):
    at = linked.clock()
    for headers in (
        signed(data_id="78", at=at),
        signed(data_id=str(SELLER), at=at, secret="another"),
        signed(data_id=str(SELLER), at=at) | {"X-Request-Id": "another"},
        {
            **signed(data_id=str(SELLER), at=at),
            "X-Signature": signed(data_id=str(SELLER), at=at)["X-Signature"].replace(
                str(int(at.timestamp())), str(int(at.timestamp()) + 1)
            ),
        },
    ):
        with pytest.raises(NotificationError, match="another secret"):
            told(linked, headers=headers)


@pytest.mark.parametrize("secret", ["the-old-one", "the-new-one"])
def test_while_a_secret_is_replaced_both_are_good(secret: str, linked: World):
    shop = linked.worker(webhook_secrets=("the-new-one", "the-old-one"))
    at = linked.clock()

    assert told(linked, shop, headers=signed(data_id=str(SELLER), at=at, secret=secret))
    with pytest.raises(NotificationError):
        told(linked, shop, headers=signed(data_id=str(SELLER), at=at))


def test_without_a_secret_nothing_is_believed(linked: World):
    shop = linked.worker(webhook_secrets=())
    for secret in ("", WEBHOOK_SECRET):
        with pytest.raises(NotificationError):
            told(
                linked,
                shop,
                headers=signed(data_id=str(SELLER), at=linked.clock(), secret=secret),
            )


# ---- what it changes ----


def test_a_body_about_another_id_than_the_signed_one_is_refused(linked: World):
    linked.link(linked.worker(), "shop-2", seller=linked.sandbox.create_seller(user_id=78))
    linked.clock.advance(days=1)

    with pytest.raises(NotificationError, match="not about the data"):
        told(linked, body=notification(seller_id=78, at=linked.clock()))

    assert linked.worker().status("shop-2") == "linked"


def test_every_account_of_the_seller_is_unlinked_and_no_other(linked: World):
    shop = linked.worker(if_taken="allow")
    linked.link(shop, "shop-2")
    linked.link(shop, "shop-3", seller=linked.sandbox.create_seller())
    linked.clock.advance(days=1)

    told(linked)

    accounts = ("shop-1", "shop-2", "shop-3")
    assert [shop.status(one) for one in accounts] == ["unlinked", "unlinked", "linked"]


def test_a_notification_that_comes_again_changes_nothing(linked: World):
    told(linked)
    before = linked.kept()

    told(linked)

    assert linked.kept() == before
    assert len(linked.happened("unlinked")) == 1


def test_a_notification_that_is_older_than_the_link_changes_nothing(linked: World):
    """It was about an earlier link, and comes after the seller has linked again."""
    headers = signed(data_id=str(SELLER), at=linked.clock())
    body = notification(seller_id=SELLER, at=linked.clock())
    linked.clock.advance(seconds=10)
    again = linked.link(linked.worker())
    linked.clock.advance(seconds=10)

    told(linked, headers=headers, body=body)

    assert linked.kept() == again


@pytest.mark.parametrize(("milliseconds", "kept"), [(-1, "linked"), (0, "unlinked")])
def test_the_edge_is_the_beginning_of_the_link(milliseconds: int, kept: str, world: World):
    world.seller = world.sandbox.create_seller(user_id=SELLER)
    world.clock.advance(seconds=0.0015)
    link = world.link(world.worker())
    at = link.linked_at + timedelta(milliseconds=milliseconds)

    told(world, body=notification(seller_id=SELLER, at=at))

    assert status(world) == kept


def test_a_link_that_was_lost_is_unlinked_too(linked: World):
    linked.sandbox.unlink(linked.application, linked.seller)
    with pytest.raises(LinkingError):
        linked.worker().refused("shop-1", linked.kept().access_token or "")
    assert status(linked) == "needs_relink"

    told(linked)

    assert status(linked) == "unlinked"


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "application.authorized"},
        {"action": "APPLICATION.DEAUTHORIZED"},
        {"action": ...},
        {"type": "payment"},
        {"type": ...},
        {"user_id": ...},
        {"user_id": None},
        {"user_id": "seventy-seven"},
        {"user_id": True},
        {"user_id": 77.0},
        {"user_id": -77},
        {"user_id": 78},
        {"user_id": 10**30},
        {"user_id": [77]},
        {"date_created": ...},
        {"date_created": None},
        {"date_created": "yesterday"},
        {"date_created": 1772452800},
        {"date_created": "2026-03-03T12:00:00"},
        {"date_created": "0001-01-01T00:00:00+23:59"},
        {"date_created": "9999-12-31T23:59:59-23:59"},
        {"date_created": ["2026"]},
    ],
    ids=str,
)
def test_what_does_not_say_clearly_that_a_seller_unlinked_unlinks_nobody(
    changes: dict[str, Any], linked: World
):
    told(linked, body=notification(**{"seller_id": SELLER, "at": linked.clock(), **changes}))

    assert status(linked) == "linked"


@pytest.mark.parametrize(
    "created",
    ["2026-03-03T12:00:00Z", "2026-03-03T09:00:00.000-03:00", "2026-03-03T12:00:00.351+00:00"],
)
def test_dates_of_both_documented_forms_are_read(created: str, linked: World):
    body = notification(seller_id=SELLER, at=linked.clock(), date_created=created)

    came = told(linked, body=body)

    assert came.created_at is not None
    assert came.created_at.replace(microsecond=0) == datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert status(linked) == "unlinked"


# ---- bodies and headers of any kind ----

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "not json": b"action=application.deauthorized",
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "no data": b'{"type":"mp-connect"}',
    "data that is none": b'{"data":"77"}',
    "data that is a list": b'{"data":["77"]}',
    "an id that is none": b'{"data":{"id":null}}',
    "a deep list": b'{"data":{"id":"77"},"user_id":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "a deep object": b'{"data":' * 9_000 + b"1" + b"}" * 9_000,
    "a number too long": b'{"data":{"id":"77"},"id":' + b"9" * 9_000 + b"}",
    "bytes": bytes(range(256)),
    "half": notification(seller_id=SELLER, at=datetime(2026, 3, 3, tzinfo=UTC))[:-9],
    "too much": b'{"data":{"id":"77"},"x":"' + b"x" * 70_000 + b'"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_says_nothing_is_refused(body: bytes, linked: World):
    with pytest.raises(NotificationError):
        told(linked, body=body)

    assert status(linked) == "linked"


@pytest.mark.parametrize("depth", [10, 100, 300, 600, 900, 950, 990, 1_000, 3_000])
def test_depth_is_refused_or_read_and_never_a_crash(depth: int, linked: World):
    nested = b"[" * depth + b"]" * depth
    fields = b'"type":%b,"action":%b,"user_id":%b,"date_created":%b' % ((nested,) * 4)
    body = b'{"data":{"id":"77"},%b}' % fields

    try:
        told(linked, body=body)
    except NotificationError:
        assert depth >= 300

    assert status(linked) == "linked"


def told_nobody(query: str | bytes, headers: dict[str, str], body: bytes) -> Notification:
    """Told to a shop to which nobody is linked."""
    settings = Settings(
        client_id="1",
        client_secret="s",
        redirect_uri=CALLBACK,
        webhook_secrets=(WEBHOOK_SECRET,),
    )
    flows = Flows(settings, MemoryTokenStore(), MemoryPendingStore(), now=lambda: START)
    return drive(flows.notified(query, headers, body), never)


def never(_: Request) -> Failure:
    raise AssertionError("nothing is to be sent")


TEXTS = st.text() | st.sampled_from(
    ["77", "ts=1772452800,v1=00", "data.id", "ts", "v1", "a" * 9000]
)
NAMES = st.sampled_from(["x-signature", "X-Signature", "x-request-id", "X-REQUEST-ID"]) | st.text()


@given(
    query=st.text() | st.binary() | st.lists(TEXTS).map("&data.id=".join),
    headers=st.dictionaries(NAMES, TEXTS, max_size=4),
    body=st.binary(),
)
@example(query="data.id=\ud800", headers={"x-signature": "ts=1,v1=\ud800"}, body=b"{}")
def test_whatever_comes_unsigned_is_a_notification_error(
    query: str | bytes, headers: dict[str, str], body: bytes
):
    with pytest.raises(NotificationError):
        told_nobody(query, headers, body)


@given(
    data_id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["data", "id", "type", "action", "user_id", "date_created"])
                | st.text(max_size=3),
                inner,
                max_size=6,
            )
        ),
    ),
)
def test_whatever_comes_signed_is_read_or_a_notification_error(data_id: str, body: Any):
    if isinstance(body, dict):
        body.setdefault("data", {"id": data_id})
    query, headers = f"data.id={quote(data_id, safe='')}", signed(data_id=data_id, at=START)
    try:
        came = told_nobody(query, headers, json.dumps(body).encode())
    except NotificationError:
        return
    assert came.data_id == data_id
    assert came.seller_id is None or 0 <= came.seller_id < 10**18
    assert came.created_at is None or came.created_at.utcoffset() == timedelta()
