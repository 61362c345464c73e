// The least relay that does this project's work as a Cloudflare Worker: rows in D1, blobs in R2, signatures by WebCrypto.
// Written for the comparison. A signature is Ed25519 over "METHOD path-with-query\n" and the body's SHA-256.
const TABLES = [
  "CREATE TABLE devices (vault TEXT, device TEXT, key TEXT, PRIMARY KEY (vault, device)) WITHOUT ROWID",
  `CREATE TABLE changesets (vault TEXT, seq INTEGER, id TEXT, text TEXT, received_at TEXT, PRIMARY KEY (vault, seq),
   UNIQUE (vault, id)) WITHOUT ROWID`,
];
// Places are given in the same statement that stores, so that two pushes never get the same one.
const PUSH = `INSERT INTO changesets
  SELECT ?1, (SELECT coalesce(max(seq), 0) FROM changesets WHERE vault = ?1) + key + 1, value ->> 'id', value, ?3
  FROM json_each(?2) RETURNING id, seq, received_at`;
const PULL = "SELECT seq, received_at, text FROM changesets WHERE vault = ? AND seq > ? ORDER BY seq LIMIT ?";

const decoded = (base64url) => Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const keys = new Map();

async function keyOf(env, vault, device) {
  const row = await env.DB.prepare("SELECT key FROM devices WHERE vault = ? AND device = ?").bind(vault, device).first();
  if (!row) return null;
  if (!keys.has(row.key)) keys.set(row.key, await crypto.subtle.importKey("raw", decoded(row.key), "Ed25519", false, ["verify"]));
  return keys.get(row.key);
}

async function isSigned(request, url, body, key) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const head = new TextEncoder().encode(`${request.method} ${url.pathname}${url.search}\n`);
  const signed = new Uint8Array([...head, ...digest]);
  return crypto.subtle.verify("Ed25519", key, decoded(request.headers.get("x-signature")), signed);
}

async function push(env, vault, body) {
  const text = new TextDecoder().decode(body);
  const { changesets } = JSON.parse(text);
  if (!Array.isArray(changesets) || changesets.length > 100) return new Response(null, { status: 422 });
  const rows = await env.DB.prepare(PUSH).bind(vault, JSON.stringify(changesets), new Date().toISOString()).all();
  return Response.json({ receipts: rows.results }, { status: 201 });
}

async function pull(env, vault, url) {
  const limit = Math.min(Number(url.searchParams.get("limit")), 500);
  const rows = await env.DB.prepare(PULL).bind(vault, Number(url.searchParams.get("since")), limit).all();
  const changesets = rows.results.map(({ seq, received_at, text }) => ({ seq, received_at, ...JSON.parse(text) }));
  return Response.json({ changesets, cursor: changesets.at(-1)?.seq });
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const [, kind, vault, what, name] = url.pathname.split("/");
    if (kind === "health") return new Response("ok");
    if (kind === "tables") {
      await env.DB.batch(TABLES.map((table) => env.DB.prepare(table)));
      return new Response("ok", { status: 201 });
    }
    if (what === "devices") {
      const { device, key } = await request.json();
      await env.DB.prepare("INSERT INTO devices VALUES (?, ?, ?)").bind(vault, device, key).run();
      return new Response(null, { status: 201 });
    }
    const key = await keyOf(env, vault, request.headers.get("x-device"));
    if (!key) return new Response(null, { status: 404 });
    // A blob passes by as a stream, as it does where its URL is presigned: R2 holds it against the hash in its name.
    const isUpload = what === "blobs" && request.method === "PUT";
    const body = isUpload ? new Uint8Array() : new Uint8Array(await request.arrayBuffer());
    if (!(await isSigned(request, url, body, key))) return new Response(null, { status: 401 });
    if (isUpload) {
      await env.BLOBS.put(`${vault}/${name}`, request.body, { sha256: name });
      return new Response(null, { status: 201 });
    }
    if (what === "blobs") return new Response((await env.BLOBS.get(`${vault}/${name}`)).body);
    if (request.method === "POST") return push(env, vault, body);
    return pull(env, vault, url);
  },
};
