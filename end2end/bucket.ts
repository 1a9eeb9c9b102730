// Reads the audit bucket as an outsider with credentials would: S3's own protocol, signed by hand
// (AWS Signature Version 4), so that not even an SDK stands between the journey and the record.

import { createHash, createHmac } from "node:crypto";

const region = "eu-central-1";
const credentials = { id: "sandbox", secret: "sandbox" };

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

async function get(url: URL): Promise<string> {
  const time = new Date().toISOString().replace(/[:-]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const headers: Record<string, string> = {
    host: url.host,
    "x-amz-content-sha256": sha256(""),
    "x-amz-date": time,
  };
  const names = Object.keys(headers).sort();
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join("&");
  const canonical = [
    "GET",
    url.pathname,
    query,
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    sha256(""),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${credentials.secret}`);
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  const { host: _set_by_fetch, ...sent } = headers;
  url.search = query;
  const response = await fetch(url, {
    headers: {
      ...sent,
      authorization: `AWS4-HMAC-SHA256 Credential=${credentials.id}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
    },
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`GET ${url.pathname}: ${response.status} ${body}`);
  return body;
}

export type AuditRecord = Record<string, unknown>;

/** Every record of the audit log, oldest first. */
export async function auditLog(aws: string, bucket = "belay-audit", prefix = "audit/"): Promise<AuditRecord[]> {
  const keys: string[] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const list = new URL(`/${bucket}`, aws);
    list.searchParams.set("list-type", "2");
    list.searchParams.set("prefix", prefix);
    if (after) list.searchParams.set("start-after", after);
    const page = await get(list);
    keys.push(...[...page.matchAll(/<Key>([^<]+)<\/Key>/g)].map((match) => match[1] ?? ""));
    after = page.includes("<IsTruncated>true</IsTruncated>") ? keys.at(-1) : undefined;
  }
  // The name of each is a UUIDv7, so that the order of names is the order of time.
  keys.sort();
  const records: AuditRecord[] = [];
  for (let first = 0; first < keys.length; first += 16) {
    const some = keys.slice(first, first + 16).map(async (key) => JSON.parse(await get(new URL(`/${bucket}/${key}`, aws))) as AuditRecord);
    records.push(...(await Promise.all(some)));
  }
  return records;
}
