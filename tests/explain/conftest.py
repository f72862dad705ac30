"""What is explained lives in the same sandbox as the pages."""

from tests.web.conftest import CALLBACK, application, client, sandbox, seller

__all__ = ["CALLBACK", "application", "client", "sandbox", "seller"]
