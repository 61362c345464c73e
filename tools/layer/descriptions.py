"""What the layer brings of botocore's descriptions of AWS: the calls that the relay makes, and nothing else.

botocore describes some four hundred services, and a client's making looks through their folders and reads where each is
served. Here are DynamoDB's and S3's calls without their documentation, and where these two are served: a fiftieth. They
are read first, and botocore's own for all that is not here (`relay/aws.py`).
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

CALLS: Mapping[str, tuple[str, ...]] = {
    "dynamodb/2012-08-10": (
        *("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"),
    ),
    "s3/2006-03-01": ("DeleteObject", "GetObject", "HeadObject", "ListObjectsV2", "PutObject"),
}
"""By service and version of its API."""


def write_descriptions(source: Path, target: Path) -> None:
    """Write to a new folder what is needed of the descriptions in botocore's folder `data`."""
    for service, calls in CALLS.items():
        (target / service).mkdir(parents=True)
        _write(target / service / "service-2.json", only(_read(source / service / "service-2.json"), calls))
    services = {service.partition("/")[0] for service in CALLS}
    _write(target / "endpoints.json", only_served(_read(source / "endpoints.json"), services))


def only(service: Mapping[str, Any], calls: tuple[str, ...]) -> dict[str, Any]:
    """Return a service's description with these calls alone, and the shapes that they name. Raises KeyError."""
    operations = {call: service["operations"][call] for call in calls}
    named: set[str] = set()
    left = list(_shapes(operations))
    while left:
        name = left.pop()
        if name not in named:
            named.add(name)
            left += _shapes(service["shapes"][name])
    shapes = {name: shape for name, shape in service["shapes"].items() if name in named}
    return {**service, "documentation": "", "operations": _undocumented(operations), "shapes": _undocumented(shapes)}


def only_served(endpoints: Mapping[str, Any], services: set[str]) -> dict[str, Any]:
    """Return, of each partition of AWS, its regions and where these services are served."""
    partitions = [
        {**one, "services": {name: where for name, where in one["services"].items() if name in services}}
        for one in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _shapes(described: Any) -> Iterator[str]:  # noqa: ANN401 -- any part of a description
    """Yield the names of the shapes that a part of a description refers to."""
    if isinstance(described, list):
        for one in described:
            yield from _shapes(one)
    elif isinstance(described, dict):
        for name, one in described.items():
            if name == "shape" and isinstance(one, str):
                yield one
            else:
                yield from _shapes(one)


def _undocumented(described: Any) -> Any:  # noqa: ANN401
    """Leave the documentation out. A member of that name is no text but an object, and stays."""
    if isinstance(described, list):
        return [_undocumented(one) for one in described]
    if not isinstance(described, dict):
        return described
    return {
        name: _undocumented(one)
        for name, one in described.items()
        if not (name == "documentation" and isinstance(one, str))
    }


def _read(path: Path) -> dict[str, Any]:
    packed = path.with_name(f"{path.name}.gz")
    read: dict[str, Any] = json.loads(gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes())
    return read


def _write(path: Path, described: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(described, separators=(",", ":")), "utf-8")
