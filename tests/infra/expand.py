"""What CloudFormation makes of template.yaml: the transform of SAM, run here, without an account.

A script for the Python of .sam/, where SAM's translator is: `expand.py TEMPLATE REGION LAYER`, the last being the name
that `sam package` gave the layer's archive. Prints the expanded template as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

from boto3.session import Session
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


def main(path: str, region: str, layer: str) -> None:
    """Expand and print."""
    template: dict[str, Any] = yaml_parse(Path(path).read_text(encoding="utf-8"))
    for resource in template["Resources"].values():  # as `sam package` leaves them
        if resource["Type"] in _CODE:
            resource["Properties"][_CODE[resource["Type"]]] = "s3://packaged/code.zip"
    template["Resources"]["RelayLayer"]["Properties"]["ContentUri"] = f"s3://packaged/{layer}"
    chosen = {name: about["Default"] for name, about in template["Parameters"].items()}
    translator = Translator({}, Parser(), boto_session=Session(region_name=region))
    json.dump(translator.translate(template, chosen), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
