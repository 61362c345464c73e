"""The doctor: what is wrong with a machine, a profile, a relay or a vault, and what to do about it."""

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.client.cli_world import OPTIONS, CommandLine, line
from tools.embedded import EmbeddedRelay

Finding = dict[str, Any]


def states(findings: list[Finding]) -> dict[str, str]:
    return {finding["subject"]: finding["state"] for finding in findings}


def about(subject: str, findings: list[Finding]) -> Finding:
    (found,) = (finding for finding in findings if finding["subject"] == subject)
    return found


@pytest.fixture
def well(laptop: CommandLine, tmp_path: Path) -> CommandLine:
    """A device of which nothing is to be said."""
    laptop("sheet", "--output", str(tmp_path / "sheet"))
    return laptop


def test_where_all_is_well_nothing_is_to_be_done(well: CommandLine) -> None:
    findings = well.json("doctor")
    subjects = ["versions", "profile", "tls", "relay", "limits", "clock", "vault"]
    assert states(findings) == dict.fromkeys(subjects, "ok")
    assert not any(finding["advice"] for finding in findings)


def test_people_read_what_to_do_below_what_is_wrong(laptop: CommandLine) -> None:
    lines = laptop("doctor").stdout.splitlines()
    (place,) = (number for number, text in enumerate(lines) if "was not noted down" in text)
    assert lines[place].startswith(" look ")
    assert "sync-relay sheet" in lines[place + 1]


def test_a_file_that_another_process_removes_meanwhile_is_nothing_wrong(
    well: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "rglob", lambda path, _: iter([path / "spool" / "gone", path / "state.sqlite3"]))
    assert about("profile", well.json("doctor"))["state"] == "ok"


def test_a_file_that_others_can_read_is_found(well: CommandLine) -> None:
    (well.folder / "stray").touch(mode=0o644)
    found = about("profile", well.json("doctor", exits=1))
    assert "stray" in found["detail"]
    assert found["advice"]


def test_a_folder_that_others_can_list_is_worth_a_look(well: CommandLine) -> None:
    well.folder.chmod(0o755)
    assert about("profile", well.json("doctor"))["state"] == "look"


@pytest.mark.parametrize(
    ("skew_seconds", "state", "side"),
    [(0, "ok", ""), (30, "ok", "ahead of"), (-30, "ok", "behind"), (90, "look", "ahead of"), (-90, "look", "behind")],
)
def test_a_clock_that_is_off_is_noticed_before_requests_fail(
    well: CommandLine, skew_seconds: int, state: str, side: str
) -> None:
    found = about("clock", CommandLine(well.folder, replace(OPTIONS, clock=off_by(skew_seconds))).json("doctor"))
    assert (found["state"], side in found["detail"]) == (state, True)


@pytest.mark.parametrize("skew_seconds", [400, -400])
def test_a_clock_for_which_requests_fail_is_named(well: CommandLine, skew_seconds: int) -> None:
    findings = CommandLine(well.folder, replace(OPTIONS, clock=off_by(skew_seconds))).json("doctor", exits=1)
    assert states(findings) | {"clock": "wrong", "vault": "wrong"} == states(findings)
    assert "clock" in about("vault", findings)["advice"]


def off_by(skew_seconds: int) -> Callable[[], float]:
    return lambda: time.time() + skew_seconds


def test_what_was_begun_and_not_finished_is_named(well: CommandLine) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no network", request=request)

    well.through(httpx.MockTransport(refuse))("push", "-", typed=line(payload="milk"), exits=3)
    found = about("waiting", well.json("doctor"))
    assert "1 changes are recorded and not sent" in found["detail"]
    assert found["advice"] == "sync-relay sync"


def test_where_no_relay_is_the_doctor_says_so_and_goes_on(well: CommandLine) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no network", request=request)

    findings = well.through(httpx.MockTransport(refuse)).json("doctor", exits=1)
    assert states(findings) | {"relay": "wrong", "vault": "wrong"} == states(findings)


def test_a_restored_relay_is_named(tmp_path: Path) -> None:
    laptop = CommandLine(tmp_path / "laptop")
    with EmbeddedRelay(tmp_path / "data") as relay:
        laptop("init", relay.url)
        relay.new_epoch()
        assert "accept-epoch" in about("vault", laptop.json("doctor", exits=1))["advice"]


def test_a_newcomer_is_well_before_its_first_pull(phone: CommandLine) -> None:
    assert set(states(phone.json("doctor")).values()) == {"ok"}


def test_a_revoked_device_hears_so(laptop: CommandLine, phone: CommandLine) -> None:
    laptop("revoke", phone.json("status")[0]["device_id"], "--yes")
    assert "was revoked" in about("vault", phone.json("doctor", exits=1))["advice"]


def test_an_erased_vault_is_named(well: CommandLine) -> None:
    well("erase", "--confirm", well.json("status")[0]["vault_id"])
    assert "erased" in about("vault", well.json("doctor"))["detail"]


def test_a_relay_is_looked_at_before_there_is_a_profile(embedded: EmbeddedRelay, tmp_path: Path) -> None:
    nobody = CommandLine(tmp_path / "nobody")
    findings = nobody.json("doctor", embedded.url, exits=1)
    assert about("profile", findings)["state"] == "wrong"
    assert states(findings) | dict.fromkeys(["relay", "limits", "clock"], "ok") == states(findings)
    assert not nobody.folder.exists()


def test_an_address_that_is_not_encrypted_is_worth_a_look(tmp_path: Path) -> None:
    found = about("tls", CommandLine(tmp_path).json("doctor", "http://relay.invalid", exits=1))
    assert (found["state"], "https" in found["advice"]) == ("look", True)


@pytest.fixture
def certify(tmp_path: Path) -> Callable[[int], Path]:
    """Make a certificate for 127.0.0.1 that ends in so many days, in a file with its key."""

    def make(days: int) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a relay")])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=days, hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = tmp_path / "certificate.pem"
        file.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
        return file

    return make


@contextmanager
def https(certificate: Path) -> Iterator[str]:
    """Serve TLS, and nothing through it; yield the address."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError), context.wrap_socket(connection, server_side=True):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(("days", "state"), [(300, "ok"), (5, "look")])
def test_a_certificate_is_looked_at(
    certify: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, state: str
) -> None:
    certificate = certify(days)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with https(certificate) as url:
        found = about("tls", CommandLine(tmp_path / "nobody").json("doctor", url, exits=1))
    assert (found["state"], str(days) in found["detail"]) == (state, True)


def test_a_certificate_that_nobody_vouches_for_is_refused(certify: Callable[[int], Path], tmp_path: Path) -> None:
    with https(certify(300)) as url:
        found = about("tls", CommandLine(tmp_path / "nobody").json("doctor", url, exits=1))
    assert (found["state"], found["advice"]) == ("wrong", "Do not sync: ask who runs it")


def test_a_port_that_speaks_no_tls_is_worth_a_look(embedded: EmbeddedRelay, tmp_path: Path) -> None:
    url = embedded.url.replace("http:", "https:")
    assert about("tls", CommandLine(tmp_path / "nobody").json("doctor", url, exits=1))["state"] == "look"
