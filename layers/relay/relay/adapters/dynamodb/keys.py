"""Where everything lies in the log's table. The key of every request begins with its own vault or device.

V#<vault>   M           the vault: epoch, floor, members, sums over its snapshots; a tombstone once it is erased
            D#<device>  a member
            E#<seq>     an entry of the log: the changesets of one push, by the first one's seq. The entry after
                        the last one may be a marker, see `entries`
            R#<id>      where a changeset of this id may be: the entry that it was last meant for
            S#<sha256>  a snapshot's record
D#<device>  <vault>     a registration
L#<digit>   <vault>     a live vault, by the id's first digit: read by maintenance alone
X#<digit>   <time>#<vault>  an erased one that has to be looked at, from this time on
"""

from relay_protocol.encoding import base64url

Key = dict[str, str]

DIGITS = "0123456789abcdef"
VAULT = "M"
ENTRIES, LAST_ENTRY = "E#", "E#~"
MEMBERS, SNAPSHOTS = "D#", "S#"


def vault_pk(vault_id: str) -> str:
    """Return the partition of a vault."""
    return f"V#{vault_id}"


def vault(vault_id: str) -> Key:
    """Return the key of the vault itself."""
    return {"pk": vault_pk(vault_id), "sk": VAULT}


def member(vault_id: str, device_id: str) -> Key:
    """Return the key of a member."""
    return {"pk": vault_pk(vault_id), "sk": f"{MEMBERS}{device_id}"}


def slot_sk(slot: int) -> str:
    """Return the sort key of the entry that begins with this seq."""
    return f"{ENTRIES}{slot:016x}"


def entry(vault_id: str, slot: int) -> Key:
    """Return the key of an entry or of the marker in its place."""
    return {"pk": vault_pk(vault_id), "sk": slot_sk(slot)}


def claim(vault_id: str, changeset_id: str) -> Key:
    """Return the key of the place of a changeset's id."""
    return {"pk": vault_pk(vault_id), "sk": f"R#{changeset_id}"}


def snapshot(vault_id: str, sha256: bytes) -> Key:
    """Return the key of a snapshot's record."""
    return {"pk": vault_pk(vault_id), "sk": f"{SNAPSHOTS}{base64url(sha256)}"}


def registrations_pk(device_id: str) -> str:
    """Return the partition of a device's registrations."""
    return f"D#{device_id}"


def registration(device_id: str, vault_id: str) -> Key:
    """Return the key of a registration."""
    return {"pk": registrations_pk(device_id), "sk": vault_id}


def live(vault_id: str) -> Key:
    """Return the key of a vault in the list of the live ones."""
    return {"pk": f"L#{vault_id[0]}", "sk": vault_id}


def erased(vault_id: str, look_at_ms: int) -> Key:
    """Return the key of a vault in the list of those to sweep, in the order of when to look at them."""
    return {"pk": f"X#{vault_id[0]}", "sk": f"{time_sk(look_at_ms)}#{vault_id}"}


def time_sk(time_ms: int) -> str:
    """Return what the sort keys of a time begin with."""
    return f"{time_ms:016x}"
