"""How large the layer and the functions are: as they lie in an instance, and as the zip that is uploaded."""

import io
import zipfile
from pathlib import Path


def sizes(folder: Path) -> dict[str, int]:
    """Return a folder's files, their bytes, and those of a zip of it as `sam deploy` makes one."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(folder))
    unzipped = sum(path.stat().st_size for path in files)
    return {"files": len(files), "unzipped_bytes": unzipped, "zip_bytes": len(packed.getvalue())}
