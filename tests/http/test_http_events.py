"""The shapes in which API Gateway and the embedded server hand a request over: all are the same request."""

from typing import Any

import pytest

from tests.http.events import Event, drop_header
from tests.http.world import NOW_SECONDS, Vault


def _push_event(vault: Vault, **knobs: Any) -> Event:
    body = vault.founder.changeset(1)
    return vault.world.draft(vault.founder, "POST", f"{vault.path}/changesets", body, **knobs).event()


def _pull_event(vault: Vault, **knobs: Any) -> Event:
    query = [("since", "0"), ("limit", "10")]
    return vault.world.draft(vault.founder, "GET", f"{vault.path}/changesets", query=query, **knobs).event()


@pytest.mark.parametrize("stage", ["", "/prod", "/base/path", "/vaults"])
def test_the_signed_path_is_the_one_the_client_sent(vault: Vault, stage: str) -> None:
    assert vault.world.handle(_push_event(vault, stage=stage)).status == 201


def test_a_path_signed_without_its_stage_is_refused(vault: Vault) -> None:
    event = _push_event(vault)
    event["requestContext"]["path"] = "/prod" + event["requestContext"]["path"]
    assert vault.world.handle(event).code == "signature_invalid"


def test_a_context_without_path_leaves_the_events_own(vault: Vault) -> None:
    event = _push_event(vault)
    del event["requestContext"]["path"]
    assert vault.world.handle(event).status == 201


def test_a_greedy_resource_is_routed_by_what_it_caught(vault: Vault) -> None:
    event = _push_event(vault, stage="/base")
    event |= {"resource": "/{proxy+}", "pathParameters": {"proxy": event["path"].removeprefix("/")}}
    event["path"] = "/base" + event["path"]
    assert vault.world.handle(event).status == 201


@pytest.mark.parametrize("parameters", [{"vault_id": "NOT-A-UUID"}, {"vault_id": ""}, {"vault_id": "../x"}])
def test_an_id_that_the_gateway_let_through_is_judged(vault: Vault, parameters: dict[str, str]) -> None:
    event = _push_event(vault)
    event["pathParameters"] = parameters
    assert vault.world.handle(event).outcome == (404, "route_not_found")


def test_header_fields_with_one_value_each_are_enough(vault: Vault) -> None:
    event = _push_event(vault) | {"multiValueHeaders": None}
    assert vault.world.handle(event).status == 201


def test_query_parameters_with_one_value_each_are_enough(vault: Vault) -> None:
    event = _pull_event(vault) | {"multiValueQueryStringParameters": None}
    assert vault.world.handle(event).status == 200


def test_names_of_header_fields_have_no_case(vault: Vault) -> None:
    event = _push_event(vault)
    event["multiValueHeaders"] = {name.title(): value for name, value in event["multiValueHeaders"].items()}
    assert vault.world.handle(event).status == 201


def test_several_values_of_a_field_are_one_list(vault: Vault) -> None:
    tag = f'"{vault.head()["chain"]}"'
    draft = vault.world.draft(
        vault.founder,
        "POST",
        f"{vault.path}/changesets",
        vault.founder.changeset(1),
        headers={"If-Match": f"{tag}, {tag}"},
    )
    draft.after_signing.append(lambda event: event["multiValueHeaders"].update({"if-match": [tag, tag]}))
    assert vault.world.send(draft).outcome == (400, "malformed_request")


def test_a_second_signature_field_is_a_second_signature(vault: Vault) -> None:
    event = _push_event(vault)
    for name in ("signature", "signature-input"):
        value = event["multiValueHeaders"][name][0]
        event["multiValueHeaders"][name] = [value, value.replace("sig=", "other=", 1)]
    assert vault.world.handle(event).code == "signature_required"


def test_white_space_around_a_field_is_not_of_its_value(vault: Vault) -> None:
    event = _push_event(vault)
    event["multiValueHeaders"] = {name: [f" {value[0]}\t"] for name, value in event["multiValueHeaders"].items()}
    assert vault.world.handle(event).status == 201


@pytest.mark.parametrize("host", ["relay.example", "RELAY.Example", "relay.example:443", "relay.example:80"])
def test_a_host_is_the_same_in_capitals_and_with_its_default_port(vault: Vault, host: str) -> None:
    event = _push_event(vault)
    event["multiValueHeaders"]["host"] = [host]
    assert vault.world.handle(event).status == 201


@pytest.mark.parametrize("host", ["other.example", "relay.example:8443", "relay.example."])
def test_a_request_signed_for_another_host_is_refused(vault: Vault, host: str) -> None:
    event = _push_event(vault)
    event["multiValueHeaders"]["host"] = [host]
    assert vault.world.handle(event).code == "signature_invalid"


def test_behind_a_proxy_the_public_url_is_what_was_signed(vault: Vault) -> None:
    vault.world.configure(public_url="https://Sync.Example:443")
    event = _push_event(vault, headers={"Host": "sync.example"})
    event["multiValueHeaders"]["host"] = ["internal:8787"]
    assert vault.world.handle(event).status == 201


def test_a_request_without_host_is_served_or_refused_never_broken(vault: Vault) -> None:
    vault.snapshot(b"blob")
    draft = vault.world.draft(vault.founder, "GET", f"{vault.path}/snapshots/latest", headers={"Host": ""})
    draft.after_signing.append(drop_header("host"))
    assert vault.world.send(draft).status < 500


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "/nothing",
        "/health/",
        "//health",
        "/Health",
        "/vaults",
        "/vaults/",
        "/vaults/{}/",
        "/vaults/{}/unknown",
        "/vaults/{}/changesets/1",
        "/vaults/{}/snapshots/{}",
        "/vaults/{}/snapshots/latest/complete",
        "/vaults/%7B%7D",
        "/vaults/{}/changesets\n",
    ],
)
def test_another_path_is_no_route(vault: Vault, path: str) -> None:
    answer = vault.world.call(vault.founder, "GET", path.replace("{}", vault.id))
    assert answer.outcome == (404, "route_not_found")


@pytest.mark.parametrize("vault_id", ["upper", "braces", "no hyphens", "short"])
def test_a_vault_id_of_another_form_is_no_route(vault: Vault, vault_id: str) -> None:
    forms = {
        "upper": vault.id.upper(),
        "braces": f"{{{vault.id}}}",
        "no hyphens": vault.id.replace("-", ""),
        "short": vault.id[:-1],
    }
    assert vault.world.call(vault.founder, "GET", f"/vaults/{forms[vault_id]}").code == "route_not_found"


@pytest.mark.parametrize("shift", [-300, 0, 300])
def test_a_signature_within_the_clock_skew_is_good(vault: Vault, shift: int) -> None:
    assert vault.call("GET", created=NOW_SECONDS + shift).status == 200


@pytest.mark.parametrize("shift", [-301, 301, -(10**14), 10**14])
def test_a_signature_past_the_clock_skew_is_not(vault: Vault, shift: int) -> None:
    assert vault.call("GET", created=NOW_SECONDS + shift).code == "signature_expired"


def test_the_clock_skew_is_configurable(vault: Vault) -> None:
    vault.world.configure(clock_skew_seconds=10)
    assert vault.call("GET", created=NOW_SECONDS - 10).status == 200
    assert vault.call("GET", created=NOW_SECONDS - 11).code == "signature_expired"


@pytest.mark.parametrize("event", [{}, {"resource": "/health"}, {"resource": None, "path": None, "httpMethod": None}])
def test_what_is_no_event_at_all_is_answered_all_the_same(vault: Vault, event: Event) -> None:
    from relay.http import gateway
    from relay.http.vaults import ENDPOINTS

    assert gateway.handle(vault.world.relay, ENDPOINTS, event)["statusCode"] in {404, 405, 500}
