"""§4 Signed requests: authority, path and query as the client sent them."""

from sync_relay_conformance.draft import encoded
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import NotApplicable


def needs_host(vault: Vault, host: str) -> None:
    """Raise NotApplicable where the relay, or what is before it, does not answer to this `Host`."""
    answer = vault.ask("GET", authority=host)
    if answer.status != 200:
        raise NotApplicable(f"there is no answer to the Host {host}: {answer.outcome}")


@check("4", "**`@authority`** is the `Host` that the client sent, in lower case, without a default port.")
def the_authority_is_the_host_in_lower_case(relay: Relay) -> None:
    vault = relay.found()
    host = relay.address.authority if relay.address.authority.upper() != relay.address.authority else "relay.example"
    needs_host(vault, host)
    vault.ask("GET", authority=host.upper()).must_be(200)


@check("4", "`:80` and `:443` both count as default ports")
def the_authority_is_without_a_default_port(relay: Relay) -> None:
    vault = relay.found()
    host = relay.address.authority.partition(":")[0]
    needs_host(vault, host)
    for port in (":80", ":443"):
        vault.ask("GET", authority=host + port).must_be(200)


@check("4", "in lower case, without a default port")
def the_authority_is_the_relay_s_and_no_other(relay: Relay) -> None:
    vault = relay.found()

    def elsewhere(components: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(name, "relay.invalid" if name == '"@authority"' else value) for name, value in components]

    vault.ask("GET", covers=elsewhere).must_be(401, "signature_invalid")


@check("4", "with any stage or base path in front")
def the_path_is_the_whole_one(relay: Relay) -> None:
    vault = relay.found()

    def below(components: list[tuple[str, str]]) -> list[tuple[str, str]]:
        cut = relay.address.base_path or "/vaults"
        return [(name, value.removeprefix(cut) if name == '"@path"' else value) for name, value in components]

    vault.ask("GET").must_be(200)
    vault.ask("GET", covers=below).must_be(401, "signature_invalid")


@check("4", "No endpoint but §7.7 takes any.", "One that is unknown, or sent twice, is 400 before the signature is")
def an_unknown_or_repeated_query_parameter_is_malformed(relay: Relay) -> None:
    vault = relay.found()
    asked = (
        ("", [("since", "0")]),
        ("/devices", [("limit", "1")]),
        ("/snapshots", [("a", "")]),
        ("/changesets", [("colour", "blue")]),
        ("/changesets", [("since", "0"), ("since", "0")]),
        ("/changesets", [("Since", "0")]),
    )
    for below, query in asked:
        vault.ask("GET", below, query=query).must_be(400, "malformed_request")
        relay.ask(None, "GET", vault.path + below, query=query).must_be(400, "malformed_request")


@check("4", "name and value encoded as RFC 9421 §2.2.8 says")
def a_query_parameter_is_covered_as_it_is_encoded(relay: Relay) -> None:
    vault = relay.found()
    for value in ("a b", "é~*", "%41", "0+0"):
        answer = vault.pull(since=value)
        answer.must_point_at("/since")
        wrong = '"@query-param";name="since"', value
        covers = [wrong]
        if value != encoded(value):
            vault.ask(
                "GET", "/changesets", query=[("since", value)], covers=lambda found, more=covers: [*found[:3], *more]
            ).must_be(401, "signature_invalid")
