"""What can come of calling a sandbox beside an answer.

SandboxError
    SandboxAbsentError    nothing answers there, or something that is no sandbox
    SandboxRefusedError   it answers, and refuses: names the field and the remedy
"""


class SandboxError(Exception):
    """The sandbox cannot be reached, or refuses a control call."""


class SandboxAbsentError(SandboxError):
    """Nothing answers where the sandbox should be, or something that is no sandbox."""


class SandboxRefusedError(SandboxError):
    """The sandbox refuses a control call: `problem` at `field`, with this HTTP `status`."""

    def __init__(self, call: str, *, status: int, problem: str, field: str | None) -> None:
        """`call` is method and URL, for people."""
        named = f"{field}: {problem}" if field else problem
        super().__init__(f"{call}: {status} {named}")
        self.status = status
        self.problem = problem
        self.field = field
