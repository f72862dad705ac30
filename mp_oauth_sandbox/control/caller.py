"""One call of a sandbox's control API, over a socket or without one.

Apart from the verbs in control.py because it loads little: the command line starts with it.
"""

from collections.abc import Mapping
from typing import Protocol, TypeVar

import httpx
import msgspec

from mp_oauth_sandbox.control.errors import SandboxAbsentError, SandboxRefusedError

Out = TypeVar("Out")


class Sender(Protocol):
    """How requests travel: `driver.browser.Network`."""

    def send(self, request: httpx.Request) -> httpx.Response:
        """The whole answer to one request. Raises httpx.RequestError."""
        ...


class _Refusal(msgspec.Struct):
    """What every refusal of the control API is."""

    error: str
    message: str
    field: str | None


class Caller:
    """Calls a sandbox's control API."""

    def __init__(self, url: str, *, network: Sender, token: str | None = None) -> None:
        """`url` is where the sandbox is; `token` its control token, if it has one."""
        self.url = url.rstrip("/")
        self._network = network
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        gives: type[Out],
    ) -> Out:
        """What a call answers, as that type.

        Raises SandboxAbsentError, or SandboxRefusedError if the sandbox refuses it.
        """
        return self.decoded(self.send(method, path, body), gives)

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> bytes:
        """What a call answers, in the bytes it came in.

        Raises SandboxAbsentError, or SandboxRefusedError if the sandbox refuses it.
        """
        request = self.request(method, path, body)
        try:
            response = self._network.send(request)
        except httpx.RequestError as error:
            raise self.absent(error) from error
        if response.status_code not in {200, 201}:
            raise self.refused(request, response)
        return response.content

    def request(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> httpx.Request:
        """A call, not sent yet; `path` begins below /_sandbox/ and may have a query."""
        headers = dict(self._headers)
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = msgspec.json.encode(body)
        url = f"{self.url}/_sandbox/{path}"
        return httpx.Request(method, url, headers=headers, content=content)

    def decoded(self, answer: bytes, gives: type[Out]) -> Out:
        """An answer as that type. Raises SandboxAbsentError for what no sandbox answers."""
        try:
            return msgspec.json.decode(answer, type=gives)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SandboxAbsentError(
                f"{self.url} does not answer as this version's sandbox does"
            ) from error

    def absent(self, error: httpx.RequestError) -> SandboxAbsentError:
        """What to say where nothing answers."""
        return SandboxAbsentError(
            f"no sandbox answers at {self.url} ({error}); start one with "
            "`mp-oauth-sandbox serve`, or leave out sandbox.url to have one started"
        )

    def refused(
        self, request: httpx.Request, response: httpx.Response
    ) -> SandboxRefusedError | SandboxAbsentError:
        """What an answer with another status than success means."""
        call = f"{request.method} {request.url}"
        try:
            refusal = msgspec.json.decode(response.content, type=_Refusal)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return SandboxAbsentError(
                f"{call}: {response.status_code} {response.text[:300]}; "
                f"{self.url} does not answer as this version's sandbox does"
            )
        return SandboxRefusedError(
            call, status=response.status_code, problem=refusal.message, field=refusal.field
        )
