"""Any sequence of what sellers, integrations and time can do, beside an independent model."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from mp_oauth_sandbox.core.messages import CodeIssued, Refresh, Refused, TokensIssued
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import Application, Keys, Seller
from mp_oauth_sandbox.core.refresh import refresh
from mp_oauth_sandbox.core.refusals import explanation, remedy

from .linking_model import OK, App, Model
from .world import CALLBACK, CHALLENGE, VERIFIER, World, asking, proof_of

SECOND = "https://shop.example/second"
SWITCHES = st.fixed_dictionaries(
    {
        "reauthorization": st.sampled_from(["keeps", "revokes_refresh_token", "revokes_all"]),
        "refresh_reusable": st.booleans(),
        "refresh_reuse_revokes_family": st.booleans(),
        "code_replay_revokes_tokens": st.booleans(),
        "refresh_revokes_access_token": st.booleans(),
        "failed_exchange_burns_code": st.booleans(),
        "stray_verifier": st.sampled_from(["ignore", "refuse"]),
    }
)
NAMES = st.sampled_from(["plain", "pkce", "online"])
PICKS = st.integers(0, 6)
PEOPLE = st.sampled_from(["ana", "bruno", "owner"])
CHALLENGES = st.sampled_from([None, (CHALLENGE, "S256"), (VERIFIER, "plain")])
CHALLENGES_OF = {True: (CHALLENGE, "S256"), False: None}
WRONG_VERIFIERS = st.sampled_from([None, VERIFIER, "wrong" * 10, "short"])
#: Mostly none or one at a time, so that each is seen alone; sometimes two, for their order.
FAULTS = st.sampled_from(["application", "redirect_uri", "verifier", "secret"]).flatmap(
    lambda fault: st.sampled_from([set[str](), {fault}, {fault}, {fault, "redirect_uri"}])
)
#: Small steps more often: a world where all has expired has little to tell.
STEPS = st.sampled_from(
    [
        *[timedelta(microseconds=1), timedelta(seconds=1), timedelta(seconds=599)] * 2,
        timedelta(seconds=600),
        timedelta(seconds=21_600),
        timedelta(days=180),
        timedelta(days=200),
    ]
)


def newest(things: Mapping[str, object], pick: int) -> str:
    """One of the newest: 0 is the last."""
    return list(things)[-1 - pick % len(things)]


def cause_of(outcome: object) -> str:
    """The cause of a refusal, after a look at what people would read about it."""
    if not isinstance(outcome, Refused):
        return OK
    assert "(not known)" not in explanation(outcome) + remedy(outcome)
    return outcome.cause.value


class Linking(RuleBasedStateMachine):
    """Three applications (one with PKCE, one without offline_access), two sellers, an owner.

    Codes and tokens are picked from the model's, the newest first, and a few exist from the
    start: bundles would stay empty in most runs.
    """

    @initialize(switches=SWITCHES)
    def open(self, switches: dict[str, Any]) -> None:
        self.world = World(Profile(**switches))
        self.model = Model(switches, self.world.now)
        self.people: dict[str, Seller] = {
            name: self.world.seller() for name in ("ana", "bruno", "owner")
        }
        owner = self.people["owner"].user_id
        for name, pkce, scopes in (
            ("online", False, ("read", "write")),
            ("pkce", True, None),
            ("plain", False, None),
        ):
            app = self.world.application(
                owner=owner, redirect_uris=(CALLBACK, SECOND), pkce=pkce, scopes=scopes
            )
            self.apps[name] = app
            self.model.apps[name] = App(app.client_secret, pkce, offline=name != "online")
            self.model.platform_token(name, owner, app.access_token)
            self.link(name, "ana", CHALLENGES_OF[pkce])
            self.approve(name, "ana", CALLBACK, CHALLENGES_OF[pkce])

    def __init__(self) -> None:
        super().__init__()
        self.apps: dict[str, Application] = {}

    @rule(name=NAMES, person=PEOPLE, uri=st.sampled_from([CALLBACK, SECOND]), challenge=CHALLENGES)
    def approve(self, name: str, person: str, uri: str, challenge: tuple[str, str] | None) -> None:
        self.ask(name, person, uri, challenge)

    def ask(
        self, name: str, person: str, uri: str, challenge: tuple[str, str] | None
    ) -> str | None:
        value, method = challenge or (None, None)
        seller = self.people[person].user_id
        request = asking(
            self.apps[name], redirect_uri=uri, code_challenge=value, code_challenge_method=method
        )
        outcome = self.world.try_approve(request, seller)
        assert cause_of(outcome) == self.model.approve(name)
        if not isinstance(outcome, CodeIssued):
            return None
        self.model.approved(name, seller, outcome.code, uri, challenge)
        return outcome.code

    @rule(name=NAMES, person=PEOPLE, challenge=CHALLENGES)
    def link(self, name: str, person: str, challenge: tuple[str, str] | None) -> None:
        code = self.ask(name, person, CALLBACK, challenge)
        if code is not None:
            self.exchange(name, code, CALLBACK, None if challenge is None else VERIFIER)

    @rule(pick=PICKS, faults=FAULTS, other=NAMES, wrong=WRONG_VERIFIERS)
    def redeem(self, pick: int, faults: set[str], other: str, wrong: str | None) -> None:
        code = newest(self.model.codes, pick)
        known = self.model.codes[code]
        name = other if "application" in faults else known.family.app
        uri = known.redirect_uri
        if "redirect_uri" in faults:
            uri = SECOND if uri == CALLBACK else CALLBACK
        needed = known.challenge is not None or self.model.apps[name].pkce
        verifier = VERIFIER if needed else None
        if "verifier" in faults:
            verifier = wrong
        self.exchange(name, code, uri, verifier, right_secret="secret" not in faults)

    @rule(name=NAMES, pick=PICKS)
    def redeem_a_refresh_token(self, name: str, pick: int) -> None:
        self.exchange(name, newest(self.model.renewals, pick), CALLBACK, VERIFIER)

    def exchange(
        self, name: str, code: str, uri: str, verifier: str | None, *, right_secret: bool = True
    ) -> None:
        app = self.apps[name]
        secret = app.client_secret if right_secret else "wrong"
        expected = self.model.redeem(name, secret, code, uri, verifier)
        outcome = self.world.try_redeem(
            app,
            code,
            redirect_uri=uri,
            verifier=verifier,
            authentication=proof_of(app, secret=secret),
        )
        assert cause_of(outcome) == expected
        if not isinstance(outcome, TokensIssued):
            self.model.exchange_failed(expected, code)
            return
        assert outcome.user_id == self.model.codes[code].family.seller
        self.model.redeemed(code, outcome.access_token, outcome.refresh_token)

    @rule(pick=PICKS, faults=FAULTS, other=NAMES)
    def renew(self, pick: int, faults: set[str], other: str) -> None:
        token = newest(self.model.renewals, pick)
        name = other if "application" in faults else self.model.renewals[token].family.app
        self.exchange_refresh(name, token, right_secret="secret" not in faults)

    @rule(name=NAMES, pick=PICKS)
    def refresh_with_a_code(self, name: str, pick: int) -> None:
        self.exchange_refresh(name, newest(self.model.codes, pick))

    def exchange_refresh(self, name: str, token: str, *, right_secret: bool = True) -> None:
        app = self.apps[name]
        secret = app.client_secret if right_secret else "wrong"
        expected = self.model.refresh(name, secret, token)
        proof = proof_of(app, secret=secret)
        outcome = self.world.try_refresh(app, token, authentication=proof)
        assert cause_of(outcome) == expected
        if isinstance(outcome, TokensIssued):
            self.model.refreshed(token, outcome.access_token, outcome.refresh_token)
        else:
            self.model.refresh_failed(expected, token)

    @rule(name=NAMES)
    def client_credentials(self, name: str) -> None:
        app = self.apps[name]
        outcome = self.world.client_credentials(app)
        assert cause_of(outcome) == self.model.authenticate(name, app.client_secret)
        if isinstance(outcome, TokensIssued):
            self.model.own_token(name, outcome.user_id, outcome.access_token)

    @rule(step=STEPS)
    def wait(self, step: timedelta) -> None:
        self.world.wait(step)
        self.model.now += step

    @rule(name=NAMES, person=PEOPLE)
    def unlink(self, name: str, person: str) -> None:
        seller = self.people[person]
        self.world.revoke("unlinked", self.apps[name], seller)
        self.model.revoke(app=name, seller=seller.user_id)

    @rule(person=PEOPLE)
    def change_password(self, person: str) -> None:
        seller = self.people[person]
        self.world.revoke("password_changed", seller=seller)
        self.model.revoke(seller=seller.user_id)

    @rule(name=NAMES, really=st.integers(0, 3))
    def delete_application(self, name: str, really: int) -> None:
        # Rare, because it ends a third of the story.
        if really == 3:
            self.world.revoke("application_deleted", self.apps[name])
            self.model.apps[name].deleted = True

    @invariant()
    def every_access_token_is_judged_as_the_model_says(self) -> None:
        for token in self.model.access:
            assert cause_of(self.world.use(token)) == self.model.use(token)

    @invariant()
    def at_most_one_refresh_token_of_an_approval_works_unless_it_is_reusable(self) -> None:
        alive: list[str] = []
        for token, renewal in self.model.renewals.items():
            app = self.apps[renewal.family.app]
            outcome = self.would_refresh(app, token)
            expected = self.model.refresh(renewal.family.app, app.client_secret, token)
            assert cause_of(outcome) == expected
            if expected == OK:
                grant = self.world.store.read(Keys(secret=token)).grant
                assert grant is not None
                alive.append(grant.grant_id)
        assert self.world.profile.refresh_reusable or len(alive) == len(set(alive))

    def would_refresh(self, app: Application, token: str) -> TokensIssued | Refused:
        """What a refresh would answer now; nothing of it happens."""
        _, outcome = refresh(
            self.world.store.read(Keys(client_id=app.client_id, secret=token)),
            Refresh(authentication=proof_of(app), refresh_token=token),
            now=self.world.now,
            fresh=self.world.mint(),
            profile=self.world.profile,
        )
        return outcome


TestLinking = Linking.TestCase
