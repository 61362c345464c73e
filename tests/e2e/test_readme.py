"""What the README shows is what happens."""

import re
from pathlib import Path

import pytest

from sync_relay_client import RelayClient
from tests.e2e.conftest import StartRelay

README = Path(__file__).parents[2] / "README.md"


def test_the_example_runs_as_it_stands(start_relay: StartRelay, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    exec(example.replace("http://127.0.0.1:8787", start_relay().url), names)
    for name in ("laptop", "phone"):
        client = names[name]
        assert isinstance(client, RelayClient)
        client.close()
    assert capsys.readouterr().out == '2 grocer b\'{"amount":"12.50"}\'\n'
