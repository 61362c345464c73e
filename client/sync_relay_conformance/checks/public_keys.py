"""§5 Pairing: public keys that are refused."""

from relay_protocol.encoding import base64url
from sync_relay_conformance.device import Device
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import must_equal

SMALL_ORDER = (
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "7P_______________________________________38",
    "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
    "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
)
MIXED_ORDER = "wtJvmXm9bzn63yo6FMUy1HZYXIOimfuYobiEomMUtBY"
NOT_CANONICAL = ("7f_______________________________________38", "7v_______________________________________38")


def refuses(relay: Relay, public_key: object) -> None:
    """See that no vault is founded with this key."""
    vault = Vault.drawn(relay, Device())
    body = {"vault_id": vault.id, "public_key": public_key}
    vault.register(vault.founder, body=body).must_point_at("/public_key")


@check("5", "A public key MUST be the canonical encoding of a point of the prime-order subgroup, the")
def a_key_of_small_order_is_refused(relay: Relay) -> None:
    for public_key in SMALL_ORDER:
        refuses(relay, public_key)


@check("5", "identity excluded; small and mixed order are 422.")
def a_key_of_mixed_order_is_refused(relay: Relay) -> None:
    refuses(relay, MIXED_ORDER)


@check("5", "A public key MUST be the canonical encoding of a point of the prime-order subgroup, the")
def a_key_that_is_not_canonical_or_no_point_is_refused(relay: Relay) -> None:
    for public_key in (*NOT_CANONICAL, base64url((2).to_bytes(32, "little"))):
        refuses(relay, public_key)


@check("7.2", "`public_key` is 32 bytes, base64url.")
def a_public_key_has_32_bytes(relay: Relay) -> None:
    right = bytes(Device().key.verify_key)
    for public_key in (base64url(right[:-1]), base64url(right + b"\0"), base64url(right) + "=", "", 1, None):
        refuses(relay, public_key)


@check("5", "libsodium's `crypto_core_ed25519_is_valid_point` is that check.")
def a_key_of_prime_order_is_taken(relay: Relay) -> None:
    for _ in range(4):
        vault = relay.found()
        must_equal(vault.roster()[0]["public_key"], vault.founder.public_key, "the key in the list")
