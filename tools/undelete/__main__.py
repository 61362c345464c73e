"""`python -m tools.undelete BUCKET TIME`: take away the delete markers that are newer than TIME.

TIME is that to which the table was restored, as RFC 3339 (`2026-11-28T12:00:00Z`). Region and credentials are those of
the environment. Repeating it is safe; what nobody names, retention removes again.
"""

import sys
from datetime import datetime
from typing import Any

import botocore.session


def main(bucket: str, time: str) -> None:
    """Bring the objects back and tell how many there are."""
    since = datetime.fromisoformat(time)
    if since.tzinfo is None:
        sys.exit("TIME needs a time zone, such as Z")
    client = botocore.session.get_session().create_client("s3")
    print(f"{undelete(client, bucket, since)} objects are there again")


def undelete(client: Any, bucket: str, since: datetime) -> int:  # noqa: ANN401 -- botocore has no types
    """Remove each delete marker that hides an object since then; return how many there were."""
    count = 0
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for marker in page.get("DeleteMarkers", ()):
            if marker["IsLatest"] and marker["LastModified"] > since:
                client.delete_object(Bucket=bucket, Key=marker["Key"], VersionId=marker["VersionId"])
                count += 1
    return count


if __name__ == "__main__":
    main(*sys.argv[1:])
