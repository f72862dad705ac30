"""Signatures that the official SDKs' own validators accept."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from mercadopago.webhook import WebhookSignatureValidator

from mp_oauth_sandbox import Application, Sandbox, Seller

from .conftest import SECRET, START
from .receiver import Received, Receiver

NODE = shutil.which("node")
BESIDE = Path(__file__).parent.parent / "node"

VALIDATE = """
const { WebhookSignatureValidator } = require("mercadopago");
const [request, secret] = JSON.parse(require("fs").readFileSync(0, "utf8"));
WebhookSignatureValidator.validate({
  xSignature: request.signature, xRequestId: request.id, dataId: request.data_id, secret,
});
"""


@pytest.fixture
def received(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
) -> Received:
    sandbox.webhooks.simulate(application, seller)
    sandbox.webhooks.settle()
    return receiver.received[0]


@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
def test_the_python_sdk_accepts_the_signature(
    unit: str, sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    sandbox.change_profile(webhook_ts=unit)
    sandbox.webhooks.simulate(application, seller)
    sandbox.webhooks.settle()

    (received,) = receiver.received
    headers = received.headers
    # It takes ts as seconds, so that only those can be held against a clock.
    WebhookSignatureValidator.validate(
        headers["X-Signature"],
        headers["X-Request-Id"],
        received.data_id,
        SECRET,
        tolerance_seconds=5 if unit == "seconds" else None,
        now=lambda: START.timestamp() * 1000,
    )


@pytest.fixture(scope="session")
def node_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `require("mercadopago")` finds the official Node SDK."""
    if NODE is None:
        pytest.skip("needs Node.js, for the official Node SDK")
    if (BESIDE / "node_modules" / "mercadopago").is_dir():
        return BESIDE
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm, to install the official Node SDK")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true}')
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    subprocess.run(
        [npm, "install", *quiet, "mercadopago@^3.3"], cwd=folder, check=True, timeout=100
    )
    return folder


@pytest.mark.nightly
@pytest.mark.parametrize(("secret", "accepted"), [(SECRET, True), ("another", False)])
def test_the_node_sdk_accepts_the_signature_and_no_other(
    secret: str, accepted: bool, received: Received, node_project: Path
):
    request = {
        "signature": received.headers["X-Signature"],
        "id": received.headers["X-Request-Id"],
        "data_id": received.data_id,
    }

    done = subprocess.run(
        [NODE or "", "-e", VALIDATE],
        input=json.dumps([request, secret]),
        cwd=node_project,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode == 0) is accepted, done.stderr
    assert accepted or "SignatureMismatch" in done.stderr
