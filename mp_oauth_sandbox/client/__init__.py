"""A client for linking Mercado Pago sellers, for production: httpx and nothing else.

It imports nothing of the sandbox, so that this folder can be copied into any project.
"""

from .client import AsyncLinking, Linking, SellerAuth
from .errors import (
    AnswerError,
    ConfigurationError,
    GrantRefusedError,
    LinkingError,
    MisuseError,
    NeedsRelinkError,
    NotificationError,
    NotLinkedError,
    NotSavedError,
    ProviderError,
    SellerError,
    UnavailableError,
)
from .flows import Flows, Start
from .notifications import Notification
from .records import Link, Linked, NotLinked, Outcome, Pending, Reason, Status, dump, load
from .settings import Settings
from .sqlite import SQLitePendingStore, SQLiteTokenStore
from .steps import Failure, Request, Response, drive, drive_async
from .stores import MemoryPendingStore, MemoryTokenStore, PendingStore, TokenStore
from .vault import Renewals

__all__ = [
    "AnswerError",
    "AsyncLinking",
    "ConfigurationError",
    "Failure",
    "Flows",
    "GrantRefusedError",
    "Link",
    "Linked",
    "Linking",
    "LinkingError",
    "MemoryPendingStore",
    "MemoryTokenStore",
    "MisuseError",
    "NeedsRelinkError",
    "NotLinked",
    "NotLinkedError",
    "NotSavedError",
    "Notification",
    "NotificationError",
    "Outcome",
    "Pending",
    "PendingStore",
    "ProviderError",
    "Reason",
    "Renewals",
    "Request",
    "Response",
    "SQLitePendingStore",
    "SQLiteTokenStore",
    "SellerAuth",
    "SellerError",
    "Settings",
    "Start",
    "Status",
    "TokenStore",
    "UnavailableError",
    "drive",
    "drive_async",
    "dump",
    "load",
]
