"""`mp-sandbox.toml`: the sandbox to use and the integration to check."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from mp_oauth_sandbox.driver.endpoints import Endpoints
from mp_oauth_sandbox.driver.errors import ConfigError
from mp_oauth_sandbox.first_run import CLIENT_ID, CLIENT_SECRET, PORT
from mp_oauth_sandbox.support.checked import misfit

DEFAULT_FILE = "mp-sandbox.toml"

_EXAMPLE = """\
  [integration]
  base_url = "http://localhost:8000"
  start_url = "/mp/start"
  callback_path = "/mp/callback"
  [integration.login]
  url = "/login"
  form = { user = "{account}" }"""


class SandboxConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sandbox: a running one by `url` (with its control `token`), else one of its own.

    Its own listens on `port` with `client_id` and `client_secret`, as `serve` does at first,
    so the integration needs the same settings for both.
    """

    url: Annotated[str, Meta(pattern=r"^http://[^/?#]+/?$")] | None = None
    token: str | None = None
    port: Annotated[int, Meta(ge=1, le=65535)] = PORT
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    integration: Endpoints
    sandbox: SandboxConfig = SandboxConfig()


def load_config(path: Path) -> Config:
    """Read `mp-sandbox.toml`. Raises ConfigError naming the key and the remedy."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(str(path), f"there is no such file; begin with\n{_EXAMPLE}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"it cannot be read ({error})") from error
    try:
        return msgspec.toml.decode(text, type=Config)
    except msgspec.ValidationError as error:
        raise ConfigError(*explain(error, Config)) from error
    except msgspec.DecodeError as error:
        raise ConfigError(str(path), f"it is not valid TOML ({error})") from error


#: What to write, for each pattern that a key may have to match.
_REMEDIES = {
    r"^https?://[^/?#]+/?$": 'give scheme, host and port, as in "http://localhost:8000"',
    r"^http://[^/?#]+/?$": 'give scheme, host and port, as in "http://127.0.0.1:8970"',
    "^(/|https?://)": 'give a path that begins with "/", or a whole URL',
    "^/": 'begin it with "/"',
}


def explain(error: msgspec.ValidationError, wanted: type) -> tuple[str, str]:
    """The key at fault and what to do, for people who wrote TOML for the type `wanted`."""
    found = misfit(error, wanted)
    match found.kind:
        case "missing":
            return found.path, "it is missing; add it"
        case "unknown":
            return found.path, f"there is no such key; remove it{found.remedy}"
        case "pattern" if remedies := [_REMEDIES[one] for one in found.known if one in _REMEDIES]:
            return found.path, remedies[0]
        case _:
            problem = found.problem + found.remedy
            return found.path or "the file", problem[:1].lower() + problem[1:]
