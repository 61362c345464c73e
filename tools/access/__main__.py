"""Print the page of who may do what: `python -m tools.access > docs/who-may-do-what.md`."""

import sys

from tools.access.document import document

if __name__ == "__main__":
    sys.stdout.write(document())
