"""§2 Encoding: integers, strings, binary values, UUIDs and times."""

from sync_relay_conformance.device import Device, Json
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay, encode
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import must, must_equal

MOST_INT64 = 2**63 - 1


def pushed_with_schema_version(vault: Vault, written: str) -> tuple[int, str | None]:
    """Push a changeset whose `schema_version` is written so; return status and code."""
    text = encode(vault.founder.changeset()).replace(b'"schema_version":3', b'"schema_version":' + written.encode())
    answer = vault.ask("POST", "/changesets", text)
    return answer.status, answer.code


@check("2", "An integer has neither fraction nor exponent (`1.0` and `1e0` are no integers), and a boolean is none.")
def an_integer_has_no_fraction_and_no_exponent(relay: Relay) -> None:
    vault = relay.found()
    for written in ("1.0", "1e0", "1E+1", "true", '"1"', "0.5"):
        must_equal(pushed_with_schema_version(vault, written), (422, "invalid_field"), f"a push with {written}")


@check("2", "`-0` is 0.")
def minus_zero_is_zero(relay: Relay) -> None:
    vault = relay.found()
    must_equal(pushed_with_schema_version(vault, "-0"), (201, None), "a push with -0")
    must_equal(vault.log()[0]["schema_version"], 0, "schema_version")


@check("2", "A number too large for its field is 422, however large.")
def a_number_is_too_large_however_large(relay: Relay) -> None:
    relay.needs("max_body_bytes", 10000)
    vault = relay.found()
    for written in (str(2**31), str(2**63), str(2**64), "9" * 400, "-" + "9" * 400, "1" + "0" * 5000):
        must_equal(pushed_with_schema_version(vault, written), (422, "invalid_field"), f"a push with {written[:20]}")


@check("2", "where this page names no bound (`size`,")
def an_integer_without_bound_has_64_bits(relay: Relay) -> None:
    vault = relay.found()
    largest = {"seq": MOST_INT64, "chain": vault.genesis["chain"]}
    vault.announce(b"a", largest).must_be(409, "cursor_ahead")
    vault.announce(b"a", largest | {"seq": MOST_INT64 + 1}).must_point_at("/covers/seq")
    vault.announce(b"a", size=MOST_INT64).must_be(413, "body_too_large")
    vault.announce(b"a", size=MOST_INT64 + 1).must_point_at("/size")
    device = Device()
    endorsement = vault.endorsement(device)
    vault.register(device, endorsement | {"expires_at": MOST_INT64}).must_be(403, "endorsement_invalid")
    vault.register(device, endorsement | {"expires_at": MOST_INT64 + 1}).must_point_at("/endorsement/expires_at")


@check("2", "Members that this page does not name are refused in requests (422).")
def an_unknown_member_is_refused(relay: Relay) -> None:
    vault = relay.found()
    vault.push(vault.founder.changeset(colour="blue")).must_be(422, "invalid_field")
    both = vault.founder.changeset() | {"changesets": [vault.founder.changeset()]}
    vault.ask("POST", "/changesets", both).must_be(422, "invalid_field")
    vault.announce(b"a", colour="blue").must_be(422, "invalid_field")
    vault.announce(b"a", vault.genesis | {"colour": "blue"}).must_be(422, "invalid_field")
    device = Device()
    vault.register(device, body=vault.registration(device) | {"colour": "blue"}).must_be(422, "invalid_field")


def pushed_and_pulled(vault: Vault, **fields: str) -> None:
    """Push a changeset with these texts, and see that exactly they come back."""
    changeset: Json = vault.founder.changeset(**fields)
    vault.push(changeset).must_be(201)
    pulled = vault.log()[-1]
    for name in fields:
        must_equal(pulled[name], changeset[name], f"{name} as it came")


@check("2", "A string's length counts code points.")
def a_string_s_length_counts_code_points(relay: Relay) -> None:
    vault = relay.found()
    pushed_and_pulled(vault, entity="\U0001f600" * 128, timestamp="é" * 64)
    vault.push(vault.founder.changeset(entity="\U0001f600" * 129)).must_point_at("/entity")
    vault.push(vault.founder.changeset(timestamp="é" * 65)).must_point_at("/timestamp")


@check("2", "Nothing is normalised or trimmed: what comes is what is stored and returned,")
def a_text_comes_back_as_it_came(relay: Relay) -> None:
    vault = relay.found()
    for text in (
        " in blanks ",
        "\u0000",
        "\u2028\u2029",
        "e\u0301",
        "\u00e9",
        "\ufeff",
        "\r\n",
        '"\\/',
        "\u007f",
        "\uffff",
    ):
        pushed_and_pulled(vault, entity_id=text, nonce=text, ciphertext=text)


@check("2", "Binary values are base64url (RFC 4648 §5) without padding and with zero trailing bits.")
def a_binary_value_is_base64url_in_its_one_form(relay: Relay) -> None:
    vault = relay.found()
    right = vault.announcement(b"a blob")["sha256"]
    last = right[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    trailing = right[:-1] + alphabet[alphabet.index(last) + 1]
    for wrong in (
        right + "=",
        right[:-1],
        right + "A",
        trailing,
        "+" + right[1:],
        "/" + right[1:],
        " " + right[1:],
        "",
    ):
        vault.announce(b"a blob", sha256=wrong).must_point_at("/sha256")


@check("2", "A UUID is 8-4-4-4-12 lower-case hexadecimal digits.", "| `id` | string | a UUID |")
def a_uuid_is_written_in_one_way(relay: Relay) -> None:
    vault = relay.found()
    right = vault.founder.changeset()["id"]
    wrong = (
        ("a" + right[1:]).upper(),
        right.replace("-", ""),
        f"{{{right}}}",
        f"urn:uuid:{right}",
        right[:-1],
        right + "\n",
    )
    for text in wrong:
        vault.push(vault.founder.changeset(id=text)).must_point_at("/id")


@check("2", "Version and variant are not judged.")
def a_uuid_of_any_version_is_taken(relay: Relay) -> None:
    vault = relay.found()
    for digit in "07f":
        start = vault.founder.changeset()["id"][:14]
        vault.push(vault.founder.changeset(id=f"{start}{digit}000-0000-{'0' * 12}")).must_be(201)


@check("2", "Times that the relay writes are RFC 3339 in UTC, with milliseconds and `Z`")
def a_time_is_written_in_one_way(relay: Relay) -> None:
    vault = relay.vault_of(1)
    snapshot = vault.announce(b"a blob").must_be(201).json
    times = [
        vault.info()["created_at"],
        vault.roster()[0]["registered_at"],
        vault.log()[0]["received_at"],
        snapshot["snapshot"]["created_at"],
        snapshot["upload"]["expires_at"],
    ]
    for text in times:
        form = "".join("0" if digit.isdigit() else digit for digit in text)
        must(form == "0000-00-00T00:00:00.000Z", "a time such as 2026-04-26T09:30:00.000Z", text)
