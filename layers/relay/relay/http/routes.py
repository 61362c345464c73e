"""The route table (§7): which path takes which methods, and which function group answers it.

One Lambda function serves a group; API Gateway knows each `resource` with method ANY, so that the function itself
answers 405. The embedded server finds the function by `resolve`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from relay_protocol.encoding import is_thumbprint, is_uuid
from relay_protocol.errors import RouteNotFound


@dataclass(frozen=True, slots=True)
class Route:
    """A resource of the API. `resource` is its template, as API Gateway writes it."""

    resource: str
    group: str
    methods: tuple[str, ...]


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

_FORM_OF_ID = {"{vault_id}": is_uuid, "{device_id}": is_thumbprint, "{sha256}": is_thumbprint}


def resolve(path: str) -> tuple[Route, dict[str, str]]:
    """Find the route of a path below the base path, and the ids in it, by their names in the template.

    Raises RouteNotFound for any other path, also where an id has not the form of its kind.
    """
    steps = path.split("/")
    for resource, template in _TEMPLATES:
        ids = _match(template, steps)
        if ids is not None:
            return ROUTES[resource], ids
    raise RouteNotFound


_TEMPLATES = sorted(((resource, resource.split("/")) for resource in ROUTES), key=lambda entry: "{sha256}" in entry[0])


def _match(template: list[str], steps: list[str]) -> dict[str, str] | None:
    if len(template) != len(steps):
        return None
    ids = {}
    for expected, step in zip(template, steps, strict=True):
        if expected in _FORM_OF_ID:
            if not _FORM_OF_ID[expected](step):
                return None
            ids[expected[1:-1]] = step
        elif expected != step:
            return None
    return ids
