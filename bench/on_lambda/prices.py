"""What a request costs and how long it takes on Lambda, by its measured units, trips and processor time.

Prices, and what a store takes to answer, are assumptions: there is no account to read them from. So is the model of a
function's speed. Lambda gives a function processor time in proportion to its memory, one whole processor at 1,769 MB
(AWS Lambda Developer Guide, "Configure Lambda function memory"). Here a processor of Lambda is taken to be as quick as
the one that the run was on, and a second one to bring nothing: Python runs one thread at a time. INIT is taken to have
a whole processor whatever the memory, as those who measure Lambda report and AWS does not promise. INIT is billed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

MILLION = 1_000_000
GB = 10**9
MIB_A_GB = 1024
"""Lambda bills memory in GB of 1,024 MB."""

# US dollars, list prices of eu-central-1 as remembered in November 2026, without free tiers: assumptions
WRITE_UNIT = 0.7625 / MILLION
READ_UNIT = 0.1525 / MILLION
API_REQUEST = 3.70 / MILLION
LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
S3_PUT = 5.4 / MILLION
OUT_GB = 0.09
TABLE_GB_MONTH = 0.306 + 0.2448  # and what recovery to a point in time keeps of it
BUCKET_GB_MONTH = 0.0245
LOG_GB = 0.63
SECRET_MONTH = 0.40
ALARM_METRIC_MONTH = 0.10
DASHBOARD_MONTH = 3.00

# Assumptions, too
TRIP_MS = 5.0
"""A store's answer, from within its region: DynamoDB promises single-digit milliseconds."""
COLD_SHARE = 0.01
"""Of requests that meet a new instance."""
LOGGED_BYTES = 500
HEADERS_OUT_BYTES = 400

WHOLE_PROCESSOR_MIB = 1769
SETTINGS_MIB = (256, 512, 768, 1024, 1280, 1536, 1769, 2048, 3008)
"""Memory settings that are compared; 256 is the least that the template takes."""
ROOM = 1.5
"""How many times the most memory that was measured has to fit."""


@dataclass(frozen=True)
class Taken:
    """What a request takes: processor time warm, in INIT and with a cold first request, units, trips, bytes out."""

    cpu_ms: float
    init_cpu_ms: float
    first_cpu_ms: float
    writes: float
    reads: float
    trips: float
    bytes_out: float
    puts: float = 0


@dataclass(frozen=True)
class Bill:
    """Of one request, in US dollars."""

    store: float
    api: float
    function: float
    beside: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.store + self.api + self.function + self.beside


def processor_share(memory_mib: float) -> float:
    """Return how much of a processor a function has, as far as one thread can use it."""
    return min(1.0, memory_mib / WHOLE_PROCESSOR_MIB)


def warm_ms(taken: Taken, memory_mib: float) -> float:
    """Return how long an instance that runs already takes to answer."""
    return taken.trips * TRIP_MS + taken.cpu_ms / processor_share(memory_mib)


def cold_ms(taken: Taken, memory_mib: float) -> float:
    """Return how long the first answer of a new instance takes, INIT included; not what Lambda needs to make room."""
    return taken.init_cpu_ms + taken.trips * TRIP_MS + taken.first_cpu_ms / processor_share(memory_mib)


def mean_ms(taken: Taken, memory_mib: int) -> float:
    """Return what requests take on average, with the share of cold ones; it is what is billed, too."""
    return (1 - COLD_SHARE) * warm_ms(taken, memory_mib) + COLD_SHARE * cold_ms(taken, memory_mib)


def function_bill(taken: Taken, memory_mib: int, architecture: str = "arm64") -> float:
    """Return what Lambda bills for a request. Each is billed in whole milliseconds."""
    warm, cold = math.ceil(warm_ms(taken, memory_mib)), math.ceil(cold_ms(taken, memory_mib))
    seconds = ((1 - COLD_SHARE) * warm + COLD_SHARE * cold) / 1000
    return LAMBDA_REQUEST + seconds * memory_mib / MIB_A_GB * LAMBDA_GB_SECOND[architecture]


def bill(taken: Taken, memory_mib: int, architecture: str = "arm64") -> Bill:
    """Return what a request costs."""
    return Bill(
        taken.writes * WRITE_UNIT + taken.reads * READ_UNIT + taken.puts * S3_PUT,
        API_REQUEST,
        function_bill(taken, memory_mib, architecture),
        (taken.bytes_out + HEADERS_OUT_BYTES) / GB * OUT_GB + LOGGED_BYTES / GB * LOG_GB,
    )


def mixed(parts: Sequence[tuple[float, Taken]]) -> Taken:
    """Return the average of requests, each with its weight."""
    whole = sum(weight for weight, _ in parts)

    def mean(name: str) -> float:
        return sum(weight * float(getattr(taken, name)) for weight, taken in parts) / whole

    names = ("cpu_ms", "init_cpu_ms", "first_cpu_ms", "writes", "reads", "trips", "bytes_out", "puts")
    return Taken(*map(mean, names))


def best_memory(taken: Taken, peak_mib: float, architecture: str = "arm64") -> int:
    """Return the setting that is best where time and money count alike.

    It is the one whose bill and mean time, each as a share of the dearest and the slowest setting's, have the least
    sum: the balanced strategy of AWS Lambda Power Tuning. What has no room for the memory that was measured is out.
    """
    fitting = [memory for memory in SETTINGS_MIB if memory >= peak_mib * ROOM]
    bills = {memory: function_bill(taken, memory, architecture) for memory in fitting}
    times = {memory: mean_ms(taken, memory) for memory in fitting}
    return min(fitting, key=lambda memory: bills[memory] / max(bills.values()) + times[memory] / max(times.values()))
