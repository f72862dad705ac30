"""What can keep a script from being played, by whose turn it is to act.

DriverError
    ConfigError        mp-sandbox.toml: names the key and the remedy
    HookMissingError   the integration offers no such hook: the check is "not checked"
    IntegrationError   the integration does not do what its description says
    SandboxError       the sandbox cannot be reached, or refuses a control call
        SandboxAbsentError    nothing answers there, or something that is no sandbox
        SandboxRefusedError   it answers, and refuses: names the field and the remedy
"""


class DriverError(Exception):
    """A script cannot be played, or not to its end."""


class ConfigError(DriverError):
    """The configuration is wrong at `key`; the message says what would be right."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key


class HookMissingError(DriverError):
    """The integration offers no `hook`; `remedy` says how to offer it."""

    def __init__(self, hook: str, remedy: str) -> None:
        super().__init__(f"needs {hook}: {remedy}")
        self.hook = hook
        self.remedy = remedy


class IntegrationError(DriverError):
    """The integration does not do what its description says."""


class SandboxError(DriverError):
    """The sandbox cannot be reached, or refuses a control call."""


class SandboxAbsentError(SandboxError):
    """Nothing answers where the sandbox should be, or something that is no sandbox."""


class SandboxRefusedError(SandboxError):
    """The sandbox refuses a control call: `problem` at `field`, with this HTTP `status`."""

    def __init__(self, call: str, *, status: int, problem: str, field: str | None) -> None:
        named = f"{field}: {problem}" if field else problem
        super().__init__(f"{call}: {status} {named}")
        self.status = status
        self.problem = problem
        self.field = field
