// Evolu's relay as its package starts it. Arguments: a folder for the data, a port.
import { mkdirSync } from "node:fs";
import { createConsole } from "@evolu/common";
import { createRelayDeps, createRun, startRelay } from "@evolu/nodejs";

const [folder, port] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
process.chdir(folder);

await using run = createRun({ ...createRelayDeps(), console: createConsole() });
await using disposer = new AsyncDisposableStack();
disposer.use(await run.orThrow(startRelay({ port: Number(port), isOwnerWithinQuota: () => true })));
await run.deps.shutdown;
