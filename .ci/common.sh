# Sourced by the programs beside it: how they all begin, and what they need of the machine.
# Tests run against the wheel, in environments made here and removed at the end.
set -Eeuo pipefail
shopt -s inherit_errexit nullglob
exec </dev/null

cd "$(dirname "${BASH_SOURCE[0]}")/.."
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
trap 'echo "FAILED after ${SECONDS}s: ${BASH_COMMAND}" >&2' ERR

export CI=true
export MP_OAUTH_REQUIRE_NODE=1
export PIP_DISABLE_PIP_VERSION_CHECK=1
export PIP_ROOT_USER_ACTION=ignore
export DEBIAN_FRONTEND=noninteractive
# What a developer's shell may carry, and a fresh machine does not.
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTEST_ADDOPTS
# Tests wait for programs and sockets too: one more at a time than there are processors.
export PYTEST_XDIST_AUTO_NUM_WORKERS="$(($(nproc) + 1))"

step() { printf '\n=== %s (at %ds)\n' "$1" "$SECONDS"; }
as_root() { if [[ $EUID -eq 0 ]]; then "$@"; else sudo -n "$@"; fi; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

# The first of the given interpreters that really starts (a pyenv shim may not).
first_working() {
    local candidate
    for candidate in "$@"; do
        if version_of "$candidate" >/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

# An environment with the wheel and some of its extras; sets $python, $used, $bin and $wheel.
environment() {
    local extras="$1"
    step "Environment, and the wheel"
    python="$(first_working python3 python3.11 python3.12 python3.13 python3.14)"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        python="$(first_working python3.11 python3.12 python3.13 python3.14 "$HOME"/.pyenv/versions/3.1[1-9].*/bin/python)"
    used="$(version_of "$python")"
    "$python" -m venv "$scratch/venv"
    bin="$scratch/venv/bin"
    "$bin/pip" install -qq --upgrade pip
    "$bin/pip" install -qq build
    mkdir "$scratch/dist"
    "$bin/python" -m build --wheel --outdir "$scratch/dist" . >"$scratch/build.log" 2>&1 || {
        cat "$scratch/build.log"
        exit 1
    }
    wheel="$(echo "$scratch"/dist/*.whl)"
    "$bin/pip" install -qq "${wheel}[$extras]"
    echo "Python $used, $(basename "$wheel")"
}

# A program, and the packages of the system that bring it.
need() {
    local program="$1"
    shift
    if ! command -v "$program" >/dev/null; then
        as_root apt-get -qq update
        as_root apt-get -qq install -y --no-install-recommends "$@" >"$scratch/apt.log" 2>&1 || {
            cat "$scratch/apt.log"
            exit 1
        }
    fi
}

need_node() {
    step "Node"
    need npm nodejs npm
    node --version
}
