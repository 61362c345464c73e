"""§3 The changeset: its eleven fields."""

from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import must_equal

FIELDS = tuple(Device().changeset())


def has_length(vault: Vault, field: str, most: int) -> None:
    """See that a field takes 1 to `most` code points, and none more."""
    for right in (1, most):
        vault.push(vault.founder.changeset(**{field: "x" * right})).must_be(201)
    for wrong in (0, most + 1):
        vault.push(vault.founder.changeset(**{field: "x" * wrong})).must_point_at(f"/{field}")


@check(
    "3",
    "MUST be the `device_id` that signed the request. Any other string is 403 `origin_mismatch`, not 422",
    "| 403 | `origin_mismatch` |",
)
def the_origin_device_must_be_the_signer(relay: Relay) -> None:
    vault = relay.found()
    other = vault.join()
    for origin in (other.id, "anything", "", vault.founder.id.lower()):
        vault.push(vault.founder.changeset(origin_device=origin)).must_be(403, "origin_mismatch")
    vault.push(vault.founder.changeset(), other.changeset()).must_be(403, "origin_mismatch")
    vault.push(vault.founder.changeset(origin_device=1)).must_point_at("/origin_device")
    must_equal(vault.log(), [], "the log after pushes of others' changesets")


@check("3", "| `origin_user` | string | 1 to 128 code points |")
def origin_user_has_1_to_128_code_points(relay: Relay) -> None:
    has_length(relay.found(), "origin_user", 128)


@check("3", "| `timestamp` | string | 1 to 64; the client's own, opaque to the relay |")
def timestamp_has_1_to_64_and_need_be_no_time(relay: Relay) -> None:
    has_length(relay.found(), "timestamp", 64)


@check("3", "| `operation_type` | string | 1 to 64 |")
def operation_type_has_1_to_64_code_points(relay: Relay) -> None:
    has_length(relay.found(), "operation_type", 64)


@check("3", "| `entity` | string | 1 to 128 |")
def entity_has_1_to_128_code_points(relay: Relay) -> None:
    has_length(relay.found(), "entity", 128)


@check("3", "| `entity_id` | string | 1 to 128 |")
def entity_id_has_1_to_128_code_points(relay: Relay) -> None:
    has_length(relay.found(), "entity_id", 128)


@check("3", "| `key_id` | string | 1 to 128 |")
def key_id_has_1_to_128_code_points(relay: Relay) -> None:
    has_length(relay.found(), "key_id", 128)


@check("3", "| `schema_version` | integer | 0 to 2147483647 |")
def schema_version_is_0_to_2147483647(relay: Relay) -> None:
    vault = relay.found()
    for right in (0, 2147483647):
        vault.push(vault.founder.changeset(schema_version=right)).must_be(201)
    for wrong in (-1, 2147483648):
        vault.push(vault.founder.changeset(schema_version=wrong)).must_point_at("/schema_version")


@check(
    "3",
    "| `nonce` | string | sealed: any string, the empty one too |",
    "| `ciphertext` | string | sealed: any string, the empty one too |",
    "The relay has no rule on length, alphabet or emptiness of the sealed two: only the size of the whole body counts.",
)
def sealed_fields_are_any_strings(relay: Relay) -> None:
    vault = relay.found()
    texts = (
        "",
        "=",
        "not base64url!",
        "\u0000\u2028\U0001f600",
        "x" * min(100_000, relay.limit("max_body_bytes") // 4),
    )
    for text in texts:
        vault.push(vault.founder.changeset(nonce=text, ciphertext=text)).must_be(201)
    must_equal([(one["nonce"], one["ciphertext"]) for one in vault.log()], [(text, text) for text in texts], "texts")
    for field in ("nonce", "ciphertext"):
        vault.push(vault.founder.changeset(**{field: 1})).must_point_at(f"/{field}")


@check("3", "All eleven are required.")
def all_eleven_fields_are_required(relay: Relay) -> None:
    vault = relay.found()
    for field in FIELDS:
        lacking = {name: value for name, value in vault.founder.changeset().items() if name != field}
        vault.ask("POST", "/changesets", lacking).must_point_at(f"/{field}")


@check("3", "A pull returns each of them exactly as it came.")
def a_pull_returns_each_field_as_it_came(relay: Relay) -> None:
    vault = relay.found()
    odd = {name: f' {name} é \U0001f600 {{"a": null}} ' for name in FIELDS[2:7]}
    changeset = vault.founder.changeset(**odd, key_id="\u2028", schema_version=0, nonce="", ciphertext="\\u0041")
    vault.push(changeset).must_be(201)
    pulled = vault.log()[0]
    must_equal({name: pulled[name] for name in FIELDS}, changeset, "the changeset as it was pulled")
