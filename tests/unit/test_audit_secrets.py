"""The audit finds a secret of each kind that somebody might commit, also one that was taken out again."""

import secrets
import string
import subprocess
from pathlib import Path

import pytest

from tools.audit import secrets as audit
from tools.audit.known_secrets import KNOWN

LETTERS = string.ascii_letters + string.digits


def drawn(length: int, letters: str = LETTERS) -> str:
    return "a1B2" + "".join(secrets.choice(letters) for _ in range(length - 4))


SEEDED = {
    "private key": "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
    "AWS access key": "AKIA" + "ABCDEFGH234567QX",
    "GitHub token": "ghp_" + drawn(36),
    "GitLab token": "glpat-" + drawn(20),
    "Slack token": "xoxb-" + drawn(24),
    "Slack webhook": "https://hooks.slack" + ".com/services/T" + drawn(30),
    "Stripe key": "sk_live" + "_" + drawn(24),
    "Google key": "AIza" + drawn(35),
    "npm token": "npm_" + drawn(36),
    "PyPI token": "pypi-AgE" + drawn(60),
    "JSON web token": f"eyJ{drawn(20)}.eyJ{drawn(20)}.{drawn(20)}",
    "password in a URL": "postgres://relay:" + "hunter22@db.example/relay",
    "assigned secret": f'RELAY_VAULT_TOKEN = "{drawn(32)}"',
}


@pytest.mark.parametrize("kind", SEEDED)
def test_a_secret_of_each_kind_is_found(kind: str) -> None:
    assert [one.kind for one in audit.scan("a/file.py", f"x\nfirst {SEEDED[kind]} last\n")] == [kind]


@pytest.mark.parametrize(
    "line",
    [
        'token = "a-word-that-stands-for-one"',
        "key_id: Text128",
        'secret = os.environ["RELAY_VAULT_TOKEN"]',
        "password = read_the_password_from_the_keyring(profile_1, service_2)",
        f"    --hash=sha256:{'0123456789abcdef' * 4}",
        "https://relay.example/vaults/0b5f3c1e-8f0a-4d57-9d0c-3c6a1a5f2e77",
    ],
)
def test_what_is_none_is_not(line: str) -> None:
    assert list(audit.scan("a/file.py", line)) == []


@pytest.mark.parametrize(
    "line",
    [
        f'RELAY_ADDRESS_KEY = "{drawn(48)}"',
        f'vault_key = bytes.fromhex("{secrets.token_hex(32)}")',
        f"device_key: {drawn(43)}",
    ],
    ids=["address key", "vault key", "device key"],
)
def test_the_keys_of_relays_and_vaults_are_secrets(line: str) -> None:
    assert [one.kind for one in audit.scan("a/file.py", line)] == ["assigned secret"]


def test_all_kinds_are_seeded() -> None:
    assert SEEDED.keys() == {*audit.KINDS, "assigned secret"}


def test_what_is_found_is_not_shown() -> None:
    secret = SEEDED["GitHub token"]
    (finding,) = audit.scan("a/file.py", secret)
    assert secret not in str(finding)


def test_a_secret_that_was_taken_out_is_found_in_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@relay.example"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init")
    for text in (SEEDED["GitHub token"], "nothing"):
        (tmp_path / "settings.txt").write_text(text)
        git("add", "-A")
        git("commit", "-m", "a change")
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    assert audit.main() == 1
    assert "settings.txt:1: GitHub token (in history" in capsys.readouterr().out


def test_what_is_known_to_be_none_is_still_there() -> None:
    """A line that spares nothing any more would spare the next secret."""
    for known in KNOWN:
        kinds = {
            kind
            for path in audit.ROOT.glob(known.path)
            for line in path.read_text("utf-8").splitlines()
            for kind in audit._kinds(line)
        }
        assert known.kind in kinds
        assert known.reason
