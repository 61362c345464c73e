"""The API leads each route to the one function that answers it, and speaks the protocol where it answers by itself."""

import json
from typing import Any

from relay.http.routes import ROUTES
from relay_protocol.errors import all_errors
from relay_protocol.limits import Limits
from tests.infra.deployed import GROUPS, Deployed, deployed, expanded
from tests.infra.resources import ANY_METHOD

LAMBDA_PAYLOAD_BYTES = 6_291_556
"""What Lambda takes and gives, the event around the body included."""
EVENT_BYTES = 64 * 1024
"""Far more than an event without its body: API Gateway takes 10,240 bytes of header fields."""
OWN_CODE = "api_key_required"
"""The one code that is the gateway's alone."""


def test_each_route_of_the_code_is_there_and_leads_to_its_function(on_dynamodb: Deployed) -> None:
    client = on_dynamodb.client("apigateway")
    made = client.get_resources(restApiId=on_dynamodb.ids["Api"], limit=500)["items"]
    integrations = {
        one["path"]: one["resourceMethods"]["ANY"]["methodIntegration"] for one in made if one.get("resourceMethods")
    }
    functions = {group: on_dynamodb.function(group)["FunctionArn"] for group in GROUPS}
    assert integrations.keys() == ROUTES.keys()
    for path, integration in integrations.items():
        assert integration["type"].upper() == "AWS_PROXY"
        assert f"/functions/{functions[ROUTES[path].group]}:live/invocations" in integration["uri"]


def test_a_function_may_be_called_by_this_api_alone(on_dynamodb: Deployed) -> None:
    client, api = on_dynamodb.client("lambda"), on_dynamodb.ids["Api"]
    for group in GROUPS:
        policy = json.loads(client.get_policy(FunctionName=on_dynamodb.function(group)["FunctionName"])["Policy"])
        (statement,) = policy["Statement"]
        if group == "maintenance":
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        else:
            assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
            assert f":{api}/" in statement["Condition"]["ArnLike"]["AWS:SourceArn"]


def test_every_route_but_health_needs_the_key(on_dynamodb: Deployed) -> None:
    for path, methods in body_of(on_dynamodb)["paths"].items():
        expected: list[Any] = [] if path == "/health" else [{"api_key": []}]
        assert methods[ANY_METHOD]["security"] == expected, path
    scheme = body_of(on_dynamodb)["components"]["securitySchemes"]["api_key"]
    assert scheme == {"type": "apiKey", "name": "x-api-key", "in": "header"}
    (plan,) = on_dynamodb.of_type("AWS::ApiGateway::UsagePlan").values()
    (key,) = on_dynamodb.of_type("AWS::ApiGateway::UsagePlanKey").values()
    assert plan["Throttle"] == {"RateLimit": 50, "BurstLimit": 100}
    assert key["KeyType"] == "API_KEY"


def test_an_api_without_a_key_is_had_by_parameter() -> None:
    with deployed(ApiKeyRequired="no", VaultCreation="open") as stack:
        assert {str(one[ANY_METHOD]["security"]) for one in body_of(stack)["paths"].values()} == {"[]"}
        assert not stack.of_type("AWS::ApiGateway::UsagePlan")
        assert "ApiKeyCommand" not in stack.outputs
        assert "RELAY_VAULT_TOKEN" not in stack.environment("devices")


def test_bodies_go_through_as_bytes_and_fit(on_dynamodb: Deployed) -> None:
    """As text, a body that is not UTF-8 would be changed on its way, and its digest with it."""
    assert body_of(on_dynamodb)["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    for limit in (Limits().max_body_bytes, Limits().max_page_bytes):
        as_base64 = -(-limit // 3) * 4
        assert as_base64 + EVENT_BYTES < LAMBDA_PAYLOAD_BYTES


def test_the_stage_logs_no_path_address_key_or_body(on_dynamodb: Deployed) -> None:
    (stage,) = on_dynamodb.of_type("AWS::ApiGateway::Stage").values()
    told = set(json.loads(stage["AccessLogSetting"]["Format"]).values())
    assert told == {
        "$context.extendedRequestId",
        "$context.integration.requestId",
        "$context.httpMethod $context.resourcePath",
        "$context.status",
        "$context.error.responseType",
        "$context.responseLatency",
        "$context.integration.latency",
        "$context.responseLength",
    }
    (settings,) = stage["MethodSettings"]
    assert (settings["DataTraceEnabled"], settings["LoggingLevel"]) == (False, "OFF")
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (50, 100)
    assert not stage.get("TracingEnabled")


def test_the_role_that_the_stage_logs_by_is_set_first() -> None:
    """Without one in the account no stage with an access log can be made."""
    assert "${GatewayAccount}" in json.dumps(expanded()["Resources"]["Api"]["Properties"]["Description"])


def test_what_the_gateway_answers_by_itself_is_a_problem_of_the_protocol(on_dynamodb: Deployed) -> None:
    known = {kind.code: kind for kind in all_errors()}
    for name, response in responses_of(on_dynamodb).items():
        (template,) = response["responseTemplates"].values()
        problem = json.loads(template)
        headers = {
            key.removeprefix("gatewayresponse.header."): value.strip("'")
            for key, value in response["responseParameters"].items()
        }
        assert problem["status"] == int(response["statusCode"]), name
        assert headers["Content-Type"] == "application/problem+json", name
        if problem["code"] == OWN_CODE:
            assert problem["status"] == 403
            continue
        error = known[problem["code"]]
        assert (problem["title"], problem["status"]) == (error.title, error.status), name
        assert ("Retry-After" in headers) == (error.status in {429, 503}), name
        assert headers.get("Retry-After", "1").isdigit()


def test_which_answer_is_which(on_dynamodb: Deployed) -> None:
    codes = {
        name: json.loads(next(iter(response["responseTemplates"].values())))["code"]
        for name, response in responses_of(on_dynamodb).items()
    }
    assert codes == {
        "DEFAULT_4XX": "malformed_request",
        "DEFAULT_5XX": "unavailable",
        "INTEGRATION_FAILURE": "unavailable",
        "INTEGRATION_TIMEOUT": "unavailable",
        "INVALID_API_KEY": OWN_CODE,
        "MISSING_AUTHENTICATION_TOKEN": "route_not_found",
        "RESOURCE_NOT_FOUND": "route_not_found",
        "QUOTA_EXCEEDED": "rate_limited",
        "THROTTLED": "rate_limited",
        "REQUEST_TOO_LARGE": "body_too_large",
        "UNSUPPORTED_MEDIA_TYPE": "unsupported_media_type",
    }
    too_large = responses_of(on_dynamodb)["REQUEST_TOO_LARGE"]["responseTemplates"]["application/json"]
    assert json.loads(too_large)["limit"] == Limits().max_body_bytes


def test_a_domain_of_ones_own_takes_the_place_of_amazons() -> None:
    certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/any"
    with deployed(DomainName="relay.example", CertificateArn=certificate) as stack:
        (domain,) = stack.of_type("AWS::ApiGateway::DomainName").values()
        assert domain["SecurityPolicy"] == "TLS_1_2"
        assert len(stack.of_type("AWS::ApiGateway::BasePathMapping")) == 1
        assert not stack.of_type("AWS::Route53::RecordSet"), "its zone is elsewhere"
        (server,) = body_of(stack)["servers"]
        assert server["x-amazon-apigateway-endpoint-configuration"] == {"disableExecuteApiEndpoint": True}
        assert stack.outputs["Url"] == "https://relay.example"
        assert stack.outputs["InitCommand"].endswith("https://relay.example")


def test_the_outputs_tell_a_device_what_to_do(on_dynamodb: Deployed) -> None:
    url = f"https://{on_dynamodb.ids['Api']}.execute-api.eu-central-1.amazonaws.com/v1"
    command = f"sync-relay init --api-key-file relay.key --token-file relay.token {url}"
    assert on_dynamodb.outputs["InitCommand"] == command
    assert "relay.key" in on_dynamodb.outputs["ApiKeyCommand"]
    assert "relay.token" in on_dynamodb.outputs["VaultTokenCommand"]


def body_of(stack: Deployed) -> dict[str, Any]:
    found: dict[str, Any] = stack.of_type("AWS::ApiGateway::RestApi")["Api"]["Body"]
    return found


def responses_of(stack: Deployed) -> dict[str, Any]:
    found: dict[str, Any] = body_of(stack)["x-amazon-apigateway-gateway-responses"]
    return found
