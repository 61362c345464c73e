"""The contract of `relay.ports.Log`, whole. A backend's test module imports all of it and brings the fixture `log`."""

from tests.contract.log_changesets import TestAppend, TestPage
from tests.contract.log_devices import TestRegister, TestRoster, TestStanding
from tests.contract.log_retention import TestPrune
from tests.contract.log_snapshots import TestAnnounce, TestComplete
from tests.contract.log_vaults import TestErase, TestVault

__all__ = [
    "TestAnnounce",
    "TestAppend",
    "TestComplete",
    "TestErase",
    "TestPage",
    "TestPrune",
    "TestRegister",
    "TestRoster",
    "TestStanding",
    "TestVault",
]
