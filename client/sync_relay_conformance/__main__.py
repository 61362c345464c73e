"""`python -m sync_relay_conformance`: the command, where it is not installed."""

from sync_relay_conformance.command import main

main()
