"""A change that the store could not save: the journal says so, in the store's own words."""

from http import HTTPStatus

from starlette.requests import Request

from mp_oauth_sandbox.core.paths import ENDPOINTS, is_own
from mp_oauth_sandbox.journal import Happened, Journal, Kind
from mp_oauth_sandbox.journal.masks import masked_request
from mp_oauth_sandbox.stores.protocol import StoreError
from mp_oauth_sandbox.web.arrivals import ARRIVAL


def record_unsaved(
    journal: Journal, request: Request, error: StoreError, *, status: HTTPStatus
) -> None:
    """Write down what was not done and why; `status` is what it is answered with."""
    path: str = request.scope["path"]
    kind: Kind = ENDPOINTS.get(path) or ("control" if is_own(path) else "resource")
    journal.record(
        Happened(
            kind=kind,
            request=masked_request(request.method, path),
            status=status,
            outcome=f"not saved: {error}",
            delivery="delivered",
            arrival=request.scope.get(ARRIVAL),
        )
    )
