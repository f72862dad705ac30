"""`python -m mp_oauth_sandbox`: the command line."""

from mp_oauth_sandbox.cli.main import main

main()
