"""§4 Signed requests: exactly one signature."""

from collections.abc import Callable

from sync_relay_conformance.device import Device
from sync_relay_conformance.draft import Fields, edited, replaced
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault


def refused(vault: Vault, *changes: Callable[[Fields], Fields]) -> None:
    """See that a pull whose fields are changed so is not taken as signed."""
    for change in changes:
        vault.ask("GET", "/changesets", sent=change).must_be(401, "signature_required")


@check("4", "All requests but `GET /health`, `GET /config` and the transfer of a snapshot blob carry an HTTP message")
def every_request_but_two_must_be_signed(relay: Relay) -> None:
    vault = relay.found()
    hash_ = vault.announcement(b"a blob")["sha256"]
    for method, path in (
        ("GET", f"/devices/{vault.founder.id}"),
        *((method, vault.path) for method in ("GET", "DELETE")),
        *((method, f"{vault.path}/changesets") for method in ("GET", "POST")),
        *((method, f"{vault.path}/snapshots") for method in ("GET", "POST")),
        *(("GET", f"{vault.path}{below}") for below in ("/devices", "/snapshots/latest", f"/snapshots/{hash_}")),
        ("DELETE", f"{vault.path}/devices/{vault.founder.id}"),
        ("POST", f"{vault.path}/snapshots/{hash_}/complete"),
        ("POST", "/devices"),
    ):
        relay.ask(None, method, path, {} if method == "POST" else None).must_be(401, "signature_required")
    for path in ("/health", "/config"):
        relay.ask(None, "GET", path).must_be(200)


@check("4", "`Signature-Input` and `Signature` hold exactly one, under any label, the same in both.")
def the_label_is_the_client_s(relay: Relay) -> None:
    vault = relay.found()
    for label in ("sig1", "a", "*x", "my-label_1.0"):
        vault.ask("GET", label=label).must_be(200)


@check(
    "4",
    "1. `signature_required`: a field is missing; several signatures; labels that differ;",
    "| 401 | `signature_required` | §4 |",
)
def a_missing_field_several_signatures_or_other_labels_are_refused(relay: Relay) -> None:
    vault = relay.found()
    refused(
        vault,
        replaced("signature", None),
        replaced("signature-input", None),
        edited("signature", lambda text: f"{text}, other{text.removeprefix('sig')}"),
        edited("signature-input", lambda text: f"{text}, other{text.removeprefix('sig')}"),
        lambda fields: [
            (name, f"{text}, b{text.removeprefix('sig')}" if "signature" in name else text) for name, text in fields
        ],
        edited("signature", lambda text: f"other{text.removeprefix('sig')}"),
    )


@check("4", "a label that stands twice in one of the fields counts as several signatures.")
def a_label_that_stands_twice_is_several_signatures(relay: Relay) -> None:
    vault = relay.found()
    refused(
        vault,
        edited("signature", lambda text: f"{text}, {text}"),
        edited("signature-input", lambda text: f"{text}, {text}"),
        lambda fields: [*fields, *(one for one in fields if one[0] == "signature")],
    )


@check("4", "not structured fields; not an inner")
def fields_that_are_not_structured_are_refused(relay: Relay) -> None:
    vault = relay.found()
    refused(
        vault,
        replaced("signature-input", ""),
        replaced("signature-input", "sig=("),
        edited("signature-input", lambda text: text.replace("(", "(\t")),
        replaced("signature", "sig=:not base64!:"),
        edited("signature", lambda text: text.rstrip(":")),
        replaced("signature-input", 'sig="@method"'),
        replaced("signature-input", "sig"),
        replaced("signature", 'sig="text"'),
        replaced("signature", "sig=(:AAAA:)"),
    )


@check("4", "by the algorithm `ed25519`.")
def a_signature_of_another_length_does_not_verify(relay: Relay) -> None:
    vault = relay.found()
    for written in ("sig=::", "sig=:AAAA:"):
        vault.ask("GET", sent=replaced("signature", written)).must_be(401, "signature_invalid")


@check(
    "4",
    "5. `signature_invalid`: it does not verify, or covers what was not sent or is not ASCII.",
    "| 401 | `signature_invalid` | §4 |",
)
def a_signature_by_another_key_does_not_verify(relay: Relay) -> None:
    vault = relay.found()
    keyid = {"keyid": f'"{vault.founder.id}"'}
    vault.ask("GET", by=Device(), parameters=keyid).must_be(401, "signature_invalid")
