"""Print the OpenAPI 3.1 document: `python -m tools.openapi > schema/openapi.json`."""

import json
import sys

from tools.openapi.document import document

if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1, ensure_ascii=False, sort_keys=False)
    sys.stdout.write("\n")
