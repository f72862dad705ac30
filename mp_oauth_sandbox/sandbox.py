"""`Sandbox`: the one object that users hold."""

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import quote

from mp_oauth_sandbox.control.explain import Explained
from mp_oauth_sandbox.core.consent import Consent
from mp_oauth_sandbox.core.lifetimes import Lifetimes
from mp_oauth_sandbox.core.profile import DEFAULT, Profile
from mp_oauth_sandbox.core.records import Application, ApplicationType, Seller, Webhook
from mp_oauth_sandbox.core.registration import InvalidInputError, NewApplication, NewSeller
from mp_oauth_sandbox.core.uris import LOOPBACK_HOSTS
from mp_oauth_sandbox.engine.clock import Clock, ClockError
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.mint import Mint
from mp_oauth_sandbox.engine.panel import Panel
from mp_oauth_sandbox.engine.profiles import changed_profile, profile_named
from mp_oauth_sandbox.engine.settings import Settings, load, save
from mp_oauth_sandbox.explain.explain import explain
from mp_oauth_sandbox.faults import Faults
from mp_oauth_sandbox.journal import Journal
from mp_oauth_sandbox.resources import ResourceTable
from mp_oauth_sandbox.stores.memory import MemoryStore
from mp_oauth_sandbox.stores.protocol import Store, StoreError
from mp_oauth_sandbox.web.access import Access, allowing
from mp_oauth_sandbox.web.app import create_app
from mp_oauth_sandbox.webhooks.public import Webhooks

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from mp_oauth_sandbox.hosting.door import Unserved
    from mp_oauth_sandbox.hosting.transport import InProcessTransport


class Sandbox:
    """A fake Mercado Pago for linking sellers, live on a loopback port until it is closed.

    >>> with Sandbox() as sandbox:
    ...     app = sandbox.register_application(redirect_uris=["http://localhost:8000/callback"])
    ...     seller = sandbox.create_seller(country="AR")
    ...     sandbox.auto_consent(seller)
    """

    def __init__(
        self,
        *,
        live: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
        profile: Profile | str | None = None,
        seed: str | int | None = None,
        start: datetime | None = None,
        frozen: bool = False,
        data: str | Path | None = None,
        sync: Literal["normal", "full"] = "normal",
        allow_hosts: Iterable[str] = (),
        control_token: str | None = None,
        allow_webhook_hosts: Iterable[str] = (),
        refused: "Callable[[Unserved], None] | None" = None,
    ) -> None:
        """Start a sandbox; a live one accepts connections when this returns.

        Args:
            live: Listen on a socket. Without, use `transport()` or mount `asgi`.
            host: Where to listen. Beyond loopback the control API needs a token.
            port: The port, 0 for one that the system chooses.
            profile: A `Profile`, or the name of a preset: default, strict, legacy. None is
                what the data file remembers, else default.
            seed: Makes codes, tokens and ids the same each time (with `start` and `frozen`).
            start: The first instant of the virtual clock (aware); the real time if None.
            frozen: Whether the clock stands still until it is moved.
            data: A SQLite file to keep all but faults and resources in; memory if None.
            sync: `full` survives a power cut too, and is slower (SQLite only).
            allow_hosts: Further names by which browsers may reach the pages.
            control_token: The bearer token of the control API; chosen if one is needed.
            allow_webhook_hosts: Hosts beyond this machine to which notifications may go.
            refused: Called, in the server's thread, with what was no request that could come
                into the journal (TLS, another protocol, a malformed head, none of it shown);
                without, a warning of the logger "mp_oauth_sandbox".

        Raises:
            PortUnavailableError: The port is taken or not permitted.
            StoreError: The data file is locked, newer, or not a database of ours.
            InvalidInputError: There is no such profile, or the control token is empty.
        """
        if control_token == "":
            raise InvalidInputError("control_token", "must not be empty")
        if isinstance(profile, str):
            profile = profile_named(profile)
        store = _open_store(data, sync)
        try:
            remembered = load(store)
            left = Settings(
                clock=None if start is not None or frozen else remembered.clock,
                profile=None if profile is not None else remembered.profile,
                consent=remembered.consent,
            )
            clock = Clock(start, frozen=frozen)
            if left.clock is not None:
                try:
                    clock.restore(left.clock)
                except ClockError as error:
                    raise StoreError(f"{data}: {error}; start with another file") from error
            root, restarts = _mint(remembered, seed)
            profile = profile or left.profile or DEFAULT
            consent = left.consent or Consent()
            save(
                store,
                Settings(
                    clock=clock.state(), profile=profile, consent=consent, mint=(root, restarts)
                ),
            )
            self._engine = Engine(
                store=store,
                clock=clock,
                mint=Mint(root, restarts=restarts),
                profile=profile,
                consent=consent,
                webhook_hosts=allow_webhook_hosts,
                left=left,
            )
            self._panel = Panel(self._engine)
            self._engine.mark_start(())
            loopback = host in LOOPBACK_HOSTS
            if control_token is None and live and not loopback:
                control_token = secrets.token_urlsafe(24)
            self.control_token = control_token
            self._webhooks = Webhooks(self._engine)
            access = Access(hosts=allowing([*allow_hosts, host]), token=control_token)
            self.asgi: ASGIApp = create_app(self._engine, access=access, webhooks=self._webhooks)
            self._server = None
            self._transport: InProcessTransport | None = None
            if live:
                from mp_oauth_sandbox.hosting.live import LiveServer

                self._server = LiveServer(self.asgi, host=host, port=port, refused=refused)
            self._webhooks.start()
        except BaseException:
            store.close()
            raise
        self.url = self._server.url if self._server else "http://localhost"
        """Where it listens, without a final slash. In process it is a name only."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and release everything; again does nothing."""
        # First, so that who waits at a gate is still answered, and nobody who listens to the
        # journal holds the server up.
        self._engine.faults.rearm(())
        self._engine.journal.close()
        if self._server is not None:
            self._server.close()
        if self._transport is not None:
            self._transport.close()
        self._webhooks.close()
        self._engine.close()

    def transport(self) -> "InProcessTransport":
        """An httpx transport (sync and async) that answers without a socket.

        Always the same one: any number of clients may share it, and `close` closes it.
        """
        if self._transport is None:
            from mp_oauth_sandbox.hosting.transport import InProcessTransport

            self._transport = InProcessTransport(self.asgi)
        return self._transport

    # ---- what you see ----

    @property
    def clock(self) -> Clock:
        """The server's virtual clock."""
        return self._engine.clock

    @property
    def journal(self) -> Journal:
        """What happened, and why."""
        return self._engine.journal

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose: `faults.add("lose-response", on="refresh")`."""
        return self._engine.faults

    @property
    def profile(self) -> Profile:
        """The switches; assign a changed profile (or `change_profile`) to alter them."""
        return self._engine.profile

    @profile.setter
    def profile(self, profile: Profile) -> None:
        self._engine.set_profile(profile)

    @property
    def webhooks(self) -> Webhooks:
        """The notifications to applications' webhooks: listed, sent again, simulated, awaited."""
        return self._webhooks

    @property
    def resources(self) -> ResourceTable:
        """What the API answers to a good token: `resources.add("GET", "/v1/payments/{id}", ...)`.

        Entries added before `keep` stay over resets; none is kept in a data file.
        """
        return self._engine.resources

    def explain(self, what: str) -> Explained:
        """Everything known of a code, a token, an authorization or a callback URL.

        `str()` of it is for people. Nothing is changed by asking, and no whole secret is in it.
        """
        return explain(self._engine, what, url=self.url)

    # ---- applications and sellers ----

    def register_application(
        self,
        *,
        redirect_uris: Iterable[str],
        name: str = "Test application",
        pkce_required: bool = False,
        application_type: ApplicationType = "any",
        activated: bool = True,
        client_id: str | None = None,
        client_secret: str | None = None,
        owner: Seller | int | None = None,
        lifetimes: Lifetimes | None = None,
        scopes: Iterable[str] | None = None,
        webhook: Webhook | None = None,
    ) -> Application:
        """Register an application and return it, with its id, secret and the platform's token.

        Args:
            redirect_uris: What the authorization request may ask for, byte for byte.
            name: Shown on the consent page.
            pkce_required: Whether a code_challenge and code_verifier are mandatory.
            application_type: `online` is refused stores and points of sale, `any` nothing.
            activated: Whether its production credentials are; without, no seller can connect.
            client_id: Digits; chosen if None.
            client_secret: Chosen if None.
            owner: The account it belongs to; one of its own if None.
            lifetimes: Of its codes and tokens; Mercado Pago's if None.
            scopes: Its permissions; all four if None. Without offline_access there is no
                refresh token.
            webhook: Where its notifications of linked and unlinked sellers go, if anywhere.

        Raises:
            InvalidInputError: Names the field that cannot be used.
        """
        return self._panel.register_application(
            NewApplication(
                name=name,
                redirect_uris=tuple(redirect_uris),
                pkce_required=pkce_required,
                application_type=application_type,
                activated=activated,
                client_id=client_id,
                client_secret=client_secret,
                owner=owner.user_id if isinstance(owner, Seller) else owner,
                lifetimes=lifetimes or Lifetimes(),
                scopes=None if scopes is None else tuple(scopes),
                webhook=webhook,
            )
        )

    def create_seller(
        self,
        *,
        country: str = "AR",
        nickname: str | None = None,
        user_id: int | None = None,
        collaborator_of: Seller | int | None = None,
    ) -> Seller:
        """Create a test seller; with `collaborator_of` one that may not authorize anything.

        Raises InvalidInputError naming the field that cannot be used.
        """
        main = collaborator_of.user_id if isinstance(collaborator_of, Seller) else collaborator_of
        return self._panel.create_seller(
            NewSeller(country=country, nickname=nickname, user_id=user_id, collaborator_of=main)
        )

    def application(self, client_id: str) -> Application | None:
        """The application with that client id, as it is now."""
        return self._panel.application(client_id)

    def seller(self, user_id: int) -> Seller | None:
        """The seller with that user id, as it is now."""
        return self._panel.seller(user_id)

    def sellers(self) -> list[Seller]:
        """The first 500 sellers in order of creation, without the owners of applications."""
        return self._panel.sellers()

    def update_application(
        self, client_id: str, change: Callable[[Application], Application]
    ) -> Application:
        """Edit an application as the panel would: `change` returns the altered record.

        Raises InvalidInputError naming the field that cannot be used.
        """
        return self._panel.update_application(client_id, change)

    def authorization_url(
        self,
        application: Application,
        *,
        redirect_uri: str | None = None,
        state: str | None = None,
    ) -> str:
        """A link that starts linking, as an integration would build it.

        It has the `state` that is given, or one of no meaning where the profile asks for it.
        """
        if state is None and self.profile.state_required:
            state = "state"
        uri = quote(redirect_uri or application.redirect_uris[0], safe="")
        url = f"{self.url}/authorization?client_id={application.client_id}&response_type=code"
        url += f"&platform_id=mp&redirect_uri={uri}"
        return url if state is None else f"{url}&state={quote(state, safe='')}"

    # ---- how sellers answer ----

    @property
    def consent(self) -> Consent:
        """How sellers answer now."""
        return self._engine.consent

    def auto_consent(self, seller: Seller | int | None = None) -> None:
        """Every authorization request is approved at once, as this seller (default: the first)."""
        user_id = seller.user_id if isinstance(seller, Seller) else seller
        self._panel.set_consent(Consent(mode="auto", seller=user_id))

    def deny(self) -> None:
        """Every authorization request is denied at once."""
        self._panel.set_consent(Consent(mode="deny"))

    def show_consent_page(self) -> None:
        """Sellers sign in and answer on a page: how a sandbox starts."""
        self._panel.set_consent(Consent(mode="page"))

    # ---- what ends a link ----

    def unlink(self, application: Application, seller: Seller) -> None:
        """The seller removes the application: every token of the pair dies."""
        self._panel.revoke("unlinked", client_id=application.client_id, user_id=seller.user_id)

    def change_password(self, seller: Seller) -> None:
        """The seller changes the password: every token of the seller dies."""
        self._panel.revoke("password_changed", user_id=seller.user_id)

    def clean_sessions(self, seller: Seller) -> None:
        """Mercado Pago cleans up the seller's sessions: every token of the seller dies."""
        self._panel.revoke("sessions_cleaned", user_id=seller.user_id)

    def clean_fraud(self, seller: Seller) -> None:
        """Mercado Pago cleans up after a suspicion of fraud: every token of the seller dies."""
        self._panel.revoke("fraud_cleaned", user_id=seller.user_id)

    def leave_unused(self, application: Application, seller: Seller) -> None:
        """As after four months without a call to the API: every token of the pair dies.

        It happens now, whatever the clock says; nothing counts the calls.
        """
        self._panel.revoke("unused", client_id=application.client_id, user_id=seller.user_id)

    def rotate_secret(self, application: Application) -> Application:
        """The application gets a new client_secret, and every token of its sellers dies.

        Returns the application as it is now. The old secret is refused, and the owner's own
        access token stays good.
        """
        self._panel.revoke("secret_rotated", client_id=application.client_id)
        return self._panel.application(application.client_id) or application

    def delete_application(self, application: Application) -> None:
        """The application is deleted, with every token it ever got."""
        self._panel.revoke("application_deleted", client_id=application.client_id)

    # ---- start and reset ----

    def change_profile(self, **switches: object) -> Profile:
        """Change single switches by name, and return the profile.

        Raises InvalidInputError naming the switch that does not exist, or has no such value.
        """
        self._engine.set_profile(changed_profile(self._engine.profile, switches))
        return self._engine.profile

    def keep(self, *kept: Application | Seller) -> None:
        """Make the present clock, consent mode, profile and these records the start state."""
        self._engine.mark_start(kept)

    def reset(self) -> None:
        """Return to the start state; codes, tokens, journal and clock moves are gone."""
        self._engine.reset()


def _open_store(data: str | Path | None, sync: Literal["normal", "full"]) -> Store:
    if data is None:
        return MemoryStore()
    from mp_oauth_sandbox.stores.sqlite import SQLiteStore

    return SQLiteStore(data, sync=sync)


def _mint(remembered: Settings, seed: str | int | None) -> tuple[str, int]:
    """Seed and number of restarts: never the draws of an earlier run over the same data."""
    if remembered.mint is None:
        root, restarts = secrets.token_hex(32), 0
    else:
        root, restarts = remembered.mint[0], remembered.mint[1] + 1
    return (root if seed is None else str(seed)), restarts
