"""Who a client is: the connection's peer, or what trusted proxies say of it (§9)."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address


class TrustedProxies:
    """The networks from which `X-Forwarded-For` is believed."""

    def __init__(self, networks: tuple[IPv4Network | IPv6Network, ...]) -> None:
        self._networks = networks
        self.trust = lru_cache(maxsize=1024)(self._trust)

    def client_address(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """Return the client's address; `forwarded_for` are the values of `X-Forwarded-For`, in the order sent.

        Each proxy appends whom it talks to. So from the right, the first that is no trusted proxy is the client;
        whatever stands left of it, anyone can have sent. What is no address ends the walk.
        """
        client = peer
        if self._networks:
            for hop in reversed(",".join(forwarded_for).split(",")):
                address = _address_of_hop(hop.strip())
                if not self.trust(client) or address is None:
                    break
                client = str(address)
        return client

    def _trust(self, text: str) -> bool:
        address = _parse(text)
        return address is not None and any(address in network for network in self._networks)


def _address_of_hop(hop: str) -> Address | None:
    """Read an entry, which some proxies write with a port: `192.0.2.1:80`, `[2001:db8::1]:80`."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    return _parse(hop)


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
