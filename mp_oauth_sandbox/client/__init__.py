"""A client for linking Mercado Pago sellers, for production: httpx and nothing else.

It imports nothing of the sandbox, so that this folder can be copied into any project.
"""

from .client import AsyncLinking as AsyncLinking
from .client import Linking as Linking
from .errors import AnswerError as AnswerError
from .errors import ConfigurationError as ConfigurationError
from .errors import GrantRefusedError as GrantRefusedError
from .errors import LinkingError as LinkingError
from .errors import MisuseError as MisuseError
from .errors import NeedsRelinkError as NeedsRelinkError
from .errors import NotificationError as NotificationError
from .errors import NotLinkedError as NotLinkedError
from .errors import NotSavedError as NotSavedError
from .errors import ProviderError as ProviderError
from .errors import SellerError as SellerError
from .errors import UnavailableError as UnavailableError
from .flows import Flows as Flows
from .flows import Start as Start
from .notifications import Notification as Notification
from .records import Link as Link
from .records import Linked as Linked
from .records import NotLinked as NotLinked
from .records import Outcome as Outcome
from .records import Pending as Pending
from .records import Reason as Reason
from .records import Status as Status
from .records import dump as dump
from .records import load as load
from .settings import Settings as Settings
from .sqlite import SQLitePendingStore as SQLitePendingStore
from .sqlite import SQLiteTokenStore as SQLiteTokenStore
from .steps import Failure as Failure
from .steps import Request as Request
from .steps import Response as Response
from .steps import drive as drive
from .stores import MemoryPendingStore as MemoryPendingStore
from .stores import MemoryTokenStore as MemoryTokenStore
from .stores import PendingStore as PendingStore
from .stores import TokenStore as TokenStore
from .vault import Renewals as Renewals
