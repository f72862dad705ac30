"""A small world for the rules: a store, an hour, a seeded mint, and verbs for who does what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mp_oauth_sandbox.core import revoke as revocation
from mp_oauth_sandbox.core.authenticate import client_id_of
from mp_oauth_sandbox.core.authorize import approve
from mp_oauth_sandbox.core.client_credentials import client_credentials
from mp_oauth_sandbox.core.lifetimes import Lifetimes
from mp_oauth_sandbox.core.messages import (
    Authentication,
    AuthorizationRequest,
    ClientCredentials,
    CodeIssued,
    RedeemCode,
    Refresh,
    Refused,
    TokenAccepted,
    TokensIssued,
    UseToken,
)
from mp_oauth_sandbox.core.pkce import s256
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import Application, Change, Keys, Seller
from mp_oauth_sandbox.core.redeem import redeem_code
from mp_oauth_sandbox.core.refresh import refresh
from mp_oauth_sandbox.core.registration import (
    NewApplication,
    NewSeller,
    check_application,
    check_seller,
    create_seller,
    register_application,
)
from mp_oauth_sandbox.core.use_token import use_token
from mp_oauth_sandbox.engine.mint import Mint
from mp_oauth_sandbox.stores.memory import MemoryStore
from mp_oauth_sandbox.stores.protocol import Decide, Outcome

START = datetime(2026, 5, 18, 1, 12, tzinfo=UTC)
CALLBACK = "https://shop.example/mp/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = s256(VERIFIER)


class World:
    """One sandbox without its doors; every decision is the real one, on the store in memory."""

    def __init__(self, profile: Profile = Profile(), *, start: datetime = START) -> None:
        self.store = MemoryStore()
        self.mint = Mint(7)
        self.profile = profile
        self.now = start
        #: Whatever nobody may read in an explanation or a repr.
        self.secrets: set[str] = {VERIFIER}

    def wait(self, duration: timedelta = timedelta(), *, days: float = 0, seconds: float = 0):
        self.now += duration + timedelta(days=days, seconds=seconds)

    def switch(self, profile: Profile) -> None:
        self.profile = profile

    # ---- what the panel does ----

    def seller(self, **wanted: object) -> Seller:
        seller = NewSeller(**wanted)  # type: ignore[arg-type]  # the fields' own types are checked
        check_seller(seller)
        user_id = self.mint().user_id() if seller.user_id is None else seller.user_id
        return self._decided(
            Keys(user_id=user_id),
            lambda view: create_seller(view, seller, user_id=user_id, now=self.now),
        )

    def application(
        self,
        *,
        owner: int | None = None,
        redirect_uris: tuple[str, ...] = (CALLBACK,),
        pkce: bool = False,
        scopes: tuple[str, ...] | None = None,
        lifetimes: Lifetimes = Lifetimes(),
        client_id: str | None = None,
        client_secret: str | None = None,
    ) -> Application:
        owner = self.seller().user_id if owner is None else owner
        fresh = self.mint()
        wanted = NewApplication(
            name="Shop",
            redirect_uris=redirect_uris,
            pkce_required=pkce,
            scopes=scopes,
            lifetimes=lifetimes,
            client_id=client_id,
            client_secret=client_secret,
            owner=owner,
        )
        check_application(wanted, self.profile)
        application = self._decided(
            Keys(client_id=client_id or fresh.client_id(), user_id=owner),
            lambda view: register_application(
                view, wanted, owner=owner, now=self.now, fresh=fresh, profile=self.profile
            ),
        )
        self.secrets |= {application.client_secret, application.access_token}
        return application

    def edit(self, application: Application, **changes: object) -> Application:
        changed = replace(application, **changes)  # type: ignore[arg-type]  # as above
        self._decided(
            Keys(client_id=application.client_id),
            lambda _view: (Change(put=(changed,)), None),
        )
        return changed

    def revoke(
        self,
        reason: revocation.Reason,
        application: Application | None = None,
        seller: Seller | None = None,
    ) -> bool:
        keys = Keys(
            client_id=application.client_id if application else None,
            user_id=seller.user_id if seller else None,
        )
        fresh = self.mint()
        ended = self._decided(
            keys,
            lambda view: revocation.revoke(
                view, reason, now=self.now, fresh=fresh, profile=self.profile
            ),
        )
        return ended is not None

    # ---- the seller ----

    def try_approve(self, request: AuthorizationRequest, user_id: int) -> CodeIssued | Refused:
        fresh = self.mint()
        return self._decided(
            Keys(client_id=request.client_id, user_id=user_id),
            lambda view: approve(
                view, request, user_id=user_id, now=self.now, fresh=fresh, profile=self.profile
            ),
        )

    def approve(self, application: Application, seller: Seller, **fields: str) -> str:
        """The code of an approval; `fields` are further ones of the authorization request."""
        issued = self.try_approve(asking(application, **fields), seller.user_id)
        assert isinstance(issued, CodeIssued), issued
        self.secrets.add(issued.code)
        return issued.code

    # ---- the integration ----

    def try_redeem(
        self,
        application: Application,
        code: str | None,
        *,
        redirect_uri: str | None = "",
        verifier: str | None = None,
        test_token: bool = False,
        authentication: Authentication | None = None,
    ) -> TokensIssued | Refused:
        request = RedeemCode(
            authentication=authentication or proof_of(application),
            code=code,
            redirect_uri=application.redirect_uris[0] if redirect_uri == "" else redirect_uri,
            code_verifier=verifier,
            test_token=test_token,
        )
        fresh = self.mint()
        return self._seen(
            self._decided(
                Keys(client_id=client_id_of(request.authentication), secret=code),
                lambda view: redeem_code(
                    view, request, now=self.now, fresh=fresh, profile=self.profile
                ),
            )
        )

    def redeem(self, application: Application, code: str, **fields: str) -> TokensIssued:
        return granted(self.try_redeem(application, code, **fields))  # type: ignore[arg-type]  # text only

    def link(self, application: Application, seller: Seller) -> TokensIssued:
        """The tokens of a seller who approves and is exchanged at once."""
        if not application.pkce_required:
            return self.redeem(application, self.approve(application, seller))
        code = self.approve(
            application, seller, code_challenge=CHALLENGE, code_challenge_method="S256"
        )
        return self.redeem(application, code, verifier=VERIFIER)

    def try_refresh(
        self,
        application: Application,
        token: str | None,
        *,
        scope: str | None = None,
        authentication: Authentication | None = None,
    ) -> TokensIssued | Refused:
        request = Refresh(
            authentication=authentication or proof_of(application),
            refresh_token=token,
            scope=scope,
        )
        fresh = self.mint()
        return self._seen(
            self._decided(
                Keys(client_id=client_id_of(request.authentication), secret=token),
                lambda view: refresh(
                    view, request, now=self.now, fresh=fresh, profile=self.profile
                ),
            )
        )

    def refresh(self, application: Application, tokens: TokensIssued) -> TokensIssued:
        return granted(self.try_refresh(application, tokens.refresh_token))

    def client_credentials(
        self, application: Application, authentication: Authentication | None = None
    ) -> TokensIssued | Refused:
        request = ClientCredentials(authentication=authentication or proof_of(application))
        fresh = self.mint()
        return self._seen(
            self._decided(
                Keys(client_id=client_id_of(request.authentication)),
                lambda view: client_credentials(
                    view, request, now=self.now, fresh=fresh, profile=self.profile
                ),
            )
        )

    def use(self, token: str | None) -> TokenAccepted | Refused:
        view = self.store.read(Keys(secret=token or ""))
        return use_token(view, UseToken(token=token), now=self.now, profile=self.profile)

    def accepts(self, token: str) -> bool:
        return isinstance(self.use(token), TokenAccepted)

    def _decided(self, keys: Keys, decide: Decide[Outcome]) -> Outcome:
        return self.store.transact(keys, decide, now=self.now)[1]

    def _seen(self, outcome: TokensIssued | Refused) -> TokensIssued | Refused:
        if isinstance(outcome, TokensIssued):
            self.secrets |= {outcome.access_token, outcome.refresh_token or outcome.access_token}
        return outcome


def asking(application: Application, **fields: str | None) -> AuthorizationRequest:
    """A correct authorization request, but for what `fields` say."""
    correct = AuthorizationRequest(
        client_id=application.client_id,
        response_type="code",
        redirect_uri=application.redirect_uris[0],
        state="s",
        platform_id="mp",
    )
    return replace(correct, **fields)  # type: ignore[arg-type]  # text or nothing, all of them


def proof_of(
    application: Application, *, client_id: str | None = "", secret: str | None = None
) -> Authentication:
    """How the application proves itself, but for what is given instead."""
    return Authentication(
        client_id=application.client_id if client_id == "" else client_id,
        client_secret=application.client_secret if secret is None else secret,
    )


def granted(outcome: TokensIssued | Refused) -> TokensIssued:
    """The tokens, or the test fails with the refusal."""
    assert isinstance(outcome, TokensIssued), outcome
    return outcome


def why(outcome: object) -> str:
    """The cause of a refusal as text; anything else fails the test."""
    assert isinstance(outcome, Refused), outcome
    return outcome.cause.value
