"""A play: people with browsers, an integration and a sandbox, and what each does."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from mp_oauth_sandbox.core.uris import LOOPBACK_HOSTS
from mp_oauth_sandbox.driver.acts import Actor, Callback, Seen, parameters_of
from mp_oauth_sandbox.driver.browser import Browser, Network, Page
from mp_oauth_sandbox.driver.control import Control
from mp_oauth_sandbox.driver.endpoints import Status
from mp_oauth_sandbox.driver.errors import DriverError, HookMissingError, IntegrationError
from mp_oauth_sandbox.driver.integration import Integration
from mp_oauth_sandbox.driver.jars import CookieJar
from mp_oauth_sandbox.driver.monitors import CallbackDelivery, Happenings, LogInSession, watch
from mp_oauth_sandbox.driver.script import APP, SANDBOX, Script
from mp_oauth_sandbox.driver.verdicts import Finding, Verdict
from mp_oauth_sandbox.engine.clock import Clock
from mp_oauth_sandbox.journal import Entry

#: Callbacks come from Mercado Pago's site, where the seller pressed the button: another site
#: than the integration, wherever the sandbox listens. Strict cookies don't come along.
_COMES_FROM = "https://auth.mercadopago.com/authorization"


class Play:
    """One script while it is played. Everything done is written down, and watched."""

    def __init__(self, integration: Integration, control: Control, *, network: Network) -> None:
        """Begin with nobody. `network` must reach both the integration and the sandbox."""
        self.script = Script()
        self.findings: list[Finding] = []
        self._integration = integration
        self._control = control
        self._network = network
        self._actors: dict[str, Actor] = {}
        self._sellers: dict[str, int] = {}
        self._started: dict[str, str] = {}
        self._entries: list[Entry] = []
        self._deliveries: list[CallbackDelivery] = []
        self._issued: dict[str, set[LogInSession]] = {}
        self._codes: dict[str, str] = {}
        self._clocks_together = True
        # Of the browsers: it moves only if the integration's does.
        self._clock = Clock()
        already = control.journal()
        self._newest = already[-1].seq if already else 0

    # ---- people ----

    def actor(self, name: str) -> Actor:
        """The person of that name, with a new browser at the first mention."""
        if name not in self._actors:
            jar = CookieJar(now=self._clock)
            browser = Browser(self._network, jar=jar, home=self._integration.endpoints.origin)
            self._actors[name] = Actor(name=name, browser=browser)
        return self._actors[name]

    def log_in(self, name: str, *, account_of: str | None = None) -> None:
        """Log a person's browser in, by default to an account of their own.

        Raises IntegrationError or HookMissingError if that can't be done.
        """
        actor = self.actor(name)
        owner = self.actor(account_of or name)
        first = owner.account is None
        if owner.account is None:
            owner.account = self._new_account(owner.name)
        self._integration.log_in(actor.browser, owner.account)
        actor.login += 1
        actor.must_log_in = False
        self.script.add(name, APP, f"logs in as account {owner.name}")
        if first and self._integration.endpoints.login.accounts:
            self._make_unlinked(actor)

    def seller(self, name: str) -> int:
        """The user id of the seller of that name, created at the first mention."""
        if name not in self._sellers:
            self._sellers[name] = self._control.create_seller().user_id
        return self._sellers[name]

    # ---- linking ----

    def start(self, name: str) -> str:
        """Begin linking in a person's browser; returns the authorization URL, held."""
        actor = self._ready(name)
        url = self._integration.start(actor.browser, authorization=self._is_authorization)
        state = dict(parameters_of(url)).get("state")
        if state is not None:
            self._issued.setdefault(state, set()).add(actor.session)
        self._started[name] = url
        shown = "without a state" if state is None else f"with {self.script.name('state', state)}"
        self.script.add(name, APP, f"starts linking, and is sent to authorize {shown}")
        self._observe()
        return url

    def approve(self, name: str, *, seller: str) -> Callback:
        """Open the held authorization URL and approve as a seller; the callback is held."""
        user_id = self.seller(seller)
        self._control.set_consent("auto", user_id)
        self.script.add(name, SANDBOX, f"approves as seller {seller}")
        return self._authorize(name)

    def deny(self, name: str) -> Callback:
        """Open the held authorization URL and cancel; the callback is held."""
        self._control.set_consent("deny")
        self.script.add(name, SANDBOX, "cancels")
        return self._authorize(name)

    def deliver(self, name: str, callback: Callback) -> Seen:
        """Open a callback in a person's browser, whoever it was meant for."""
        actor = self.actor(name)
        self.script.add(name, APP, f"opens {self.script.show_url(callback.url)}")
        delivery = CallbackDelivery(
            session=actor.session,
            state=callback.get("state"),
            code=callback.get("code"),
            begun=self._newest,
        )
        self._deliveries.append(delivery)
        page = self._integration.deliver(actor.browser, callback.url, initiator=_COMES_FROM)
        self._integration.settle()
        entries = self._observe()
        self._deliveries[-1] = replace(delivery, ended=self._newest)
        self._look_at(name, page)
        return Seen(page=page, entries=entries)

    # ---- afterwards ----

    def status(self, name: str) -> Status:
        """What the integration says of the person's account."""
        actor = self._ready(name)
        status = self._integration.status(actor.browser)
        self.script.add(APP, name, f"account {name} is {status}")
        self._observe()
        return status

    def trigger(self, name: str) -> Seen:
        """Make the integration call the API for the person's account."""
        actor = self._ready(name)
        self.script.add(name, APP, "triggers a call of the API")
        page = self._integration.trigger(actor.browser)
        self._integration.settle()
        entries = self._observe()
        self._look_at(name, page)
        return Seen(page=page, entries=entries)

    def advance(self, duration: timedelta) -> None:
        """Move the sandbox's clock, and the integration's with it where that is offered."""
        whose = "both clocks move"
        if self._integration.moves_clock:
            self._integration.move_clock(duration)
            self._clock.advance(duration)
            for actor in self._actors.values():
                actor.must_log_in = True
        else:
            whose = "the sandbox's clock moves"
            self._clocks_together = False
        self._control.advance(duration.total_seconds())
        self.script.add(SANDBOX, SANDBOX, f"{whose} {duration} ahead")

    def set_lifetime(self, name: str, *, access_token: timedelta) -> None:
        """Change how long tokens live that the started linking leads to."""
        client_id = dict(parameters_of(self._started[name])).get("client_id", "")
        self._control.set_lifetimes(client_id, access_token=int(access_token.total_seconds()))
        self.script.add(SANDBOX, SANDBOX, f"access tokens live {access_token} from now on")

    def is_issued(self, state: str, *, to: str) -> bool:
        """Whether a state was issued to a person's present session."""
        return self.actor(to).session in self._issued.get(state, set())

    # ---- what comes of it ----

    def all_findings(self) -> list[Finding]:
        """Every finding so far, of the play's own acts and of the monitors."""
        record = Happenings(
            entries=self._entries,
            deliveries=self._deliveries,
            issued=self._issued,
            codes=self._codes,
            clocks_together=self._clocks_together,
        )
        return [*watch(record), *self.findings]

    def draw(self, findings: Sequence[Finding]) -> str:
        """The script so far, pointing at what the findings are about."""
        return self.script.draw(mark={one.entry for one in findings if one.entry is not None})

    def _ready(self, name: str) -> Actor:
        actor = self.actor(name)
        if actor.must_log_in:
            self.log_in(name)
        return actor

    def _authorize(self, name: str) -> Callback:
        if name not in self._started:
            raise DriverError(f"{name} has not started linking")
        redirect_uri = self._integration.endpoints.callback
        page = self.actor(name).browser.go(
            self._started[name],
            initiator=self._integration.endpoints.origin,
            hold=lambda url: url.partition("?")[0] == redirect_uri,
        )
        entries = self._observe()
        if page.held is None:
            why = next((str(entry) for entry in entries if entry.cause), f"it ends at {page.url}")
            raise IntegrationError(f"the sandbox does not lead back to {redirect_uri}\n{why}")
        callback = Callback(url=page.held)
        code = callback.get("code")
        for entry in entries:
            if entry.kind == "authorization" and "code" in entry.facts and code is not None:
                self._codes[entry.facts["code"]] = code
                self.script.name("code", code)
        self.script.add(SANDBOX, name, f"to {self.script.show_url(callback.url)} (held)")
        return callback

    def _observe(self) -> list[Entry]:
        """Read what is new in the journal, and write the integration's requests down."""
        entries = self._control.journal(after=self._newest)
        for entry in entries:
            self._newest = entry.seq
            if entry.kind in {"token", "resource"}:
                code = self._codes.get(entry.facts.get("code", ""))
                what = entry.request + (f" {entry.grant_type}" if entry.grant_type else "")
                what += f" ({self.script.show('code', code)})" if code is not None else ""
                why = f" ({entry.cause})" if entry.cause is not None else ""
                text = f"{what} -> {entry.status} {entry.outcome}{why}"
                self.script.add(APP, SANDBOX, text, entry=entry.seq)
        self._entries += entries
        return entries

    def _look_at(self, name: str, page: Page) -> None:
        self.script.add(APP, name, page.problem or f"{page.status} {urlsplit(page.url).path}")
        if page.problem or page.status >= 500:
            self.findings.append(
                Finding(
                    check="P",
                    verdict=Verdict.VIOLATED,
                    what=f"the browser gets {page.problem or f'a {page.status}'}",
                    do="catch the failure, and answer with a page that says what happened and "
                    "offers to start again",
                )
            )

    def _new_account(self, name: str) -> str:
        fixed = self._integration.endpoints.login.accounts
        taken = {actor.account for actor in self._actors.values()}
        if not fixed:
            return f"{name.lower()}-{secrets.token_hex(4)}"
        free = [account for account in fixed if account not in taken]
        if not free:
            raise HookMissingError(
                "another account", f"integration.login.accounts has only {len(fixed)}"
            )
        return free[0]

    def _make_unlinked(self, actor: Actor) -> None:
        known = self._integration.endpoints.status is not None
        if not known or self._integration.status(actor.browser) not in {"unlinked", "none"}:
            self._integration.unlink(actor.browser)

    def _is_authorization(self, url: str) -> bool:
        """Whether a URL is this sandbox's authorization endpoint, by whichever loopback name."""
        parts, own = urlsplit(url), urlsplit(self._control.url)
        hosts = {parts.hostname, own.hostname}
        return parts.path == "/authorization" and (
            parts.netloc == own.netloc or (parts.port == own.port and hosts <= LOOPBACK_HOSTS)
        )
