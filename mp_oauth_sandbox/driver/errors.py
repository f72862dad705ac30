"""What can keep a script from being played, by whose turn it is to act.

DriverError
    ConfigError        mp-sandbox.toml: names the key and the remedy
    HookMissingError   the integration offers no such hook: the check is "not checked"
    IntegrationError   the integration does not do what its description says
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
