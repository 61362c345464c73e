"""The route table (§7): which path takes which methods, and which function group answers it.

One Lambda function serves a group; API Gateway knows each `resource` with method ANY, so that the function itself
answers 405. The embedded server finds the function by `resolve`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from relay_protocol.encoding import is_thumbprint, is_uuid
from relay_protocol.errors import RouteNotFound

_FORM_OF_ID = {"vault_id": is_uuid, "device_id": is_thumbprint, "sha256": is_thumbprint}


@dataclass(frozen=True, slots=True)
class Route:
    """A resource of the API. `resource` is its template, as API Gateway writes it."""

    resource: str
    group: str
    methods: tuple[str, ...]

    def ids(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Return the ids that a path carries. Raises RouteNotFound where one has not the form of its kind."""
        ids = {name: parameters[name] for name in _FORM_OF_ID if name in parameters}
        if not all(_FORM_OF_ID[name](value) for name, value in ids.items()):
            raise RouteNotFound
        return ids

    def path(self, ids: Mapping[str, str]) -> str:
        """Return the path below the base path that carries these ids."""
        return self.resource.format_map(ids)


ROUTES: Mapping[str, Route] = {
    route.resource: route
    for route in (
        Route("/health", "vaults", ("GET",)),
        Route("/config", "vaults", ("GET",)),
        Route("/devices", "devices", ("POST",)),
        Route("/devices/{device_id}", "devices", ("GET",)),
        Route("/vaults/{vault_id}", "vaults", ("GET", "DELETE")),
        Route("/vaults/{vault_id}/devices", "devices", ("GET",)),
        Route("/vaults/{vault_id}/devices/{device_id}", "devices", ("DELETE",)),
        Route("/vaults/{vault_id}/changesets", "changesets", ("GET", "POST")),
        Route("/vaults/{vault_id}/snapshots", "snapshots", ("GET", "POST")),
        Route("/vaults/{vault_id}/snapshots/latest", "snapshots", ("GET",)),
        Route("/vaults/{vault_id}/snapshots/{sha256}", "snapshots", ("GET",)),
        Route("/vaults/{vault_id}/snapshots/{sha256}/complete", "snapshots", ("POST",)),
    )
}


def resolve(path: str) -> tuple[Route, dict[str, str]]:
    """Find the route of a path below the base path, and the ids in it, by their names in the template.

    Raises RouteNotFound for any other path, also where an id has not the form of its kind.
    """
    steps = path.split("/")
    for route, template in _TEMPLATES:
        parameters = _match(template, steps)
        if parameters is not None:
            return route, route.ids(parameters)
    raise RouteNotFound


# `/snapshots/latest` goes before `/snapshots/{sha256}`: a fixed step wins, as in API Gateway
_TEMPLATES = sorted(
    ((route, route.resource.split("/")) for route in ROUTES.values()), key=lambda entry: entry[0].resource.count("{")
)


def _match(template: list[str], steps: list[str]) -> dict[str, str] | None:
    """Return the steps that stand for a template's parameters; None if the fixed ones differ."""
    if len(template) != len(steps):
        return None
    parameters = {}
    for expected, step in zip(template, steps, strict=True):
        if expected.startswith("{"):
            parameters[expected[1:-1]] = step
        elif expected != step:
            return None
    return parameters
