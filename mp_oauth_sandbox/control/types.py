"""What a call of the control API is, and the types that several calls share."""

from dataclasses import dataclass, field
from typing import Annotated, Generic, Protocol, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from mp_oauth_sandbox.core.paths import CONTROL

In = TypeVar("In")
Out = TypeVar("Out")

#: How many records one page of a list has at most, and without being asked.
PAGE_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Call(Generic[In, Out]):
    """One call: the server, the OpenAPI document, the commands and the driver read this row.

    `below` is the path below /_sandbox. What it takes is one object: the fields that `below`
    names in braces stand in the path; the others in the query of a GET or DELETE, and else in
    the JSON body. `streams` is the media type of the other form in which the answer may come,
    `waits` says that it may end with 504 when its time is up, `largest` how many bytes its body
    may have where that is more than usual, `guarded` whether it needs the control token where
    there is one.
    """

    name: str
    method: str
    below: str
    summary: str
    takes: type[In]
    gives: type[Out]
    status: int = field(default=200, kw_only=True)
    streams: str | None = field(default=None, kw_only=True)
    waits: bool = field(default=False, kw_only=True)
    largest: int | None = field(default=None, kw_only=True)
    guarded: bool = field(default=True, kw_only=True)

    @property
    def path(self) -> str:
        """The whole path, with its names in braces."""
        return f"{CONTROL}{self.below}"

    @property
    def in_path(self) -> tuple[str, ...]:
        """The fields that stand in the path, in order."""
        return tuple(part[1:-1] for part in self.below.split("/") if part.startswith("{"))

    @property
    def beside_path(self) -> tuple[str, ...]:
        """The fields that stand in the query or in the body; none of a union, which has kinds."""
        names: tuple[str, ...] = getattr(self.takes, "__struct_fields__", ())
        return tuple(name for name in names if name not in self.in_path)

    @property
    def in_query(self) -> bool:
        """Whether what is not in the path is in the query."""
        return self.method in {"GET", "DELETE"}

    @property
    def has_body(self) -> bool:
        """Whether it has a JSON body, with whatever is not in the path."""
        is_union = not hasattr(self.takes, "__struct_fields__")
        return not self.in_query and (is_union or self.beside_path != ())


class Nothing(Struct, forbid_unknown_fields=True):
    """Nothing is given."""


class Done(Struct):
    """It is done."""

    done: bool = True


class ErrorOut(Struct):
    """What is wrong with a call: the field at fault and what would be right."""

    error: str
    message: str
    field: str | None = None


class Secretive(Struct):
    """A type that holds secrets, and shows none when it is printed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


#: A number from 0 on.
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


#: How many records a page has at most; more than the server gives at once is no slip.
Limit = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class HasNext(Protocol):
    """A page of a list: what to give as `after` for the next one, None at the end."""

    @property
    def next(self) -> str | int | None:
        """That."""
        ...


Wanted = TypeVar("Wanted", bound=Struct)
Listing = TypeVar("Listing", bound=HasNext)


def following(wanted: Wanted, page: HasNext) -> Wanted | None:
    """What to ask for after that page of a list; None at its end."""
    return None if page.next is None else replace(wanted, after=page.next)


class Listed(Struct, forbid_unknown_fields=True):
    """Which page of a list: what follows the one named `after` (`next` of the page before)."""

    after: str = ""
    limit: Limit = PAGE_LIMIT
