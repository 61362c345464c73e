"""`GET /openapi.json` and `GET /docs`: the API's description, and a page that renders it."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from relay.http.responses import ProxyResponse, refuse
from relay_protocol.errors import MethodNotAllowed

OPENAPI = Path(__file__).parent.parent / "schema" / "openapi.json"
PAGE = Path(__file__).parent / "docs.html"

_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


class Pages:
    """Serves the pages whose files are there; read once."""

    def __init__(self, openapi: Path = OPENAPI, page: Path = PAGE) -> None:
        self._pages: dict[str, ProxyResponse] = {}
        if openapi.exists():
            html = page.read_text("utf-8")
            self._pages["/openapi.json"] = _page(openapi.read_text("utf-8"), "application/json", "default-src 'none'")
            self._pages["/docs"] = _page(html, "text/html; charset=utf-8", _policy(html))

    def answer(self, method: str, path: str) -> ProxyResponse | None:
        """Return the page at a path; None if none is there."""
        page = self._pages.get(path)
        if page is not None and method != "GET":
            return refuse(MethodNotAllowed(("GET",)))
        return page


def _page(body: str, media_type: str, policy: str) -> ProxyResponse:
    headers = {
        "Content-Type": media_type,
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": False}


def _policy(html: str) -> str:
    """Allow the page its own script and style, by their hashes, and its one request (CSP 3)."""
    allowed = ["default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'"]
    allowed.append("frame-ancestors 'none'")
    for tag, content in _INLINE.findall(html):
        digest = b64encode(sha256(content.encode()).digest()).decode()
        allowed.append(f"{tag}-src 'sha256-{digest}'")
    return "; ".join(allowed)
