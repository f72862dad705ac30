"""What all faults have in common: which requests they meet, and how many of them."""

from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from mp_oauth_sandbox.core import paths
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.wire.exchange import Asked, Meeting, Serve, Wrapper

#: What `on` may say beside a path, and the grant type or endpoint that it means.
GRANTS = {
    "exchange": "authorization_code",
    "refresh": "refresh_token",
    "client_credentials": "client_credentials",
}
ENDPOINTS = ("authorization", "token", "resource", "webhook")


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """A fault, and the requests it is for.

    `on` is an endpoint (authorization, token, resource, webhook), a grant (exchange, refresh,
    client_credentials), a path ("/users/me", "/v1/payments/*") or a method and a path.
    `client_id` and `user_id` limit it to one application or seller. Of the requests that fit
    it meets `times`, beginning with the `first`-th; without `times` it meets one, or as many
    as it needs. A request on which it can do nothing, because another fault stands in front of
    it or because there is nothing to change, does not count: it waits for the next one, unless
    it is for `exact`ly those.
    """

    on: str = "token"
    client_id: str | None = None
    user_id: int | None = None
    first: Annotated[int, Meta(ge=1)] = 1
    times: Annotated[int, Meta(ge=1)] | Literal["always"] | None = None
    exact: bool = False

    #: The endpoints at which this kind of fault means something.
    ENDPOINTS: ClassVar[tuple[str, ...]] = ("authorization", "token", "resource")

    @property
    def kind(self) -> str:
        """Its name in files and on the command line."""
        return str(self.__struct_config__.tag)

    @property
    def label(self) -> str:
        """Its name in the journal: the kind, and how."""
        return self.kind

    @property
    def needed(self) -> int:
        """How many requests it meets when `times` does not say."""
        return 1

    @property
    def most(self) -> int | None:
        """How many requests it meets at most; None if there is no end to it."""
        return None if self.times == "always" else self.times or self.needed

    def meets(self, match: int, met: int) -> bool:
        """Whether it is for the n-th request that fits, after it has met so many."""
        if match < self.first:
            return False
        return self.most is None or (match - self.first if self.exact else met) < self.most

    def fits(self, asked: Asked) -> bool:
        """Whether it is for requests like this one."""
        if self.client_id is not None and self.client_id != asked.client_id:
            return False
        if self.user_id is not None and self.user_id != asked.user_id:
            return False
        if asked.endpoint not in self.ENDPOINTS:
            return False
        if self.on in ENDPOINTS:
            return self.on == asked.endpoint
        if self.on in GRANTS:
            return GRANTS[self.on] == asked.grant_type
        path = asked.request.partition(" ")[2]
        return fnmatchcase(path if self.on.startswith("/") else asked.request, self.on)

    def check(self) -> None:
        """Raise InvalidInputError for what cannot mean anything."""
        endpoints = self.endpoints()
        if not endpoints:
            words = ", ".join((*ENDPOINTS, *GRANTS))
            where = "or a path such as /users/me or GET /users/me"
            raise InvalidInputError("on", f"must be one of {words}, {where}")
        if endpoints.isdisjoint(self.ENDPOINTS):
            allowed = " or ".join(self.ENDPOINTS)
            raise InvalidInputError("on", f"{self.kind} is for {allowed}, not {self.on}")

    def endpoints(self) -> frozenset[str]:
        """The endpoints that `on` is about; none if it is about nothing there is."""
        if self.on in ENDPOINTS:
            return frozenset({self.on})
        if self.on in GRANTS:
            return frozenset({"token"})
        method, _, path = ("*", "", self.on) if self.on[:1] == "/" else self.on.partition(" ")
        if not path.startswith("/") or not method or method != method.upper():
            return frozenset()
        fitting = {paths.ENDPOINTS[one] for one in paths.ENDPOINTS if fnmatchcase(one, path)}
        return frozenset(fitting | {paths.ENDPOINTS.get(path, "resource")})

    def arm(self) -> Wrapper:
        """The wrapper itself, with whatever it must remember between requests.

        A kind without one changes nothing about the way a request is served.
        """
        return _as_it_is


def _as_it_is(serve: Serve, _by: Meeting) -> Serve:
    return serve
