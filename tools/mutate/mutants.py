"""The bugs that are seeded, each with the tests that must see it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROTOCOL = Path("layers/relay/relay_protocol")
CORE = Path("layers/relay/relay/core")
CLIENT = Path("client/sync_relay_client")
AUDIT = Path("tools/lint_zk")

DEVICE_TESTS = "tests/unit/test_protocol_devices.py"
ENCODING_TESTS = "tests/unit/test_protocol_encoding.py"
SEALED_TESTS = "tests/unit/test_protocol_sealed.py"
SIGNING_TESTS = "tests/unit/test_protocol_signing.py tests/unit/test_protocol_signing_oracle.py"
PAIRING_TESTS = "tests/http/test_http_pairing.py"
OPENING_TESTS = "tests/client/test_opening.py tests/client/test_opening_members.py"
INVITATION_TESTS = "tests/client/test_invitation.py"
ROTATION_TESTS = "tests/client/test_rotation.py"
LEAK_TESTS = "tests/zk/test_lint_zk_leaks.py"
ACCESS_TESTS = "tests/http/test_http_access.py"
ORDER_TESTS = "tests/http/test_http_order.py"
ALIKE_TESTS = "tests/http/test_http_alike.py"
DYNAMODB_ALIKE_TESTS = "tests/contract/test_dynamodb_alike.py"
TREE_TESTS = "tests/zk/test_lint_zk_real_tree.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug: in `path`, `old` (which stands there once) becomes `new`, and `tests` (paths, by blanks) must fail."""

    name: str
    path: Path
    old: str
    new: str
    tests: str


_GROUP_ORDER = "2**252 + 27742317777372353535851937790883648493"


def _crypto() -> Iterator[Mutant]:
    path = PROTOCOL / "devices.py"
    verify = "VerifyKey(public_key).verify(message, signature)"
    reduced = f'(int.from_bytes(signature[32:], "little") % ({_GROUP_ORDER})).to_bytes(32, "little")'
    for name, old, new in (
        ("a signature is not verified", verify, "VerifyKey(public_key)"),
        ("S + L is a signature too", verify, verify.replace("signature)", f"signature[:32] + {reduced})")),
        ("a key of small order is taken", " and crypto_core_ed25519_is_valid_point(key)", ""),
        ("a thumbprint orders its members otherwise", '"crv":"Ed25519","kty":"OKP"', '"kty":"OKP","crv":"Ed25519"'),
        ("an endorsement is for every vault", 'endorsement/v1", vault_id, ', 'endorsement/v1", '),
        ("an endorsement is for every device", "vault_id, device_id, expires_at)\n\n", "vault_id, expires_at)\n\n"),
        ("an endorsement is for ever", "vault_id, device_id, expires_at)\n\n", "vault_id, device_id)\n\n"),
    ):
        yield Mutant(name, path, old, new, DEVICE_TESTS)
    path = PROTOCOL / "encoding.py"
    for name, old, new in (
        ("PAE does not count its pieces", '[len(pieces).to_bytes(8, "little")]', "[b'']"),
        ("PAE does not tell lengths", 'parts += (len(data).to_bytes(8, "little"), data)', "parts += (data,)"),
        ("PAE is read with a rest", " or position != len(data)", ""),
        ("trailing bits may be set", "if base64url(data) != text:", "if False:"),
    ):
        yield Mutant(name, path, old, new, ENCODING_TESTS)


def _pairing() -> Iterator[Mutant]:
    for name, old, new in (
        ("an endorser may be revoked", " or endorser.revoked_at_ms is not None", ""),
        ("an endorsement is not verified", "if not verifies(", "if False and not verifies("),
        ("an endorsement's time is not judged", "endorsement.expires_at < now_seconds", "False"),
        ("an endorsement may be years ahead", "endorsement.expires_at > now_seconds + MAX_", "0 > MAX_"),
    ):
        yield Mutant(name, CORE / "pairing.py", old, new, PAIRING_TESTS)


def _chain() -> Iterator[Mutant]:
    path = PROTOCOL / "changeset.py"
    fields = (
        *("self.id", "self.origin_device", "self.origin_user", "self.timestamp", "self.operation_type", "self.entity"),
        *(
            "self.entity_id",
            "self.schema_version",
            "self.key_id",
            "into_hash(self.nonce)",
            "into_hash(self.ciphertext)",
        ),
    )
    for member in ("vault_id", *fields):
        old = f"                {member},\n"
        yield Mutant(f"the digest omits {member}", path, old, "", DEVICE_TESTS)
    for name, old, new in (
        ("every vault has one genesis", '"sync-relay/genesis/v1", vault_id', '"sync-relay/genesis/v1"'),
        ("an empty log has seq 1", "return Head(0, ", "return Head(1, "),
        ("the chain is extended in reverse", "head.chain, digest)).digest()", "digest, head.chain)).digest()"),
        ("the chain forgets what was before", "head.chain, digest)).digest()", "digest)).digest()"),
        ("a seq is given twice", "return Head(head.seq + 1, ", "return Head(max(head.seq, 1), "),
    ):
        yield Mutant(name, PROTOCOL / "chain.py", old, new, DEVICE_TESTS)


def _sealed() -> Iterator[Mutant]:
    path = PROTOCOL / "sealed.py"
    for dunder in ("repr", "bool", "len", "iter", "eq", "hash", "getitem", "reduce_ex", "getstate", "deepcopy"):
        name = f"a sealed value answers to __{dunder}__"
        yield Mutant(name, path, f" __{dunder}__ =", f" _{dunder} =", SEALED_TESTS)
    for name, old, new in (
        ("what refuses shows the value", '"a sealed value is never looked at"', "self.__value"),
        ("an answer loses the text's own members", "+ _reveal(text)[1:]", "+ b'}'"),
        ("a text's length counts brackets only", "Sealed(text), len(text)", "Sealed(text), 2"),
    ):
        yield Mutant(name, path, old, new, SEALED_TESTS)


def _request_checker() -> Iterator[Mutant]:
    path = PROTOCOL / "signing.py"
    for name, old, new in (
        ("several signatures are taken", " or len(inputs) != 1", ""),
        ("labels may differ", " or inputs.keys() != signatures.keys()", ""),
        ("a label may stand twice", '"signature-input"), each_key_once=True', '"signature-input")'),
        ("a signature need not be bytes", " or type(signature) is not bytes", ""),
        ("components need not be a list", "type(components) is not list or ", ""),
        ("any parameter is taken", "if type(value) is not _PARAMETER_TYPES.get(name):", "if False:"),
        (
            "a boolean is a time",
            "if type(value) is not _PARAMETER_TYPES.get(name):",
            "if not isinstance(value, _PARAMETER_TYPES.get(name, ())):",
        ),
        ("created may be absent", '"created" not in parameters or ', ""),
        ("keyid may be absent", ' or "keyid" not in parameters', ""),
        ("any alg is taken", 'parameters.get("alg", "ed25519") != "ed25519"', "False"),
        ("@method need not be covered", "set(ALWAYS_COVERED)", 'set(ALWAYS_COVERED) - {"@method"}'),
        ("@authority need not be covered", "set(ALWAYS_COVERED)", 'set(ALWAYS_COVERED) - {"@authority"}'),
        ("@path need not be covered", "set(ALWAYS_COVERED)", 'set(ALWAYS_COVERED) - {"@path"}'),
        ("the query need not be covered", "for name, _ in message.query}", "for name, _ in ()}"),
        ("If-Match need not be covered", 'frozenset({"if-match", "authorization"})', 'frozenset({"authorization"})'),
        ("Authorization need not be covered", 'frozenset({"if-match", "authorization"})', 'frozenset({"if-match"})'),
        ("Content-Digest need not be covered", 'required.add("content-digest")', "pass"),
        ("a component may be covered twice", "len(set(covered)) != len(covered) or ", ""),
        ("any component may be covered", " and name in MAY_BE_COVERED", ""),
        ("a component may have parameters", " and not parameters:", ":"),
        ("a query component may have more parameters", 'parameters.keys() == {"name"}', '"name" in parameters'),
        ("a request may come from the future", "abs(now_seconds - self.", "(now_seconds - self."),
        ("a request may be old", "abs(now_seconds - self.", "-(now_seconds - self."),
        ("the clock's skew has an edge", "> clock_skew_seconds", ">= clock_skew_seconds"),
        ("expires is ignored", 'self.parameters.get("expires", now_seconds) < now_seconds', "False"),
        ("expires is a second early", 'get("expires", now_seconds) < ', 'get("expires", now_seconds + 1) <= '),
        ("the signature is not verified", " or not verifies(public_key, base, self.signature)", ""),
        ("the digest is not compared", " or value != sha256(message.body).digest()", ""),
        ("a digest of an empty body is not judged", "if message.body or any(", "if message.body and any("),
        ("the base lacks its parameters", '    lines.append(f\'"@signature-params"', '    (f\'"@signature-params"'),
        ("the authority keeps its case", "host.lower()", "host"),
        ("the authority keeps its default port", '.removesuffix(":443")', ""),
    ):
        yield Mutant(name, path, old, new, SIGNING_TESTS)


def _client() -> Iterator[Mutant]:
    for name, file, old, new in (
        ("the relay's chain is believed", "history.py", "if chain != head.chain:", "if False:"),
        ("a gap in the log is passed over", "history.py", "if seq != head.seq:", "if False:"),
        (
            "an id may come again",
            "history.py",
            "if changeset_id in self._own_ids or self._history.has",
            "if self._history.has",
        ),
        ("an author need not sign", "opening.py", "    unsealed.check_author(", "    (lambda _: None)("),
        ("blinded names are believed", "opening.py", "    unsealed.check_names(key)\n", ""),
        ("an author need not belong", "opening.py", "if author not in membership.belonging:", "if False:"),
        ("a fork is not seen", "opening.py", "known is not None and known != witness.chain", "False"),
        ("a witness may lie ahead", "opening.py", "if witness.seq >= seq:", "if False:"),
    ):
        yield Mutant(name, CLIENT / file, old, new, OPENING_TESTS)
    opening = CLIENT / "opening.py"
    yield Mutant(
        "a rollback is not seen", opening, "if head.chain != trust.anchor.chain:", "if False:", INVITATION_TESTS
    )
    yield Mutant(
        "a device that was rotated out is heard",
        opening,
        "if trust.keyring.is_older(key) and",
        "if False and",
        ROTATION_TESTS,
    )


def _audit() -> Iterator[Mutant]:
    for name, file, old, new in (
        ("f-strings pass", "values.py", 'return self.refuse(node.value, "ZK001")', "return CLEAN"),
        (
            "operators pass",
            "values.py",
            'return self.report(node, "ZK001" if literal or isinstance(operator, ast.Mod) else "ZK013")',
            "return CLEAN",
        ),
        ("comparisons pass", "values.py", "            if looks:", "            if False:"),
        ("subscripts pass", "values.py", "case _ if shape.opaque or shape == CARRIER:", "case _ if False:"),
        (
            "iteration passes",
            "values.py",
            'else self.report(node, "ZK007")\n\n    def spread',
            "else CLEAN\n\n    def spread",
        ),
        ("unpacking passes", "values.py", 'shape = self.report(target, "ZK007")', "shape = CLEAN"),
        ("the hidden value may be named", "values.py", '{"_Sealed__value", "_reveal"}', '{"_reveal"}'),
        ("getattr by the hidden name passes", "values.py", 'if node.value == "_Sealed__value"', "if False"),
        (
            "any member of a carrier may be asked",
            "values.py",
            "if owner == CARRIER and name not in",
            "if False and name not in",
        ),
        ("sets may hold sealed values", "values.py", 'return self.refuse(node.elt, "ZK012")', "return CLEAN"),
        ("dictionary keys may be sealed", "values.py", 'self.refuse(key, "ZK012")\n            shapes', "shapes"),
        ("comprehension conditions pass", "values.py", 'self.inspect(condition, "ZK005")', "self.visit(condition)"),
        (
            "other objects may keep sealed values",
            "values.py",
            "if self.visit(owner) != CARRIER or not",
            "if False and not",
        ),
        ("a JSON member is clean", "values.py", "SEALED if key in rules.SEALED_MEMBERS else CLEAN", "CLEAN"),
        ("conditions pass", "taint.py", 'self.inspect(node.test, "ZK005")\n        for statement', "for statement"),
        ("exceptions pass", "taint.py", 'else part, "ZK003")', 'else part, "ZK003") if False else None'),
        ("causes pass", "taint.py", 'self.refuse(node.cause, "ZK003")', "pass"),
        ("contexts pass", "taint.py", "and not _without_context(part)", "and False"),
        ("defaults pass", "taint.py", 'self.refuse(default, "ZK012")', "self.visit(default)"),
        ("returns pass", "taint.py", "if not shape.fits(self._returns) and not listed:", "if False:"),
        ("globals pass", "taint.py", " or target.id in self._globals", ""),
        ("any class may be a carrier", "taint.py", "if node.name not in rules.CARRIERS:", "if False:"),
        ("loops are followed once", "taint.py", "if self.names == before:", "if True:"),
        ("a way out may be renamed", "taint.py", "if private or whole or renamed:", "if private or whole:"),
        ("a way out's privates may be imported", "taint.py", "if private or whole or renamed:", "if whole or renamed:"),
        ("logs pass", "calls.py", "if one.shape.tainted or named & rules", "if named & rules"),
        (
            "logs of bodies pass",
            "calls.py",
            "if one.shape.tainted or named & rules.REQUEST_NAMES:",
            "if one.shape.tainted:",
        ),
        ("log_event passes", "calls.py", 'keyword.arg == "log_event"', 'keyword.arg == ""'),
        (
            "any function may take sealed values",
            "calls.py",
            "    return one.shape.tainted and not accepted",
            "    return False",
        ),
        (
            "ways out are open anywhere",
            "calls.py",
            "if not any(way.name == name for way in self.open_ways()):",
            "if False:",
        ),
        ("what was let out may go anywhere", "calls.py", "(one.shape.raw and name in takers)", "one.shape.raw"),
        ("locals() passes", "calls.py", 'return self.report(node, "ZK009") if any', "return CLEAN if any"),
        (
            "lists forget what they were given",
            "calls.py",
            "        held = self.visit(callee.value)",
            "        return CLEAN",
        ),
        (
            "nested functions are not followed",
            "taint.py",
            "        if nested:\n",
            "        if nested:\n            pass\n        elif nested:\n",
        ),
        (
            "aliases are not read",
            "declarations.py",
            "if shape.tainted:\n                        declared",
            "if False:\n                        declared",
        ),
        ("forward references are not read", "shapes.py", "return of_annotation(_parsed(text), named)", "return CLEAN"),
        ("attributes are clean by name", "rules.py", '{"nonce", "ciphertext", "text"}', "set[str]()"),
    ):
        yield Mutant(f"audit: {name}", AUDIT / file, old, new, LEAK_TESTS)
    for name, file, old, new in (
        ("the store's way out is open everywhere", "rules.py", '"relay.adapters.sqlite*"', '"relay.adapters.none"'),
        ("no module is audited", "audit.py", "if module.name != SEALED_MODULE:", "if False:"),
        (
            "errors with input pass",
            "calls.py",
            "and _is_false(one.value) for one in",
            "for one in",
        ),
    ):
        yield Mutant(f"audit: {name}", AUDIT / file, old, new, TREE_TESTS)


def _access() -> Iterator[Mutant]:
    http, adapters = Path("layers/relay/relay/http"), Path("layers/relay/relay/adapters")
    for name, path, old, new, tests in (
        (
            "a revoked device is told that there is no vault",
            http / "authentication.py",
            "raise DeviceRevoked if signer.standing is Standing.REVOKED else VaultNotFound",
            "raise VaultNotFound",
            ACCESS_TESTS,
        ),
        (
            "who is not a member is let in",
            http / "authentication.py",
            "signer.standing is not Standing.MEMBER",
            "signer.standing is Standing.REVOKED",
            ACCESS_TESTS,
        ),
        (
            "a registration may be signed by any key",
            http / "authentication.py",
            "if claim.device_id != thumbprint(public_key):",
            "if False:",
            ORDER_TESTS,
        ),
        (
            "a route has no row",
            http / "routes.py",
            '"/config", "vaults", ("GET",)',
            '"/config", "vaults", ("GET", "PUT")',
            ACCESS_TESTS,
        ),
        (
            "a vault that is not there is looked up less",
            adapters / "sqlite/members.py",
            "coalesce((SELECT no FROM vaults WHERE vault_id = ?), 0)",
            "(SELECT no FROM vaults WHERE vault_id = ?)",
            ALIKE_TESTS,
        ),
        (
            "a stranger waits for a vault to be still",
            adapters / "dynamodb/members.py",
            "view(calls, vault_id, only_with=key)",
            "view(calls, vault_id, key)",
            DYNAMODB_ALIKE_TESTS,
        ),
    ):
        yield Mutant(name, path, old, new, tests)


MUTANTS = (*_access(), *_crypto(), *_pairing(), *_chain(), *_sealed(), *_request_checker(), *_client(), *_audit())
