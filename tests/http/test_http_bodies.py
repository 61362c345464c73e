"""Bodies as such (§2, §6): what is JSON, which media types are taken, how large a body may be, how it is carried."""

from typing import Any

import pytest

from tests.http.device import Device
from tests.http.events import set_header
from tests.http.world import Vault, World, encode


def _post(vault: Vault, body: bytes, **knobs: Any) -> tuple[int, str | None]:
    return vault.call("POST", "/changesets", body, **knobs).outcome


# ---------------------------------------------------------------- JSON


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"\n",
        b"{",
        b"}",
        b"nul",
        b"'text'",
        b"{}{}",
        b"{} x",
        b"[1,]",
        b'{"a":1,}',
        b"{a:1}",
        b'{"a" 1}',
        b'"\t"',
        b'"\\x41"',
        b'"open',
        b"// comment\n{}",
        b"\x00",
        b"\xff\xfe{\x00}\x00",
        b"\x80",
        b"\xc0\x80",
        b'"\xf4\x90\x80\x80"',
    ],
)
def test_what_is_not_json_is_malformed(vault: Vault, body: bytes) -> None:
    assert _post(vault, body, base64=True) == (400, "malformed_request")


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"changesets":', b'{"changesets":[[', b'{"id":['])
@pytest.mark.parametrize("depth", [16, 17, 200, 1_100, 100_000])
@pytest.mark.parametrize("is_closed", [True, False])
def test_a_deep_body_is_refused_and_breaks_nothing(
    vault: Vault, opening: bytes, depth: int, *, is_closed: bool
) -> None:
    closing = b"".join({b"[": b"]", b"{": b"}"}.get(bytes([byte]), b"") for byte in reversed(opening))
    body = opening * depth + (b"1" + closing * depth if is_closed else b"")
    assert _post(vault, body)[0] in {400, 422}


@pytest.mark.parametrize("number", [b"1e400", b"9" * 50, b"-1e999"])
def test_a_deep_body_with_a_huge_number_breaks_nothing_either(vault: Vault, number: bytes) -> None:
    assert _post(vault, b"[" * 5_000 + number + b"]" * 5_000)[0] in {400, 422}


@pytest.mark.parametrize(
    "member", [b'"entity":"other"', b'"entity":1', b'"changesets":[]', b'"id":null', b'"x":1,"x":2']
)
def test_a_member_given_twice_breaks_nothing(vault: Vault, member: bytes) -> None:
    changeset = encode(vault.founder.changeset(1))
    for body in (b"{" + member + b"," + changeset[1:], changeset[:-1] + b"," + member + b"}"):
        assert _post(vault, body)[0] in {200, 201, 400, 409, 422}


def test_white_space_around_json_is_fine(vault: Vault) -> None:
    assert _post(vault, b" \r\n\t" + encode(vault.founder.changeset(1)) + b"\n ") == (201, None)


# ---------------------------------------------------------------- media types


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "APPLICATION/Json",
        "application/json;charset=utf-8",
        "application/json ; charset=latin-1; x=y",
        "application/json;",
    ],
)
def test_json_is_taken_with_any_parameter(vault: Vault, media_type: str) -> None:
    assert _post(vault, encode(vault.founder.changeset(1)), headers={"Content-Type": media_type}) == (201, None)


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "text/json",
        "application/vnd.api+json",
        "application/problem+json",
        "application/jsonx",
        "application/json, application/json",
        "application",
        "*/*",
        "",
        "application/x-www-form-urlencoded",
    ],
)
def test_another_media_type_is_not(vault: Vault, media_type: str) -> None:
    answer = _post(vault, encode(vault.founder.changeset(1)), headers={"Content-Type": media_type})
    assert answer == (415, "unsupported_media_type")


def test_a_body_without_media_type_is_not_taken(vault: Vault) -> None:
    draft = vault.world.draft(vault.founder, "POST", f"{vault.path}/changesets", vault.founder.changeset(1))
    del draft.headers["Content-Type"]
    assert vault.world.send(draft).code == "unsupported_media_type"


@pytest.mark.parametrize("coding", ["gzip", "br", "identity", "gzip, gzip", "x"])
def test_a_content_coding_is_not_taken(vault: Vault, coding: str) -> None:
    answer = _post(vault, encode(vault.founder.changeset(1)), headers={"Content-Encoding": coding})
    assert answer == (415, "unsupported_media_type")


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}])
@pytest.mark.parametrize("below", ["/changesets", "/snapshots"])
def test_a_missing_body_is_malformed_whatever_its_media_type(vault: Vault, below: str, headers: dict[str, str]) -> None:
    assert vault.call("POST", below, b"", headers=headers).outcome == (400, "malformed_request")


def test_a_registration_without_body_is_malformed(world: World) -> None:
    assert world.call(Device.named("one"), "POST", "/devices").outcome == (400, "malformed_request")


@pytest.mark.parametrize("headers", [{"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}, {}])
@pytest.mark.parametrize(
    ("method", "below"), [("GET", ""), ("GET", "/changesets"), ("GET", "/devices"), ("GET", "/snapshots")]
)
def test_a_body_that_no_one_asked_for_is_ignored(
    vault: Vault, method: str, below: str, headers: dict[str, str]
) -> None:
    assert vault.call(method, below, b"{not json", headers=headers).status == 200


def test_a_body_that_no_one_asked_for_must_match_its_digest(vault: Vault) -> None:
    draft = vault.world.draft(vault.founder, "GET", vault.path, b"ignored")
    draft.after_signing.append(lambda event: event.update(body="changed"))
    assert vault.world.send(draft).code == "digest_mismatch"


def test_completing_takes_any_body(vault: Vault) -> None:
    vault.world.upload(vault.announce(b"blob"), b"blob")
    assert vault.complete(b"blob", body=b"{", headers={"Content-Encoding": "gzip"}).status == 200


# ---------------------------------------------------------------- size


@pytest.mark.parametrize("is_base64", [False, True])
def test_a_body_of_max_body_bytes_is_taken_and_one_byte_more_is_not(vault: Vault, *, is_base64: bool) -> None:
    vault.world.configure(max_body_bytes=1_000)
    body = encode(vault.founder.changeset(1, entity="é😀"))
    refused = vault.call("POST", "/changesets", body.ljust(1_001), base64=is_base64)
    assert refused.outcome == (413, "body_too_large")
    assert refused.json["limit"] == 1_000
    assert _post(vault, body.ljust(1_000), base64=is_base64) == (201, None)


def test_the_default_body_is_four_mebibytes(vault: Vault) -> None:
    body = encode(vault.founder.changeset(1, ciphertext=""))
    full = vault.founder.changeset(1, ciphertext="c" * (4 * 1024 * 1024 - len(body)))
    assert vault.push(full | {"ciphertext": full["ciphertext"] + "c"}).code == "body_too_large"
    assert vault.push(full).status == 201
    assert vault.pull().json["changesets"][0]["ciphertext"] == full["ciphertext"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("GET", "/config"),
        ("POST", "/devices"),
        ("GET", "/vaults/{}"),
        ("GET", "/vaults/{}/devices"),
    ],
)
def test_a_body_too_large_is_refused_everywhere(vault: Vault, method: str, path: str) -> None:
    vault.world.configure(max_body_bytes=10)
    answer = vault.world.call(None, method, path.format(vault.id), b"x" * 11)
    assert answer.outcome == (413, "body_too_large")


def test_a_body_that_was_not_read_is_too_large_by_its_declared_length(vault: Vault) -> None:
    vault.world.configure(max_body_bytes=1_000)
    draft = vault.world.draft(vault.founder, "POST", f"{vault.path}/changesets", vault.founder.changeset(1))
    draft.after_signing += [set_header("content-length", "1001"), lambda event: event.update(body=None)]
    assert vault.world.send(draft).code == "body_too_large"


@pytest.mark.parametrize("length", ["-1", "x", "1e9", "٣", "", "9" * 5_000])
def test_a_declared_length_that_is_no_number_breaks_nothing(vault: Vault, length: str) -> None:
    draft = vault.world.draft(vault.founder, "POST", f"{vault.path}/changesets", vault.founder.changeset(1))
    draft.after_signing.append(set_header("content-length", length))
    assert vault.world.send(draft).status in {201, 413}


# ---------------------------------------------------------------- how the gateway carries it


def test_a_body_in_base64_is_the_same_body(vault: Vault) -> None:
    changeset = vault.founder.changeset(1, entity="é😀")
    assert vault.push(changeset, base64=True).status == 201
    assert vault.push(changeset).status == 200


def test_a_body_that_is_not_the_base64_it_should_be_is_malformed(vault: Vault) -> None:
    draft = vault.world.draft(vault.founder, "POST", f"{vault.path}/changesets", vault.founder.changeset(1))
    draft.after_signing.append(lambda event: event.update(isBase64Encoded=True))
    assert vault.world.send(draft).outcome == (400, "malformed_request")
