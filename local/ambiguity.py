"""Requests that the parser takes, and that another on the way may have read in another way: they are refused.

A proxy that disagrees with the server about where a request ends, or whom it is for, can be made to carry one request
inside another (request smuggling). A client has no use for any of these.
"""

import re
from collections.abc import Sequence

_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")  # RFC 3986 §3.2.2, and a port
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?]*)")


def is_ambiguous(http_version: str, target: bytes, fields: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a head has more than one reading. Names of fields are lower case; lengths the parser has judged.

    - A transfer coding besides `chunked`, which nobody here would undo, or any in HTTP/1.0 (RFC 9112 §6.1).
    - A host that is none (§3.2); a target that names another than `Host` does (§3.2.2).
    - A fragment, which no request has (RFC 9110 §7.1).
    """
    codings = [value.strip().lower() for name, value in fields if name == b"transfer-encoding"]
    if codings and (codings != [b"chunked"] or http_version == "1.0"):
        return True
    hosts = [value.strip() for name, value in fields if name == b"host"]
    if not all(_HOST.fullmatch(host) for host in hosts):
        return True
    named = _ABSOLUTE.match(target)
    return b"#" in target or (named is not None and [named[1].lower()] != [host.lower() for host in hosts])
