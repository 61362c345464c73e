"""The relay's address: an origin and, behind a gateway, a base path that signatures cover (§4 `@path`)."""

import re
from dataclasses import dataclass

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<base>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/?"
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


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
        if match is None:
            raise ValueError("not a relay's address: http(s)://host[:port][/base/path]")
        host, port = match["host"].lower(), match["port"]
        if port is not None and port != _DEFAULT_PORTS[match["scheme"]]:
            host = f"{host}:{port}"
        return cls(match["scheme"], host, match["base"])

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.base_path}"
