"""Every reason for a no: reachable, told truly to people, told vaguely on the wire.

Sources: Mercado Pago, POST /oauth/token reference; public captures of its errors.
"""

import string
from collections.abc import Callable

import pytest

from mp_oauth_sandbox.core.causes import Cause, Mistake
from mp_oauth_sandbox.core.messages import Refused, TokenAccepted
from mp_oauth_sandbox.core.profile import DEFAULT, LEGACY, STRICT, Profile
from mp_oauth_sandbox.core.refusals import (
    MISTAKES,
    RULES,
    explanation,
    remedy,
    visible,
)
from mp_oauth_sandbox.core.use_token import judge_application, refused_by_type

from .world import CALLBACK, CHALLENGE, VERIFIER, World, asking, proof_of

#: Causes of which the rules know nothing: the doors find them, in the shape of a request.
FOUND_BY_THE_DOORS = {
    Cause.BODY_UNREADABLE,
    Cause.BODY_TOO_LARGE,
    Cause.BODY_TOO_SLOW,
    Cause.PARAMETER_DUPLICATED,
    Cause.PARAMETER_MALFORMED,
    Cause.PARAMETER_SURPLUS,
    Cause.PARAMETER_IN_QUERY,
    Cause.GRANT_TYPE_UNSUPPORTED,
    Cause.PAGE_EXPIRED,
    Cause.SELLER_DENIED,
    Cause.RATE_LIMITED,
    Cause.SERVER_FAILED,
    Cause.NOT_SAVED,
    Cause.RESOURCE_UNKNOWN,
    Cause.IDEMPOTENCY_KEY_MISSING,
    Cause.TEST_USER_IN_LIVE_MODE,
}


class Stage:
    """A world with one application, another one, and a seller, where something goes wrong."""

    def __init__(self) -> None:
        self.world = World()
        self.app, self.stranger = self.world.application(), self.world.application()
        self.seller = self.world.seller()
        self.s256 = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}

    def code(self, **fields: str) -> str:
        return self.world.approve(self.app, self.seller, **fields)

    def ask(self, **fields: str | None) -> object:
        return self.world.try_approve(asking(self.app, **fields), self.seller.user_id)

    def old_secret(self) -> object:
        self.world.revoke("secret_rotated", self.app)
        return self.proving(secret=self.app.client_secret)

    def edited(self, **changes: object) -> "Stage":
        self.app = self.world.edit(self.app, **changes)
        return self

    def under(self, profile: Profile) -> "Stage":
        self.world.switch(profile)
        return self

    def waiting(self, *, days: float = 0, seconds: float = 0) -> "Stage":
        self.world.wait(days=days, seconds=seconds)
        return self

    def operator(self) -> object:
        operator = self.world.seller(collaborator_of=self.seller.user_id)
        return self.world.try_approve(asking(self.app), operator.user_id)

    def replayed(self) -> object:
        code = self.code()
        self.world.redeem(self.app, code)
        self.waiting(seconds=90)
        return self.world.try_redeem(self.app, code)

    def burnt(self) -> object:
        self.under(Profile(failed_exchange_burns_code=True))
        code = self.code()
        self.world.try_redeem(self.app, code, redirect_uri=CALLBACK + "/")
        return self.world.try_redeem(self.app, code)

    def expired_code(self) -> object:
        code = self.code()
        return self.waiting(seconds=601).world.try_redeem(self.app, code)

    def challenge_missing(self) -> object:
        code = self.edited(pkce_required=True).code()
        return self.world.try_redeem(self.app, code, verifier=VERIFIER)

    def expired_refresh(self) -> object:
        tokens = self.world.link(self.app, self.seller)
        return self.waiting(days=200).world.try_refresh(self.app, tokens.refresh_token)

    def replaced(self) -> object:
        tokens = self.world.link(self.app, self.seller)
        self.world.refresh(self.app, tokens)
        return self.world.try_refresh(self.app, tokens.refresh_token)

    def foreign_refresh(self) -> object:
        tokens = self.world.link(self.app, self.seller)
        return self.world.try_refresh(self.stranger, tokens.refresh_token)

    def no_offline(self) -> object:
        tokens = self.world.link(self.app, self.seller)
        return self.edited(scopes=("read",)).world.try_refresh(self.app, tokens.refresh_token)

    def unlinked(self) -> object:
        tokens = self.world.link(self.app, self.seller)
        self.world.revoke("unlinked", self.app, self.seller)
        return self.world.try_refresh(self.app, tokens.refresh_token)

    def displaced(self) -> object:
        self.under(Profile(reauthorization="revokes_all"))
        first = self.world.link(self.app, self.seller)
        self.world.link(self.app, self.seller)
        return self.world.try_refresh(self.app, first.refresh_token)

    def family_gone(self) -> object:
        self.under(Profile(refresh_reuse_revokes_family=True))
        first = self.world.link(self.app, self.seller)
        second = self.world.refresh(self.app, first)
        self.world.try_refresh(self.app, first.refresh_token)
        return self.world.try_refresh(self.app, second.refresh_token)

    def forbidden_token(self) -> object:
        token = self.world.link(self.app, self.seller).access_token
        return self.edited(status="blocked").world.use(token)

    def forbidden_by_type(self) -> object:
        self.edited(application_type="online")
        accepted = self.world.use(self.world.link(self.app, self.seller).access_token)
        assert isinstance(accepted, TokenAccepted)
        return refused_by_type(accepted, "GET", ("pos",))

    def others_application(self) -> object:
        accepted = self.world.use(self.world.link(self.app, self.seller).access_token)
        assert isinstance(accepted, TokenAccepted)
        profile = Profile(application_resource=True)
        return judge_application(self.app, accepted, "GET", profile)

    def expired_token(self) -> object:
        token = self.world.link(self.app, self.seller).access_token
        return self.waiting(days=180).world.use(token)

    def revoked_token(self) -> object:
        token = self.world.link(self.app, self.seller).access_token
        self.world.revoke("password_changed", seller=self.seller)
        return self.world.use(token)

    def redeem(self, code: str | None = None, **fields: object) -> object:
        return self.world.try_redeem(self.app, code or self.code(), **fields)  # type: ignore[arg-type]  # as its parameters

    def proving(self, **wrong: str) -> object:
        return self.redeem(authentication=proof_of(self.app, **wrong))


SITUATIONS: dict[Cause, Callable[[Stage], object]] = {
    Cause.PARAMETER_MISSING: lambda s: s.redeem(redirect_uri=None),
    Cause.APPLICATION_UNKNOWN: lambda s: s.proving(client_id="4711"),
    Cause.APPLICATION_DELETED: lambda s: s.edited(status="deleted").ask(),
    Cause.APPLICATION_BLOCKED: lambda s: s.edited(status="blocked").ask(),
    Cause.APPLICATION_NOT_ACTIVATED: lambda s: s.edited(activated=False).ask(),
    Cause.SECRET_MISMATCH: lambda s: s.proving(secret="wrong"),
    Cause.RESPONSE_TYPE_UNSUPPORTED: lambda s: s.ask(response_type="token"),
    Cause.REDIRECT_URI_NOT_REGISTERED: lambda s: s.ask(redirect_uri="https://other.example/"),
    Cause.CHALLENGE_MISSING: Stage.challenge_missing,
    Cause.CHALLENGE_MALFORMED: lambda s: s.ask(code_challenge="short"),
    Cause.CHALLENGE_UNEXPECTED: lambda s: s.under(Profile(challenge_without_pkce="error_page")).ask(
        **s.s256
    ),
    Cause.SCOPE_INVALID: lambda s: s.under(Profile(authorization_scope="restrict")).ask(
        scope="admin"
    ),
    Cause.OPERATOR_ACCOUNT: Stage.operator,
    Cause.SELLER_UNKNOWN: lambda s: s.world.try_approve(asking(s.app), 5),
    Cause.CODE_UNKNOWN: lambda s: s.redeem("TG-nonsense"),
    Cause.CODE_EXPIRED: Stage.expired_code,
    Cause.CODE_ALREADY_REDEEMED: Stage.replayed,
    Cause.CODE_OF_ANOTHER_APPLICATION: lambda s: s.world.try_redeem(s.stranger, s.code()),
    Cause.CODE_BURNT: Stage.burnt,
    Cause.REDIRECT_URI_MISMATCH: lambda s: s.redeem(redirect_uri="https://other.example/"),
    Cause.VERIFIER_MISSING: lambda s: s.redeem(s.code(**s.s256)),
    Cause.VERIFIER_MALFORMED: lambda s: s.redeem(s.code(**s.s256), verifier="short"),
    Cause.VERIFIER_MISMATCH: lambda s: s.redeem(s.code(**s.s256), verifier="x" * 43),
    Cause.VERIFIER_UNEXPECTED: lambda s: s.under(Profile(stray_verifier="refuse")).redeem(
        verifier=VERIFIER
    ),
    Cause.REFRESH_UNKNOWN: lambda s: s.world.try_refresh(s.app, "TG-nonsense"),
    Cause.REFRESH_EXPIRED: Stage.expired_refresh,
    Cause.REFRESH_REPLACED: Stage.replaced,
    Cause.REFRESH_OF_ANOTHER_APPLICATION: Stage.foreign_refresh,
    Cause.OFFLINE_ACCESS_MISSING: Stage.no_offline,
    Cause.LINK_REVOKED: Stage.unlinked,
    Cause.GRANT_DISPLACED: Stage.displaced,
    Cause.GRANT_REPLAYED: Stage.family_gone,
    Cause.TOKEN_FORBIDDEN: Stage.forbidden_token,
    Cause.APPLICATION_FORBIDDEN: Stage.others_application,
    Cause.TYPE_FORBIDDEN: Stage.forbidden_by_type,
    Cause.TOKEN_MISSING: lambda s: s.world.use(None),
    Cause.TOKEN_MALFORMED: lambda s: s.world.use("nonsense"),
    Cause.TOKEN_UNKNOWN: lambda s: s.world.use(f"APP_USR-1-010203-{'0' * 32}-5"),
    Cause.TOKEN_EXPIRED: Stage.expired_token,
    Cause.TOKEN_REVOKED: Stage.revoked_token,
}

SLIPS: dict[Mistake, Callable[[Stage], object]] = {
    Mistake.SECRET_BEFORE_ROTATION: Stage.old_secret,
    Mistake.ACCESS_TOKEN_AS_SECRET: lambda s: s.proving(secret=s.app.access_token),
    Mistake.CODE_AS_REFRESH_TOKEN: lambda s: s.world.try_refresh(s.app, s.code()),
    Mistake.REFRESH_TOKEN_AS_CODE: lambda s: s.redeem(s.world.link(s.app, s.seller).refresh_token),
    Mistake.ACCESS_TOKEN_AS_GRANT: lambda s: s.world.try_refresh(s.app, s.app.access_token),
    Mistake.CODE_STILL_ENCODED: lambda s: s.redeem("TG%2D5f0a%2D1"),
    Mistake.REDIRECT_URI_STILL_ENCODED: lambda s: s.redeem(
        redirect_uri=CALLBACK.replace(":", "%3A").replace("/", "%2F")
    ),
    Mistake.REDIRECT_URI_ALMOST: lambda s: s.ask(redirect_uri=CALLBACK + "/"),
    Mistake.USER_ID_AS_CLIENT_ID: lambda s: s.ask(client_id=str(s.seller.user_id)),
    Mistake.REFRESH_TOKEN_AS_BEARER: lambda s: s.world.use(
        s.world.link(s.app, s.seller).refresh_token
    ),
}


#: Seen from the shape of a request, before any rule.
SLIPS_FOUND_BY_THE_DOORS = {
    Mistake.PARAMETERS_IN_QUERY,
    Mistake.BASIC_AUTHENTICATION,
    Mistake.REVOCATION_ENDPOINT,
}


def test_every_cause_is_reached_by_a_rule_or_listed_as_the_doors():
    assert set(SITUATIONS) | FOUND_BY_THE_DOORS == set(Cause)
    assert not set(SITUATIONS) & FOUND_BY_THE_DOORS
    assert set(SLIPS) | SLIPS_FOUND_BY_THE_DOORS == set(Mistake)


def told(stage: Stage, refused: object) -> Refused:
    """The refusal, once what people read about it holds no gap and no secret."""
    assert isinstance(refused, Refused), refused
    for text in (explanation(refused), remedy(refused)):
        assert text
        assert "(not known)" not in text
        assert "{" not in text
        assert not [secret for secret in stage.world.secrets if secret in text]
    return refused


@pytest.mark.parametrize("cause", SITUATIONS)
def test_each_situation_has_its_cause_and_a_complete_explanation_without_secrets(cause: Cause):
    stage = Stage()
    assert told(stage, SITUATIONS[cause](stage)).cause is cause


@pytest.mark.parametrize("mistake", SLIPS)
def test_each_slip_is_recognised_and_has_its_own_explanation_without_secrets(mistake: Mistake):
    stage = Stage()
    refused = told(stage, SLIPS[mistake](stage))
    assert refused.mistake is mistake
    assert explanation(refused) != RULES[refused.cause].explanation
    assert explanation(refused).startswith(MISTAKES[mistake][0][:20])


def test_the_tables_are_complete_and_name_their_sources():
    assert set(RULES) == set(Cause)
    assert set(MISTAKES) == set(Mistake)
    for rule in RULES.values():
        assert rule.error
        assert rule.explanation.endswith((".", "}"))
        assert rule.remedy
        assert rule.source
        for template in (rule.message, rule.explanation, rule.remedy):
            assert list(string.Formatter().parse(template)) is not None


def test_ages_are_told_in_the_units_people_use():
    stage = Stage()
    replayed = stage.replayed()
    assert isinstance(replayed, Refused)
    assert "already redeemed, 1 min 30 s ago" in explanation(replayed)
    expired = stage.expired_code()
    assert isinstance(expired, Refused)
    assert explanation(expired) == "The code was issued 10 min 1 s ago and lives 10 min."
    late = stage.expired_refresh()
    assert isinstance(late, Refused)
    assert "issued 200 d ago" in explanation(late)


def test_the_application_a_code_belongs_to_is_named():
    stage = Stage()
    refused = SITUATIONS[Cause.CODE_OF_ANOTHER_APPLICATION](stage)
    assert isinstance(refused, Refused)
    assert f"Shop ({stage.app.client_id})" in explanation(refused)
    assert f"and {stage.stranger.client_id} presents it" in explanation(refused)


def test_a_secret_sent_as_client_id_is_not_repeated():
    stage = Stage()
    for swapped in (stage.app.client_secret, stage.app.access_token, "7" * 21):
        refused = told(stage, stage.proving(client_id=swapped))
        assert swapped not in explanation(refused)
        assert f"not a number, {len(swapped)} characters" in explanation(refused)
        assert told(stage, stage.ask(client_id=swapped)) == refused


def test_what_a_request_says_cannot_move_a_terminals_cursor():
    stage = Stage()
    refused = told(stage, stage.ask(redirect_uri="\x1b[2J\r\né\u202e"))
    assert explanation(refused).startswith(r"redirect_uri \x1b[2J\r\n")
    assert r"\u202e" in explanation(refused)
    assert visible("año ¡sí!") == "año ¡sí!"


@pytest.mark.parametrize("profile", [DEFAULT, STRICT, LEGACY], ids=lambda profile: profile.name)
def test_a_correct_integration_works_under_every_preset(profile: Profile):
    world = World(profile)
    app, seller = world.application(pkce=True), world.seller()
    tokens = world.link(app, seller)
    for _ in range(3):
        world.wait(days=170)
        tokens = world.refresh(app, tokens)
        assert world.accepts(tokens.access_token)
