"""The command `sync-relay-server`: run the embedded relay, maintain its stores, or look a vault up in its log."""

import argparse
import json
import resource
import sys
from collections.abc import Sequence

from local.bounds import Bounds
from local.maintenance import Maintenance, maintain
from local.memory import keep_little
from local.processors import keep_to_one
from local.server import HANDLERS, Server, bind, make_door, url_of
from relay.config import ConfigurationError
from relay.ports import StoreUnavailable
from relay.service import Relay
from relay.wiring import relay_from_environment

EXIT_UNAVAILABLE = 1
EXIT_CONFIGURATION = 2
FILES_BESIDES_CONNECTIONS = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 1 if a store or the port is unavailable, 2 for a bad configuration."""
    parser = argparse.ArgumentParser(prog="sync-relay-server", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the relay until a signal ends it")
    commands.add_parser("maintain", help="apply retention once; print what it did as JSON")
    commands.add_parser("new-epoch", help="after a restore from a backup: give every vault a new epoch")
    hashing = commands.add_parser("vault-hash", help="print what stands for a vault in the log")
    hashing.add_argument("vault_id", metavar="VAULT_ID")
    given = parser.parse_args(arguments)
    try:
        relay = relay_from_environment()
        if given.command == "vault-hash":
            _print(relay.vault_hash(given.vault_id))
        else:
            {"serve": _serve, "maintain": _maintain, "new-epoch": _new_epoch}[given.command](relay)
    except ConfigurationError as error:
        return _fail(str(error), EXIT_CONFIGURATION)
    except StoreUnavailable as error:
        return _fail(error.reason, EXIT_UNAVAILABLE)
    except OSError as error:
        return _fail(error.strerror or type(error).__name__, EXIT_UNAVAILABLE)
    return 0


def _fail(reason: str, status: int) -> int:
    sys.stderr.write(f"sync-relay-server: {reason}\n")
    return status


def _serve(relay: Relay) -> None:
    keep_little()
    relay.log.ping()  # a store that is another than the variables say is told here, not to clients
    bounds = Bounds()
    _allow_open_files(bounds.max_connections + FILES_BESIDES_CONNECTIONS)
    set_free = keep_to_one()
    maintenance = Maintenance(relay, set_free)
    listener = bind(relay.settings.host, relay.settings.port)

    def ready() -> None:
        _print(f"Sync relay listening on {url_of(listener)}")
        maintenance.start()

    try:
        Server(make_door(relay, HANDLERS, bounds, set_free), bounds, ready).run([listener])
    finally:
        maintenance.stop()


def _maintain(relay: Relay) -> None:
    _print(json.dumps(maintain(relay)))


def _new_epoch(relay: Relay) -> None:
    vaults = relay.log.renew_epochs(relay.ids.uuid)
    _print(f"{vaults} vaults have a new epoch")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _allow_open_files(wanted: int) -> None:
    """Raise this process's own limit as far as the system lets it: every connection is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


if __name__ == "__main__":
    sys.exit(main())
