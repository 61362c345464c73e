"""§10 Zero knowledge, as far as answers show it."""

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must, must_equal

CANARY = "canary-9b1e"


@check("10", "It stores and returns sealed fields byte for byte.")
def sealed_fields_come_back_byte_for_byte(relay: Relay) -> None:
    vault = relay.found()
    texts = [chr(point) for point in (0, 0x22, 0x5C, 0x7F, 0x80, 0xFF, 0x2028, 0xFFFE, 0xFFFF, 0x10FFFF)]
    for text in ("".join(texts), '{"json": [1, null]}', "<script>", "%s{0}\\u0000", " \t\r\n"):
        vault.push(vault.founder.changeset(nonce=text, ciphertext=text)).must_be(201)
        pulled = vault.log()[-1]
        must_equal((pulled["nonce"], pulled["ciphertext"]), (text, text), "the sealed fields")


@check("10", "Its code may not decode, parse, compare,")
def nothing_sealed_is_in_any_other_answer(relay: Relay) -> None:
    vault = relay.found()
    sealed = {"nonce": CANARY, "ciphertext": CANARY}
    changeset = vault.founder.changeset(**sealed)
    for answer in (
        vault.push(changeset),
        vault.push(changeset),
        vault.push(changeset | {"entity": "another"}),
        vault.push(vault.founder.changeset(entity="", **sealed)),
        vault.push(vault.founder.changeset(), if_match='"a"'),
        vault.ask("GET"),
        vault.announce(b"a blob", {"seq": 9, "chain": "A" * 43}),
        vault.pull(since=9),
    ):
        must(CANARY.encode() not in answer.body, f"nothing sealed in the answer to {answer.asked}", answer.outcome)
