"""`make aws-stores`: DynamoDB and S3 on stand-ins, and a template for `sam local` whose functions use them.

They run until Ctrl-C, and hold nothing afterwards. The template is the one that `sam build` made, with every variable
of its functions written out, and where the stand-ins listen, which no deployment has.
"""

from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import yaml

from tools.emulator.built import BUILT, CREDENTIALS, FUNCTION_TYPE, Built
from tools.stand_ins.aws import ACCESS_KEY, SECRET_KEY, dynamodb_served, s3_served
from tools.stand_ins.stores import Stores

LOCAL = BUILT / "local.yaml"


def main() -> None:
    """Run until interrupted."""
    with dynamodb_served() as dynamodb_url, s3_served() as s3_url, closing(Stores(dynamodb_url, s3_url)) as stores:
        LOCAL.write_text(yaml.safe_dump(local_template(stores.variables), sort_keys=False), "utf-8")
        print(f"DynamoDB at {dynamodb_url}, S3 at {s3_url}, until Ctrl-C. In another terminal:\n")
        print(
            f"export AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={SECRET_KEY} AWS_DEFAULT_REGION=eu-central-1"
        )
        print(f"T={LOCAL.relative_to(Path.cwd())}", flush=True)
        try:
            Event().wait()
        except KeyboardInterrupt:
            print()


def local_template(given: dict[str, str], folder: Path = BUILT) -> dict[str, Any]:
    """Return the built template with the functions' variables written out."""
    built = Built(folder, VaultCreation="open", ApiKeyRequired="no")
    template: dict[str, Any] = yaml.safe_load((folder / "template.yaml").read_text("utf-8"))
    template["Globals"]["Function"].pop("Environment", None)
    for name, resource in template["Resources"].items():
        if resource["Type"] == FUNCTION_TYPE:
            function = built.functions[name.removesuffix("Function").lower()]
            variables = {
                key: value for key, value in built.variables(function, given).items() if key not in CREDENTIALS
            }
            resource["Properties"]["Environment"] = {"Variables": variables}
    return template


if __name__ == "__main__":
    main()
