"""Calling a sandbox's control API, over a socket or without one."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast
from urllib.parse import quote, urlencode

import httpx
import msgspec

from mp_oauth_sandbox.control.errors import SandboxAbsentError, SandboxRefusedError
from mp_oauth_sandbox.control.types import (
    Call,
    ErrorOut,
    In,
    Listing,
    Out,
    Wanted,
    following,
)


class Sender(Protocol):
    """How requests travel: `driver.browser.Network`."""

    def send(self, request: httpx.Request) -> httpx.Response:
        """The whole answer to one request. Raises httpx.RequestError."""
        ...


class Caller:
    """Makes the calls of the table."""

    def __init__(self, url: str, *, network: Sender, token: str | None = None) -> None:
        """`url` is where the sandbox is; `token` its control token, if it has one."""
        self.url = url.rstrip("/")
        self._network = network
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def call(self, call: Call[In, Out], given: In | None = None) -> Out:
        """What a call answers. Without `given` it is made with every field left out.

        Raises SandboxAbsentError, or SandboxRefusedError if the sandbox refuses it.
        """
        return self.decoded(self.send(call, given), call.gives)

    def pages(self, call: Call[Wanted, Listing], wanted: Wanted) -> Iterator[Listing]:
        """Each page of a list, from the one that is wanted on. Raises as `call`."""
        asked: Wanted | None = wanted
        while asked is not None:
            page = self.call(call, asked)
            yield page
            asked = following(asked, page)

    def send(self, call: Call[In, Out], given: In | None = None) -> bytes:
        """What a call answers, in the bytes it came in. Raises as `call`."""
        request = self.request(call, given)
        try:
            response = self._network.send(request)
        except httpx.RequestError as error:
            raise self.absent(error) from error
        if response.status_code not in {200, 201}:
            raise self.refused(request, response)
        return response.content

    def request(self, call: Call[In, Out], given: In | None = None) -> httpx.Request:
        """A call, not sent yet."""
        fields = cast("dict[str, Any]", msgspec.to_builtins(given or call.takes()))
        path = call.path
        for name in call.in_path:
            # A segment of its own, whatever is in it.
            value = quote(str(fields.pop(name)).encode(errors="surrogateescape"), safe="")
            path = path.replace(f"{{{name}}}", value)
        headers = dict(self._headers)
        content = None
        if call.has_body:
            headers["content-type"] = "application/json"
            content = msgspec.json.encode(fields)
        elif query := urlencode(_in_query(fields)):
            path = f"{path}?{query}"
        return httpx.Request(call.method, f"{self.url}{path}", headers=headers, content=content)

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
            refusal = msgspec.json.decode(response.content, type=ErrorOut)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return SandboxAbsentError(
                f"{call}: {response.status_code} {response.text[:300]}; "
                f"{self.url} does not answer as this version's sandbox does"
            )
        return SandboxRefusedError(
            call, status=response.status_code, problem=refusal.message, field=refusal.field
        )


def _in_query(fields: Mapping[str, Any]) -> dict[str, str]:
    """The fields as a query has them; what is None is left out."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in fields.items()
        if value is not None
    }
