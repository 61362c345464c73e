"""`python -m tools.audit.sbom FOLDER`, by the Python of .audit/: what a relay, the layer and the client are made of.

One bill of materials each, in CycloneDX 1.6, from the hash locks alone: the same locks give the same bytes, anywhere
and at any time. Each is validated against the schema before it is written. A component's hashes are those of all the
files of it that the lock lets be installed; they are no external references, whose URLs take a validator minutes.
"""

import json
import re
import sys
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from tools.audit.locks import ROOT, Locked, read_lock

BILLS = {
    "server": ("sync-relay", ["run", "aws"]),
    "layer": ("sync-relay-layer", ["layer"]),
    "client": ("sync-relay-client", ["client"]),
}
"""By the file's name: what it is of, and the locks that name what that needs."""
LICENCE = "Apache-2.0"


class InvalidBillError(Exception):
    """A bill that the schema of CycloneDX does not allow."""


def main(folder: Path) -> None:
    """Write all bills into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (subject, locks) in BILLS.items():
        text = bill(subject, locks)
        (folder / f"{name}.cdx.json").write_text(text, "utf-8")
        print(f"{name}.cdx.json: {len(json.loads(text)['components'])} components")


def bill(subject: str, locks: list[str]) -> str:
    """Return a bill of materials as JSON. Raises InvalidBillError."""
    licences = json.loads((ROOT / "requirements" / "licences.json").read_text("utf-8"))
    packages = {(package.name, package.version): package for lock in locks for package in read_lock(lock)}
    root = Component(name=subject, version=_version(), type=ComponentType.APPLICATION, bom_ref=subject)
    root.licenses.add(LicenseFactory().make_from_string(LICENCE))
    made = Bom(components=[_component(package, licences[package.name]) for package in packages.values()])
    made.metadata.component = root
    made.metadata.timestamp = None  # a bill of the same locks is the same bill
    made.register_dependency(root, made.components)
    made.serial_number = uuid5(NAMESPACE_URL, repr((subject, root.version, sorted(packages.values(), key=repr))))
    text: str = JsonV1Dot6(made).output_as_string(indent=2)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise InvalidBillError(str(fault))
    return text + "\n"


def _component(package: Locked, licence: str) -> Component:
    url = PackageURL("pypi", None, package.name, package.version)
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in package.hashes]
    component = Component(name=package.name, version=package.version, purl=url, bom_ref=str(url), hashes=hashes)
    component.licenses.add(LicenseFactory().make_from_string(licence))
    if package.condition:
        component.properties.add(Property(name="sync-relay:condition", value=package.condition))
    return component


def _version() -> str:
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert found is not None, "pyproject.toml names a version"
    return found[1]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
