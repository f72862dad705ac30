"""What can go wrong, as a tree: whose it is to mend, whether it passes, what to do next.

LinkingError
├── ConfigurationError     yours: a setting is unusable, or Mercado Pago refuses the application
├── MisuseError            yours: an unsafe call was stopped
├── NotSavedError          yours: the store did not keep tokens that had just been received
├── SellerError            the seller's: link (again); never use another token instead
│   ├── NotLinkedError     never linked, or unlinked
│   └── NeedsRelinkError   lost: revoked, expired, or renewal refused for good
├── ProviderError          Mercado Pago's, or the network's on the way to it
│   ├── UnavailableError   passes by itself; `retry_after` (seconds) may say when
│   ├── GrantRefusedError  invalid_grant: never present that code or token again
│   └── AnswerError        an answer unlike anything documented; nothing of it was kept
└── NotificationError      not from Mercado Pago, or too old: answer 401

`str(error)` is for developers; `error.for_seller("es")` is for the seller, in es, pt or en.
Neither holds a secret, nor anything that a browser or Mercado Pago sent.
"""

import json
from pathlib import Path
from typing import ClassVar, Literal

#: What sellers are told, by occasion (a `Reason`, or `advice`) and language.
_TEXTS: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("texts.json").read_bytes())


def text_for_seller(advice: str, language: str) -> str:
    """A sentence for the seller, by a language tag such as pt-BR; English for any other."""
    texts = _TEXTS.get(advice, _TEXTS["restart"])
    return texts.get(language.replace("_", "-").partition("-")[0].lower(), texts["en"])


class LinkingError(Exception):
    """Everything that is raised here on purpose; the tree is drawn above."""

    whose: ClassVar[Literal["yours", "the seller's", "Mercado Pago's"]] = "yours"
    transient: ClassVar[bool] = False
    next_step: ClassVar[str] = "read the message, and correct the call"
    advice: ClassVar[str] = "misconfigured"

    def for_seller(self, language: str = "en") -> str:
        """What to tell the seller."""
        return text_for_seller(self.advice, language)


class ConfigurationError(LinkingError):
    """A setting cannot be used, or the application is refused; no seller is at fault."""

    next_step = "correct the setting; every link stays, and works again afterwards"


class MisuseError(LinkingError):
    """A call that would be unsafe, such as sending a seller's token to another host."""


class NotSavedError(LinkingError):
    """The store failed; this process keeps the tokens, and tries again at the next call."""

    transient = True
    next_step = "look at your store"
    advice = "not_saved"


class SellerError(LinkingError):
    """This account has no usable link."""

    whose = "the seller's"
    next_step = "ask the seller to link; never use another token instead"
    advice = "link"


class NotLinkedError(SellerError):
    """The account was never linked, or was unlinked."""


class NeedsRelinkError(SellerError):
    """The link was lost."""

    advice = "relink"


class ProviderError(LinkingError):
    """Mercado Pago, or the way to it."""

    whose = "Mercado Pago's"
    next_step = "start linking again; report it if it stays so"


class UnavailableError(ProviderError):
    """No answer, or one that says later. `sent` says that it may have taken effect."""

    transient = True
    next_step = "try again later; the link stays as it is"
    advice = "unavailable"

    def __init__(self, problem: str, *, sent: bool, retry_after: float | None = None) -> None:
        super().__init__(problem)
        self.sent, self.retry_after = sent, retry_after


class GrantRefusedError(ProviderError):
    """`invalid_grant`: expired, used, revoked or another application's; nobody says which."""

    advice = "code_refused"


class AnswerError(ProviderError):
    """An answer unlike anything documented."""

    advice = "bad_answer"


class NotificationError(LinkingError):
    """A notification that cannot be trusted."""

    whose = "Mercado Pago's"
    next_step = "answer 401 and do nothing; if it is genuine, check the webhook's secret"
