"""P1 and P14 as pure judgements over a journal and a delivery log."""

from datetime import UTC, datetime

import pytest

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.driver.monitors import CallbackDelivery, Happenings, watch
from mp_oauth_sandbox.driver.verdicts import Finding, Verdict, worst
from mp_oauth_sandbox.journal import Entry, Kind

OWN, OTHER = ("A", 1), ("B", 1)


def entry(
    seq: int,
    kind: Kind = "token",
    cause: Cause | None = None,
    grant: str | None = None,
    **facts: str,
) -> Entry:
    grant_type = grant or ("authorization_code" if kind == "token" else None)
    return Entry(
        seq=seq,
        at=datetime(2026, 3, 1, tzinfo=UTC),
        kind=kind,
        request="",
        status=200,
        outcome="",
        line="",
        grant_type=grant_type,
        cause=cause,
        facts=facts,
    )


def delivered(
    session: tuple[str, int], *, state: str | None = "s1", code: str | None = "c1", begun: int = 0
) -> CallbackDelivery:
    return CallbackDelivery(session=session, state=state, code=code, begun=begun)


def judged(
    *deliveries: CallbackDelivery, entries: list[Entry], together: bool = True
) -> list[Finding]:
    record = Happenings(
        entries=entries,
        deliveries=deliveries,
        issued={"s1": {OWN}, "s2": {OTHER}},
        codes={"#1": "c1", "#2": "c2"},
        clocks_together=together,
    )
    return watch(record)


@pytest.mark.parametrize(
    "deliveries",
    [
        [delivered(OWN)],
        # Another browser tried it too, after or before: one of them was the right one.
        [delivered(OTHER), delivered(OWN)],
        [delivered(OWN), delivered(OTHER)],
    ],
)
def test_p1_holds_while_some_delivery_was_by_the_owner(deliveries: list[CallbackDelivery]):
    assert judged(*deliveries, entries=[entry(1, code="#1")]) == []


@pytest.mark.parametrize(
    "deliveries",
    [
        [delivered(OTHER)],
        [delivered(("A", 2))],
        [delivered(OWN, state="s2")],
        [delivered(OWN, state=None)],
        [delivered(OWN, state="made up")],
        [delivered(OWN, code="c2")],
        # The owner came too late: it had been exchanged already.
        [delivered(OTHER), delivered(OWN, begun=1)],
        [],
    ],
)
def test_p1_is_violated_when_no_delivery_so_far_was_by_the_owner(
    deliveries: list[CallbackDelivery],
):
    (finding,) = judged(*deliveries, entries=[entry(1, code="#1")])

    assert (finding.check, finding.verdict, finding.entry) == ("P1", Verdict.VIOLATED, 1)


def test_p1_watches_codes_that_were_never_issued_as_well():
    forged = entry(1, "token", Cause.CODE_UNKNOWN, code="#9")

    assert judged(delivered(OWN, code="forged"), entries=[forged]) == []
    assert [one.check for one in judged(delivered(OTHER, code="forged"), entries=[forged])] == [
        "P1"
    ]
    # Not of this script: somebody else uses the same sandbox.
    assert judged(delivered(OTHER), entries=[forged]) == []


def test_p1_says_nothing_of_refreshes():
    assert judged(entries=[entry(1, grant="refresh_token")]) == []


def test_p14_is_violated_by_an_expired_token():
    used = [entry(1, "resource"), entry(2, "resource", Cause.TOKEN_EXPIRED)]

    (finding,) = judged(entries=used)

    assert (finding.check, finding.verdict, finding.entry) == ("P14", Verdict.VIOLATED, 2)


def test_p14_is_not_checked_while_the_clocks_are_apart():
    (finding,) = judged(entries=[entry(1, "resource", Cause.TOKEN_EXPIRED)], together=False)

    assert (finding.check, finding.verdict) == ("P14", Verdict.NOT_CHECKED)


def test_p14_says_nothing_of_a_revoked_token():
    assert judged(entries=[entry(1, "resource", Cause.TOKEN_REVOKED)]) == []


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        ([], Verdict.HELD),
        ([Verdict.NOT_CHECKED], Verdict.NOT_CHECKED),
        ([Verdict.NOT_CHECKED, Verdict.POLICY], Verdict.POLICY),
        ([Verdict.NOT_CHECKED, Verdict.VIOLATED, Verdict.POLICY], Verdict.VIOLATED),
    ],
)
def test_the_worst_verdict_stands_for_all(verdicts: list[Verdict], together: Verdict):
    findings = [Finding(check="", verdict=verdict, what="", do="") for verdict in verdicts]

    assert worst(findings) is together
