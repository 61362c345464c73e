"""§7.1 `GET /health`, `GET /config`."""

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must, must_equal

LIMITS = (
    *("max_body_bytes", "max_batch", "max_page", "max_page_bytes", "max_snapshot_bytes", "max_vault_bytes"),
    *("max_devices", "max_pending_snapshots", "clock_skew_seconds", "upload_ttl_seconds", "url_ttl_seconds"),
)


@check("7.1", '`/health` is 200 `{"status":"ok"}`, or 503.', "Unsigned.")
def health_is_ok(relay: Relay) -> None:
    must_equal(relay.ask(None, "GET", "/health").must_be(200).json, {"status": "ok"}, "the body of /health")


@check(
    "7.1",
    "`limits` names every limit that a client can meet:",
    "`/config` is 200:",
    '{"protocol":1, "limits":{…}, "retention":{"changeset_days":30,"snapshots":3},',
)
def config_names_every_limit(relay: Relay) -> None:
    config = relay.ask(None, "GET", "/config").must_be(200, protocol=1).json
    must_equal(sorted(config), ["limits", "protocol", "retention", "vault_creation"], "the members of /config")
    must_equal(sorted(config["limits"]), sorted((*LIMITS, "rate_limit")), "the names of the limits")
    for name in LIMITS:
        limit = config["limits"][name]
        must(type(limit) is int and limit > 0, f"a positive integer as {name}", limit)
    must_equal(sorted(config["retention"]), ["changeset_days", "snapshots"], "the members of retention")
    must(config["vault_creation"] in {"open", "closed", "token"}, "open, closed or token", config["vault_creation"])
    rate = config["limits"]["rate_limit"]
    must(rate is None or sorted(rate) == ["requests", "window_seconds"], "null or requests and window_seconds", rate)


@check("7", "| GET | `/config` | no | 7.1 |", "| GET | `/health` | no | 7.1 |")
def a_signature_is_not_looked_at_where_none_is_asked_for(relay: Relay) -> None:
    for path in ("/health", "/config"):
        relay.ask(None, "GET", path, fields={"signature": "sig=:AAAA:", "signature-input": "("}).must_be(200)


@check(
    "7.1",
    "With `vault_creation` `token`, the request that creates a vault carries the operator's token in",
)
def the_operator_s_token_opens_the_door(relay: Relay) -> None:
    relay.needs_new_vaults()
    relay.found().ask("GET").must_be(200)
