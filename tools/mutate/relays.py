"""All bugs that are seeded into a relay."""

from tools.mutate import relay_mutants_of_core as core
from tools.mutate import relay_mutants_of_http as http
from tools.mutate import relay_mutants_of_protocol as protocol
from tools.mutate import relay_mutants_of_stores as stores

RELAY_MUTANTS = (*core.mutants(), *http.mutants(), *stores.mutants(), *protocol.mutants())
