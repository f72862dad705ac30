"""What should happen, written from the standard and the documents, and from no code of ours.

Sources: RFC 6749 sections 4.1.2, 4.1.3, 4.4 and 6; RFC 7636 sections 4.2 and 4.6; Mercado Pago,
POST /oauth/token reference and OAuth management. It keeps sets of what is dead, where the
rules themselves compare epochs and generations.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

OK = "granted"


@dataclass
class App:
    secret: str
    pkce: bool
    offline: bool
    deleted: bool = False


@dataclass(eq=False)
class Family:
    """One approval, and all that came of it."""

    app: str
    seller: int
    approved: bool = True
    exchanged: bool = False
    revoked: bool = False
    replayed: bool = False
    displaced: bool = False


@dataclass
class Code:
    family: Family
    redirect_uri: str
    challenge: tuple[str, str] | None
    expires: datetime
    redeemed: bool = False
    burnt: bool = False


@dataclass
class Access:
    family: Family
    expires: datetime | None
    superseded: bool = False


@dataclass
class Renewal:
    family: Family
    expires: datetime
    replaced: bool = False


@dataclass
class Model:
    """Predicts outcomes as "granted" or the exact cause, and remembers their effects."""

    switches: Mapping[str, object]
    now: datetime
    apps: dict[str, App] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    renewals: dict[str, Renewal] = field(default_factory=dict)
    families: list[Family] = field(default_factory=list)

    # ---- predictions ----

    def authenticate(self, app: str, secret: str) -> str:
        if secret != self.apps[app].secret:
            return "secret_mismatch"
        return "application_deleted" if self.apps[app].deleted else OK

    def approve(self, app: str) -> str:
        return "application_deleted" if self.apps[app].deleted else OK

    def redeem(
        self, app: str, secret: str, text: str, redirect_uri: str, verifier: str | None
    ) -> str:
        proof = self.authenticate(app, secret)
        if proof != OK:
            return proof
        code = self.codes.get(text)
        if self.apps[app].pkce and verifier is None:
            return "verifier_missing"
        if code is None:
            return "code_unknown"
        if code.family.app != app:
            return "code_of_another_application"
        if code.redeemed or code.burnt:
            return "code_already_redeemed" if code.redeemed else "code_burnt"
        if self.dead(code.family):
            return "grant_replayed" if code.family.replayed else "link_revoked"
        if self.now >= code.expires:
            return "code_expired"
        if redirect_uri != code.redirect_uri:
            return "redirect_uri_mismatch"
        return self.verify(code, verifier)

    def verify(self, code: Code, verifier: str | None) -> str:
        if code.challenge is None:
            if self.apps[code.family.app].pkce:
                return "challenge_missing"
            stray = verifier is not None and self.switches["stray_verifier"] == "refuse"
            return "verifier_unexpected" if stray else OK
        if verifier is None:
            return "verifier_missing"
        if not 43 <= len(verifier) <= 128:
            return "verifier_malformed"
        value, method = code.challenge
        digest = hashlib.sha256(verifier.encode()).digest()
        hashed = urlsafe_b64encode(digest).decode().replace("=", "")
        return OK if value == (hashed if method == "S256" else verifier) else "verifier_mismatch"

    def refresh(self, app: str, secret: str, text: str) -> str:
        proof = self.authenticate(app, secret)
        if proof != OK:
            return proof
        if not self.apps[app].offline:
            return "offline_access_missing"
        renewal = self.renewals.get(text)
        if renewal is None:
            return "refresh_unknown"
        if renewal.family.app != app:
            return "refresh_of_another_application"
        if renewal.replaced:
            return "refresh_replaced"
        if self.dead(renewal.family):
            return "grant_replayed" if renewal.family.replayed else "link_revoked"
        if renewal.family.displaced:
            return "grant_displaced"
        return "refresh_expired" if self.now >= renewal.expires else OK

    def use(self, text: str) -> str:
        access = self.access[text]
        displaced = access.family.displaced and self.switches["reauthorization"] == "revokes_all"
        if self.dead(access.family) or displaced or access.superseded:
            return "token_revoked"
        if access.expires is not None and self.now >= access.expires:
            return "token_expired"
        return OK

    def dead(self, family: Family) -> bool:
        return family.revoked or family.replayed or self.apps[family.app].deleted

    # ---- effects ----

    def platform_token(self, app: str, owner: int, text: str) -> None:
        family = Family(app=app, seller=owner, approved=False)
        self.families.append(family)
        self.access[text] = Access(family, None)

    def own_token(self, app: str, owner: int, text: str) -> None:
        self.platform_token(app, owner, text)
        self.access[text].expires = self.now + timedelta(seconds=21_600)

    def approved(
        self, app: str, seller: int, text: str, uri: str, challenge: tuple[str, str] | None
    ) -> None:
        assert text not in self.codes
        family = Family(app=app, seller=seller)
        self.families.append(family)
        self.codes[text] = Code(family, uri, challenge, self.now + timedelta(seconds=600))

    def exchange_failed(self, cause: str, text: str) -> None:
        code = self.codes.get(text)
        if code is None or cause in {"secret_mismatch", "application_deleted"}:
            return
        if cause == "code_already_redeemed" and self.switches["code_replay_revokes_tokens"]:
            code.family.replayed = True
        over = code.redeemed or self.dead(code.family) or self.now >= code.expires
        if self.switches["failed_exchange_burns_code"] and not over:
            code.burnt = True

    def redeemed(self, text: str, access: str, refresh: str | None) -> None:
        code = self.codes[text]
        assert not code.redeemed, "a code is redeemed at most once"
        code.redeemed = True
        mine = code.family
        if self.switches["reauthorization"] != "keeps":
            for other in self.families:
                if (other.app, other.seller) == (mine.app, mine.seller) and other.exchanged:
                    other.displaced = True
        mine.exchanged = True
        self.issued(mine, access, refresh)

    def refreshed(self, text: str, access: str, refresh: str | None) -> None:
        renewal = self.renewals[text]
        renewal.replaced = not self.switches["refresh_reusable"]
        if self.switches["refresh_revokes_access_token"]:
            for older in self.access.values():
                older.superseded |= older.family is renewal.family
        self.issued(renewal.family, access, refresh)

    def refresh_failed(self, cause: str, text: str) -> None:
        if cause == "refresh_replaced" and self.switches["refresh_reuse_revokes_family"]:
            self.renewals[text].family.replayed = True

    def issued(self, family: Family, access: str, refresh: str | None) -> None:
        assert access not in self.access
        self.access[access] = Access(family, self.now + timedelta(days=180))
        assert (refresh is not None) == self.apps[family.app].offline
        if refresh is not None:
            assert refresh not in self.renewals
            self.renewals[refresh] = Renewal(family, six_months_after(self.now))

    def revoke(self, *, app: str | None = None, seller: int | None = None) -> None:
        for family in self.families:
            family.revoked |= app in (None, family.app) and seller in (None, family.seller)


def six_months_after(instant: datetime) -> datetime:
    """The same day six months on, or the last day of that month."""
    month = instant.month + 6
    year, month = (instant.year + 1, month - 12) if month > 12 else (instant.year, month)
    for day in range(instant.day, 0, -1):
        try:
            return instant.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")
