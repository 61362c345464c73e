"""Push and pull (§7.6, §7.7)."""

import orjson

from relay.core.pull import pull
from relay.core.push import Push, Pushed
from relay.http.authentication import authenticate
from relay.http.fields import if_match, json_body
from relay.http.gateway import Endpoint, Endpoints
from relay.http.request import Request
from relay.http.responses import ProxyResponse, json_response, raw_json_response
from relay.ports import Page, Record
from relay.service import Relay
from relay_protocol.encoding import base64url, rfc3339
from relay_protocol.errors import InvalidField
from relay_protocol.limits import DEFAULT_PAGE, SNAPSHOT_HINT_HIGH, SNAPSHOT_HINT_LOW, Limits
from relay_protocol.sealed import into_answer

RESOURCE = "/vaults/{vault_id}/changesets"
_INT64_DIGITS = 18
_FAR_PAST_ANY_HEAD = 10**_INT64_DIGITS


def answer_push(relay: Relay, request: Request) -> ProxyResponse:
    """Store one changeset or a batch; 201 if any is new."""
    from relay_protocol.requests import parse_push  # with pydantic, which a pull does without

    device_id = authenticate(relay, request)
    limits = relay.settings.limits
    body = json_body(request)
    chain = if_match(request.headers)
    changesets = parse_push(body, limits.max_batch)
    pushed = Push(
        vault_id=request.ids["vault_id"],
        device_id=device_id,
        changesets=changesets,
        if_match=chain,
        max_vault_bytes=limits.max_vault_bytes,
        now_ms=relay.now_ms(),
    ).run(relay.log)
    return json_response(201 if pushed.created else 200, _receipts(pushed), _snapshot_hint(pushed.uncovered))


def answer_pull(relay: Relay, request: Request) -> ProxyResponse:
    """Return a page of the log."""
    authenticate(relay, request)
    limits = relay.settings.limits
    since, limit = _cursor(dict(request.query), limits)
    vault_id = request.ids["vault_id"]
    page = pull(relay.log, vault_id, since, limit, limits.max_page_bytes, relay.now_ms())
    return raw_json_response(200, render_page(page, since, limits.max_page_bytes))


ENDPOINTS: Endpoints = {
    (RESOURCE, "POST"): Endpoint(answer_push),
    (RESOURCE, "GET"): Endpoint(answer_pull, query=frozenset({"since", "limit"})),
}


def render_page(page: Page, since: int, max_page_bytes: int) -> bytes:
    """Write the answer: as many of the page's changesets as keep it within `max_page_bytes`, one at least."""
    opening = b'{"epoch":"%b","changesets":[' % page.epoch.encode()
    head = orjson.dumps(page.head.as_json())
    written: list[bytes] = []
    size, closing = len(opening), _closing(since, page.head.seq, head)
    for record in page.records:
        text = _render(record)
        size += len(text) + bool(written)
        closing_after = _closing(record.seq, page.head.seq, head)
        if written and size + len(closing_after) > max_page_bytes:
            break
        written.append(text)
        closing = closing_after
    return b"".join((opening, b",".join(written), closing))


def _render(record: Record) -> bytes:
    received_at, chain = rfc3339(record.received_at_ms), base64url(record.chain)
    place = f'"seq":{record.seq},"received_at":"{received_at}","chain":"{chain}",'.encode()
    return into_answer(record.text, place)


def _closing(cursor: int, head_seq: int, head: bytes) -> bytes:
    has_more = b"true" if cursor < head_seq else b"false"
    return b'],"cursor":%d,"has_more":%b,"head":%b}' % (cursor, has_more, head)


def _receipts(pushed: Pushed) -> dict[str, object]:
    return {
        "epoch": pushed.epoch,
        "head": pushed.head.as_json(),
        "receipts": [
            {
                "id": receipt.id,
                "seq": receipt.seq,
                "received_at": rfc3339(receipt.received_at_ms),
                "chain": base64url(receipt.chain),
                "status": "created" if receipt.id in pushed.created else "duplicate",
            }
            for receipt in pushed.receipts
        ],
    }


def _snapshot_hint(uncovered: int) -> dict[str, str]:
    if uncovered < SNAPSHOT_HINT_LOW:
        return {}
    return {"Sync-Relay-Snapshot": "high" if uncovered >= SNAPSHOT_HINT_HIGH else "low"}


def _cursor(query: dict[str, str], limits: Limits) -> tuple[int, int]:
    """Return `since` and `limit`. Raises InvalidField for each that is not a number as §7.7 writes it."""
    since = _number(query.get("since", "0"))
    limit = _number(query.get("limit", str(min(DEFAULT_PAGE, limits.max_page))))
    wrong = []
    if since is None:
        wrong.append(("/since", "not of the required form"))
    if limit is None or not 1 <= limit <= limits.max_page:
        wrong.append(("/limit", "not of the required form" if limit is None else "out of range"))
    if wrong:
        raise InvalidField(*wrong)
    return since or 0, limit or 0


def _number(text: str) -> int | None:
    """Read `0|[1-9][0-9]*`. However large it is: what is past any possible head becomes one such number."""
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0"):
        return None
    return int(text) if len(text) <= _INT64_DIGITS else _FAR_PAST_ANY_HEAD
