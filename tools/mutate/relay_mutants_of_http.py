"""Bugs at the door: authentication, bodies, conditions, rate limits, and what answers say."""

from collections.abc import Iterator

from tools.mutate.relay_mutants import RELAY, SMALL, RelayMutant

HTTP = RELAY / "http"
SHORT_ANNOUNCEMENTS = {"RELAY_UPLOAD_TTL_SECONDS": "60"}


def mutants() -> Iterator[RelayMutant]:
    """Yield them."""
    yield from _authentication()
    yield from _changesets()
    yield from _fields()
    yield from _requests()
    yield from _rate_limits()
    yield from _answers()
    yield from _other_answers()


def _authentication() -> Iterator[RelayMutant]:
    path = HTTP / "authentication.py"
    member = "signer.standing is not Standing.MEMBER:"
    alike = "an unknown vault and one of others look alike"
    for name, old, new, check in (
        ("who is no member is one", member, "signer.standing is Standing.REVOKED:", alike),
        ("a stranger is told from nobody", "else VaultNotFound", "else UnknownDevice", alike),
        (
            "a revoked device is a stranger",
            "raise DeviceRevoked if",
            "raise VaultNotFound if",
            "a revoked device may do nothing",
        ),
        (
            "a revoked device is a member",
            member,
            "signer.standing is Standing.STRANGER:",
            "a revoked device may do nothing",
        ),
        (
            "a registration's signature is not verified",
            "        raise SignatureInvalid\n    _verify(relay, request, claim, public_key)",
            "        raise SignatureInvalid",
            "a foreign keyid comes before time signature and digest",
        ),
        (
            "a registration may name another keyid",
            "if claim.device_id != thumbprint(public_key):",
            "if False:",
            "a foreign keyid comes before time signature and digest",
        ),
    ):
        yield RelayMutant(name, path, old, new, check)


def _changesets() -> Iterator[RelayMutant]:
    path = HTTP / "changesets.py"
    page = "a page fills max page bytes and no more"
    written = "a number is written in one way"
    bounds = "limit is 1 to max page and 100 by itself"
    ends = "cursor and has more tell where a page ends"
    for name, old, new, check, variables in (
        (
            "a duplicate is 201",
            "201 if pushed.created else 200",
            "201",
            "a changeset that is there is a duplicate with its first receipt",
            {},
        ),
        (
            "the hint comes one changeset late",
            "uncovered < SNAPSHOT_HINT_LOW",
            "uncovered <= SNAPSHOT_HINT_LOW",
            "a snapshot is asked for once 1000 changesets are uncovered",
            {},
        ),
        (
            "a retry is answered without the hint",
            "_snapshot_hint(pushed.uncovered)",
            "_snapshot_hint(pushed.uncovered if pushed.created else 0)",
            "a snapshot is asked for once 1000 changesets are uncovered",
            {},
        ),
        (
            "the urgent hint comes one late",
            "uncovered >= SNAPSHOT_HINT_HIGH",
            "uncovered > SNAPSHOT_HINT_HIGH",
            "it is asked for urgently once 5000 are until one covers them",
            {},
        ),
        (
            "a page is one byte short",
            "size + len(closing_after) > max_page_bytes",
            "size + len(closing_after) >= max_page_bytes",
            page,
            SMALL,
        ),
        ("a page's end is not counted", "size + len(closing_after) > max", "size > max", page, SMALL),
        ("a page's commas are not counted", "len(text) + bool(written)", "len(text)", page, SMALL),
        ("the end has more", "cursor < head_seq", "cursor <= head_seq", ends, {}),
        ("a page never has more", 'b"true" if cursor < head_seq else', "", ends, {}),
        ("a page may hold nothing", "1 <= limit <=", "0 <= limit <=", bounds, {}),
        ("a page may be one too large", "<= limits.max_page:", "<= limits.max_page + 1:", bounds, {}),
        (
            "a page is as large as it may be",
            "str(min(DEFAULT_PAGE, limits.max_page))",
            "str(limits.max_page)",
            bounds,
            {},
        ),
        ("a number may have zeros in front", ' or (text[0] == "0" and text != "0")', "", written, {}),
        ("a number may have digits of any script", "text.isascii() and ", "", written, {}),
        (
            "a receipt tells no time of its own",
            "rfc3339(receipt.received_at_ms)",
            "rfc3339(0)",
            "receipts and pulls tell the same chain",
            {},
        ),
    ):
        yield RelayMutant(name, path, old, new, check, variables)


def _fields() -> Iterator[RelayMutant]:
    path = HTTP / "fields.py"
    tag = "an if match that is not one strong tag is malformed"
    for name, old, new, check in (
        (
            "any JSON-like media type is taken",
            'media_type != "application/json"',
            'not media_type.startswith("application/json")',
            "another media type is unsupported",
        ),
        (
            "a media type has one case",
            ".strip().lower()",
            ".strip()",
            "a media type's parameters and case do not matter",
        ),
        (
            "a content coding is taken",
            ' or request.headers.get("content-encoding")',
            "",
            "any content coding is unsupported",
        ),
        (
            "an empty content coding is one",
            'request.headers.get("content-encoding")',
            '"content-encoding" in request.headers',
            "an empty content coding is none",
        ),
        ("an empty body is looked at", "if not request.body:", "if False:", "a body is judged in order"),
        ("a weak tag is taken", "r'\"([", "r'(?:W/)?\"([", tag),
        ("a tag needs no quotes", "\\xff]*)\"')", "\\xff]*)\"|\\*')", tag),
        (
            "a tag that is no chain is malformed",
            'return b""',
            "raise MalformedRequest from None",
            "a tag that is no chain matches nothing",
        ),
    ):
        yield RelayMutant(name, path, old, new, check)


def _requests() -> Iterator[RelayMutant]:
    gateway, request, routes = HTTP / "gateway.py", HTTP / "request.py", HTTP / "routes.py"
    query = "an unknown or repeated query parameter is malformed"
    size = "a body may have max body bytes and no more"
    form = "an id of another form is no path"
    for name, path, old, new, check in (
        ("a body is one byte short", gateway, "request.body_bytes > settings", "request.body_bytes >= settings", size),
        (
            "a body that was not read is empty",
            request,
            "max(len(self.body), int(declared) if _LENGTH.fullmatch(declared) else 0)",
            "len(self.body)",
            size,
        ),
        ("query parameters are not looked at", gateway, "request.check_query(endpoint.query)", "pass", query),
        ("a query parameter may be sent twice", request, "len(set(names)) != len(names) or ", "", query),
        (
            "a vault's id may be upper case",
            routes,
            '"vault_id": is_uuid',
            '"vault_id": lambda text: is_uuid(text.lower())',
            form,
        ),
        ("an id of any length is a device's", routes, '"device_id": is_thumbprint', '"device_id": bool', form),
        (
            "an unknown method is malformed",
            request,
            "raise MethodNotAllowed(route.methods)",
            "raise MalformedRequest",
            "another method is not allowed",
        ),
    ):
        yield RelayMutant(name, path, old, new, check)


def _rate_limits() -> Iterator[RelayMutant]:
    path = HTTP / "rate_limit.py"
    whole = "the quota may come at once and no more"
    for name, where, old, new, check in (
        ("nobody is refused", HTTP / "gateway.py", "if counted.refusal is not None:", "if False:", whole),
        ("all vaults share a quota", path, 'request.vault_id or ""', '""', whole),
        (
            "a refusal says not when to come back",
            RELAY / "ports" / "limiter.py",
            "0 if allowed else max(1,",
            "0 if allowed else 0 * max(1,",
            whole,
        ),
        (
            "a quota has one request more",
            RELAY / "ports" / "limiter.py",
            "burst_us = interval * self.requests",
            "burst_us = interval * (self.requests + 1)",
            whole,
        ),
        (
            "any header names the client",
            path,
            "network_of(request.address)",
            'request.headers.get("x-real-ip", request.address)',
            "a header does not make another client",
        ),
        (
            "devices are not counted",
            path,
            'return "address" if request.route.group == "devices" else None',
            "return None",
            "requests about devices count against the address",
        ),
        ("health is counted", path, 'if request.route.group == "devices" else None', "", "other requests do not count"),
        (
            "refusals tell no quota",
            HTTP / "gateway.py",
            'response["headers"].update(exchange.rate_fields)',
            'response["headers"].update(exchange.rate_fields if response["statusCode"] < 400 else {})',
            "refusals of counted requests carry the fields too",
        ),
        (
            "the quota is back at once",
            path,
            "t={ticket.reset_seconds}",
            "t=0",
            "remaining and reset follow from each other",
        ),
    ):
        yield RelayMutant(name, where, old, new, check)


def _answers() -> Iterator[RelayMutant]:
    snapshots = HTTP / "snapshots.py"
    for name, path, old, new, check, variables in (
        (
            "a pending snapshot can be downloaded",
            snapshots,
            "if record.available:\n        found",
            "if True:\n        found",
            "download is in three answers and in no other",
            {},
        ),
        (
            "an available snapshot takes an upload",
            snapshots,
            "None if record.available else _upload",
            "_upload",
            "an available snapshot takes no upload",
            {},
        ),
        (
            "an upload outlives its announcement",
            snapshots,
            "min(_url_expiry_ms(relay), record.expires_at_ms)",
            "_url_expiry_ms(relay)",
            "a url says until when it is good",
            SHORT_ANNOUNCEMENTS,
        ),
        (
            "an announcement is always new",
            snapshots,
            "201 if announced.created else 200",
            "201",
            "an announcement is answered with where to upload",
            {},
        ),
        (
            "trailing bits do not matter",
            snapshots,
            'return from_base64url(request.ids["sha256"])',
            'return __import__("base64").urlsafe_b64decode(request.ids["sha256"] + "=")',
            "a hash with trailing bits names no blob",
            {},
        ),
    ):
        yield RelayMutant(name, path, old, new, check, variables)


def _other_answers() -> Iterator[RelayMutant]:
    snapshots, vaults, devices = HTTP / "snapshots.py", HTTP / "vaults.py", HTTP / "devices.py"
    for name, path, old, new, check in (
        (
            "an erasure needs no condition",
            vaults,
            "raise PreconditionRequired",
            'chain = b""',
            "an erasure without a condition is refused",
        ),
        (
            "a vault's snapshot can be downloaded",
            vaults,
            "as_json(latest) if latest else None",
            'as_json(latest) | {"download": None} if latest else None',
            "snapshot is the latest without download",
        ),
        (
            "a limit is left out",
            vaults,
            '"limits": asdict(settings.limits),',
            '"limits": {k: v for k, v in asdict(settings.limits).items() if k != "url_ttl_seconds"},',
            "config names every limit",
        ),
        (
            "a member who registers again is new",
            devices,
            "201 if paired.created else 200",
            "201",
            "a registration is answered with the vault's state",
        ),
        (
            "revoked devices look like members",
            devices,
            "None if member.revoked_at_ms is None else rfc3339(member.revoked_at_ms)",
            "None",
            "devices are listed in order of registration",
        ),
        (
            "no device shows its endorsement",
            devices,
            '"endorsement": endorsement\n        and',
            '"endorsement": None\n        and',
            "each device is listed with its endorsement",
        ),
        (
            "errors are plain JSON",
            HTTP / "responses.py",
            '"application/problem+json"',
            '"application/json"',
            "an error has its media type",
        ),
        (
            "an answer has a member more",
            snapshots,
            '{"epoch": epoch, "snapshot": found}',
            '{"epoch": epoch, "snapshot": found, "more": 1}',
            "every answer holds exactly the named members",
        ),
    ):
        yield RelayMutant(name, path, old, new, check)
