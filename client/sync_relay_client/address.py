"""The relay's address: an origin and, behind a gateway, a base path that signatures cover (§4 `@path`)."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[(?P<ipv6>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<base>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/?"
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_MAX_PORT = 65_535
_MAX_HOST_CHARACTERS = 253
_MAX_LABEL_CHARACTERS = 63


@dataclass(frozen=True, slots=True)
class RelayAddress:
    """Where a relay is. `authority` is the `Host` to send; `base_path` has no slash at its end."""

    scheme: str
    authority: str
    base_path: str

    @classmethod
    def parse(cls, url: str) -> "RelayAddress":
        """Read a relay's URL. Raises ValueError unless it is http or https, in ASCII, without user, query, fragment."""
        match = _ADDRESS.fullmatch(url)
        if match is None or not _is_reachable(match):
            raise ValueError("not a relay's address: http(s)://host[:port][/base/path]")
        host, port = match["host"].lower(), match["port"]
        if port is not None and port != _DEFAULT_PORTS[match["scheme"]]:
            host = f"{host}:{port}"
        return cls(match["scheme"], host, match["base"])

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.base_path}"


def is_host(host: str) -> bool:
    """Whether a host can be looked up (RFC 1035 §2.3.4): for others resolvers raise what they like."""
    name = host.removesuffix(".")
    return len(name) <= _MAX_HOST_CHARACTERS and all(
        0 < len(label) <= _MAX_LABEL_CHARACTERS for label in name.split(".")
    )


def _is_reachable(match: re.Match[str]) -> bool:
    if int(match["port"] or 0) > _MAX_PORT:
        return False
    if match["ipv6"] is None:
        return is_host(match["host"])
    try:
        IPv6Address(match["ipv6"])
    except ValueError:
        return False
    return True
