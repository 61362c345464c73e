"""The contract of `relay.ports.Log`, whole. A backend's test module imports all of it and brings the fixture `log`."""

from tests.contract.log_append_races import TestAppendRaces
from tests.contract.log_changesets import TestAppend, TestPage
from tests.contract.log_devices import TestRegister, TestRoster, TestStanding
from tests.contract.log_retention import TestPrune
from tests.contract.log_snapshots import TestAnnounce, TestComplete
from tests.contract.log_vault_races import TestAnnounceRaces, TestErasureRaces, TestPairingRaces, TestRevocationRaces
from tests.contract.log_vaults import TestErase, TestVault

__all__ = [
    "TestAnnounce",
    "TestAnnounceRaces",
    "TestAppend",
    "TestAppendRaces",
    "TestComplete",
    "TestErase",
    "TestErasureRaces",
    "TestPage",
    "TestPairingRaces",
    "TestPrune",
    "TestRegister",
    "TestRevocationRaces",
    "TestRoster",
    "TestStanding",
    "TestVault",
]
