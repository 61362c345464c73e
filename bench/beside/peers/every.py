"""The servers that are compared."""

from bench.beside.peers.actual import Actual
from bench.beside.peers.evolu import Evolu
from bench.beside.peers.ours import Ours
from bench.beside.peers.port import Facts, Peer
from bench.beside.peers.worker import Worker

ABSENT = [
    Facts(
        name="Etebase",
        version="not available from the registries",
        signatures="",
        page="",
        note="PyPI has no package etebase-server",
        cannot={"": "not available from the registries"},
    )
]
"""Peers that can't be run, and why."""


def all_peers() -> list[Peer]:
    """Return those that are there."""
    return [Ours(), Actual(), Evolu(), Worker()]
