"""§4 Signed requests: the components that a signature covers."""

from sync_relay_conformance.draft import besides, edited, without
from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay, encode


@check("4", "| `@method`, `@authority`, `@path` | always |")
def method_authority_and_path_are_always_covered(relay: Relay) -> None:
    vault = relay.found()
    for name in ("@method", "@authority", "@path"):
        vault.ask("GET", covers=without(name)).must_be(401, "signature_invalid")


@check("4", "| `@method`, `@authority`, `@path` | always |")
def what_is_sent_is_what_was_signed(relay: Relay) -> None:
    vault = relay.found()
    signed = vault.draft("GET")
    fields = signed.header_fields()
    for other in (
        signed.but(method="DELETE"),
        signed.but(path=f"{signed.path}/devices"),
        signed.but(path=f"{signed.path}/changesets", query=[("since", "0")]),
    ):
        relay.send(other.but(sent=lambda _: fields)).must_be(401, "signature_invalid")


@check("4", "| `@query-param` | one for each query parameter sent, with the component parameter `name`;")
def each_query_parameter_is_covered(relay: Relay) -> None:
    vault = relay.vault_of(1)
    query = [("since", "0"), ("limit", "1")]
    vault.ask("GET", "/changesets", query=query).must_be(200)
    for name in ("since", "limit"):
        left_out = f'"@query-param";name="{name}"'
        vault.ask(
            "GET",
            "/changesets",
            query=query,
            covers=lambda found, left_out=left_out: [one for one in found if one[0] != left_out],
        ).must_be(401, "signature_invalid")
    signed = vault.draft("GET", "/changesets", query=query)
    other = signed.but(query=[("since", "1"), ("limit", "1")], sent=lambda _: signed.header_fields())
    relay.send(other).must_be(401, "signature_invalid")


@check("4", "| `content-digest` | when the request has a body |")
def the_digest_of_a_body_is_covered(relay: Relay) -> None:
    vault = relay.found()
    vault.push(vault.founder.changeset(), covers=without("content-digest")).must_be(401, "signature_invalid")


@check("4", "| `if-match`, `authorization` | when the field is sent, also to an endpoint that knows nothing of it")
def if_match_and_authorization_are_covered_where_sent(relay: Relay) -> None:
    vault = relay.found()
    for name, value in (("if-match", '"a"'), ("authorization", "Bearer a")):
        vault.ask("GET", fields={name: value}).must_be(200)
        vault.ask("GET", fields={name: value}, covers=without(name)).must_be(401, "signature_invalid")
        vault.ask("GET", sent=lambda fields, sent=(name, value): [*fields, sent]).must_be(401, "signature_invalid")


@check("4", "(an `If-Match` there is otherwise ignored)")
def if_match_is_ignored_where_nobody_asked_for_it(relay: Relay) -> None:
    vault = relay.vault_of(1)
    for tag in ('"not the head"', 'W/"weak"', "no tag"):
        vault.ask("GET", "/changesets", fields={"if-match": tag}).must_be(200)
        vault.ask("GET", "", fields={"if-match": tag}).must_be(200)


@check("4", "| `content-type` | optional |")
def content_type_may_be_covered(relay: Relay) -> None:
    vault = relay.found()
    vault.push(vault.founder.changeset()).must_be(201)
    vault.push(vault.founder.changeset(), covers=without("content-type")).must_be(201)
    changed = edited("content-type", lambda _: "application/json; charset=utf-8")
    vault.push(vault.founder.changeset(), sent=changed).must_be(401, "signature_invalid")


@check("4", "Any other component is refused;")
def any_other_component_is_refused(relay: Relay) -> None:
    vault = relay.found()
    agent = {"user-agent": "a client"}
    vault.ask("GET", fields=agent).must_be(200)
    for more in (
        ('"user-agent"', "a client"),
        ('"host"', relay.address.authority),
        ('"@scheme"', relay.address.scheme),
        ('"@target-uri"', str(relay.address) + vault.path),
        ('"@request-target"', relay.address.base_path + vault.path),
        ('"@query"', "?"),
    ):
        vault.ask("GET", fields=agent, covers=besides(more)).must_be(401, "signature_invalid")


@check("4", "so are one that is covered twice and any component parameter but `@query-param`'s")
def no_component_is_covered_twice_or_with_a_parameter(relay: Relay) -> None:
    vault = relay.found()
    vault.ask("GET", covers=besides(('"@method"', "GET"))).must_be(401, "signature_invalid")
    twice = besides(('"@query-param";name="since"', "0"))
    vault.ask("GET", "/changesets", query=[("since", "0")], covers=twice).must_be(401, "signature_invalid")
    for parameter in (";req", ";sf", ";bs", ';key="a"'):
        given = besides((f'"content-type"{parameter}', "application/json"))
        vault.push(vault.founder.changeset(), covers=given).must_be(401, "signature_invalid")
    tagged = besides(('"@query-param";name="since";req', "0"))
    vault.ask("GET", "/changesets", query=[("since", "0")], covers=tagged).must_be(401, "signature_invalid")


@check("4", "The order is the client's.")
def components_may_come_in_any_order(relay: Relay) -> None:
    vault = relay.found()
    body = encode(vault.founder.changeset())
    vault.ask("POST", "/changesets", body, covers=lambda found: found[::-1]).must_be(201)
    query = [("limit", "1"), ("since", "0")]
    vault.ask("GET", "/changesets", query=query, covers=lambda found: found[::-1]).must_be(200)


@check("4", "or covers what was not sent or is not ASCII.")
def what_is_covered_must_have_been_sent(relay: Relay) -> None:
    vault = relay.found()
    for more in (('"if-match"', '"a"'), ('"content-type"', "application/json"), ('"@query-param";name="since"', "0")):
        vault.ask("GET", covers=besides(more)).must_be(401, "signature_invalid")
