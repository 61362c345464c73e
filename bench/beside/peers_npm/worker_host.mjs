// Runs worker.mjs in workerd by Miniflare. Arguments: a folder for the data, a port.
import { readFileSync } from "node:fs";
import { Miniflare } from "miniflare";

const [folder, port] = process.argv.slice(2);
const host = new Miniflare({
  host: "127.0.0.1",
  port: Number(port),
  cf: false,
  modules: true,
  script: readFileSync(new URL("worker.mjs", import.meta.url), "utf8"),
  compatibilityDate: "2026-07-01",
  d1Databases: { DB: "bench" },
  d1Persist: `${folder}/d1`,
  r2Buckets: { BLOBS: "bench" },
  r2Persist: `${folder}/r2`,
});
await host.ready;
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => host.dispose().then(() => process.exit(0)));
