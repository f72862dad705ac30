"""Somebody with a browser who uses an example, and Mercado Pago's site."""

import httpx

from mp_oauth_sandbox import Sandbox, Seller

from .running import NO_TLS, Running


class Person:
    """An account at an example, and a browser with its cookies. No redirect is followed."""

    def __init__(self, example: Running, sandbox: Sandbox, account: str) -> None:
        """A browser in which nobody is logged in yet."""
        self.account = account
        self._example = example
        self._sandbox = sandbox
        self.http = example.http(event_hooks={"response": [self._note]})

    def _note(self, response: httpx.Response) -> None:
        response.read()
        self._example.seen.append(f"{response.headers}\n{response.text}")

    # ---- the browser ----

    def get(self, path: str) -> httpx.Response:
        """Open a page; a whole URL will do as well."""
        return self.http.get(path)

    def post(self, path: str, **form: str) -> httpx.Response:
        """Send a form of the example's own."""
        return self.http.post(path, data=form, headers={"origin": self._example.url})

    @property
    def cookies(self) -> httpx.Cookies:
        """A copy of the browser's cookies."""
        return httpx.Cookies(self.http.cookies)

    # ---- the example ----

    def log_in(self) -> "Person":
        """Log in, in a new session."""
        answer = self.post("/login", account=self.account)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        return self

    def start(self) -> str:
        """Begin linking; returns the authorization URL."""
        answer = self.post("/mp/link")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def link(self, seller: Seller) -> None:
        """Link, as the seller who approves."""
        answer = self.get(self.approve(self.start(), seller))
        assert (answer.status_code, answer.headers.get("location")) == (303, "/"), answer.text

    def sell(self) -> httpx.Response:
        """Sell one thing."""
        return self.post("/sales")

    @property
    def status(self) -> str:
        """What the example says of the account's link."""
        return self.get("/mp/status").raise_for_status().json()["status"]

    @property
    def seller(self) -> int | None:
        """The seller that the example says is linked."""
        return self.get("/mp/status").raise_for_status().json()["seller"]

    # ---- Mercado Pago's site ----

    def approve(self, authorization_url: str, seller: Seller) -> str:
        """Approve as a seller; returns the callback URL, which is not opened."""
        self._sandbox.auto_consent(seller)
        return self._answered(authorization_url)

    def deny(self, authorization_url: str) -> str:
        """Cancel; returns the callback URL, which is not opened."""
        self._sandbox.deny()
        return self._answered(authorization_url)

    def _answered(self, authorization_url: str) -> str:
        with httpx.Client(verify=NO_TLS) as elsewhere:
            answer = elsewhere.get(authorization_url)
        callback = answer.headers.get("location", "")
        assert callback.startswith(self._example.callback), answer.text
        return callback
