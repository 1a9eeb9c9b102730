// Belay ships its audit log to SeaweedFS's S3: signatures that are checked, puts that are conditional,
// versions, and a retention that nobody can shorten.

import { type Browser, expect, test as base } from "@playwright/test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { auditLog } from "../bucket.ts";
import { Person, paymentsRead } from "../journey.ts";
import { type Setting, World } from "../world.ts";
import { Program } from "./program.ts";
import { freePort } from "./sign-in.ts";

type Version = { key: string; version: string; type: string; mode: string; body: string };
type Record = { id: string; kind: string; stream: string; seq: number; prev_hash: string; hash: string };

const script = fileURLToPath(new URL("./bucket.py", import.meta.url));

class SeaweedFs extends Program {
  url = "";

  constructor() {
    super("weed");
  }

  async begin() {
    const identity = {
      name: "belay",
      credentials: [{ accessKey: "sandbox", secretKey: "sandbox" }],
      actions: ["Admin", "Read", "Write", "List", "Tagging"],
    };
    writeFileSync(join(this.folder, "s3.json"), JSON.stringify({ identities: [identity] }));
    // Each of its parts has a second port 10,000 further up, and there are 65,535 in all.
    const ports: number[] = [];
    while (ports.length < 4) {
      const port = await freePort();
      ports.push(port > 55_000 ? port - 20_000 : port);
    }
    const [master, volume, filer, s3] = ports;
    this.url = `http://127.0.0.1:${s3}`;
    await this.serve(
      [
        ...["server", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=50", "-master.volumeSizeLimitMB=16"],
        ...[`-master.port=${master}`, `-volume.port=${volume}`, "-filer", `-filer.port=${filer}`],
        ...["-s3", `-s3.port=${s3}`, "-s3.config=s3.json"],
        // What else it offers would listen where every other one of them does.
        ...["-s3.port.iceberg=0", "-s3.port.lance=0"],
      ],
      this.url,
    );
    // It listens before it can store anything.
    await expect(async () => void (await this.bucket("create"))).toPass({ timeout: 30_000 });
  }

  /** What the script beside this one prints. */
  async bucket<T>(command: "create" | "read" | "tamper"): Promise<T> {
    return JSON.parse(await this.run([script, this.url, command], "python")) as T;
  }
}

const read = async (s3: SeaweedFs) => (await s3.bucket<{ versions: Version[] }>("read")).versions;
const records = (versions: Version[]) => versions.map((version) => JSON.parse(version.body) as Record);
const kinds = (versions: Version[]) => records(versions).map((record) => record.kind);

type Fixtures = { s3: SeaweedFs; setting: Setting; world: World };

const test = base.extend<{}, Fixtures>({
  s3: [
    async ({}, use) => {
      const s3 = new SeaweedFs();
      try {
        await s3.begin();
        await use(s3);
      } finally {
        await s3.stop();
      }
    },
    { scope: "worker", timeout: 90_000 },
  ],
  setting: [
    async ({ s3 }, use) => {
      const belay = { AWS_ENDPOINT_URL_S3: s3.url, AWS_SECRET_ACCESS_KEY: "guessed" };
      // Objects are judged here, and not how slow AWS is.
      await use({ belay, sandbox: ["--operation-ms", "100", "--operation-jitter-ms", "0", "--lag-ms-max", "0"] });
    },
    { scope: "worker" },
  ],
  world: [
    async ({ setting }, use) => {
      const world = await World.begin(setting);
      await use(world);
      await world.end();
    },
    { scope: "worker", timeout: 90_000 },
  ],
});

// Each of these goes on from where the one before it ended.
test.describe.configure({ mode: "serial" });

type Call = { input: { [member: string]: unknown }; outcome: string };

/** What was asked of the sandbox's table to forget since then: outbox entries whose event was shipped. */
async function calls(world: World, since: number): Promise<{ calls: Call[]; last: number }> {
  const answer = await fetch(`${world.control}/calls?since=${since}&operation=dynamodb:DeleteItem`);
  return (await answer.json()) as { calls: Call[]; last: number };
}

async function invite(userName: string, browser: Browser, world: World): Promise<Person> {
  const context = await browser.newContext();
  const person = new Person(await context.newPage(), userName, world);
  await person.open("/");
  return person;
}

test("a wrong secret ships nothing, and loses nothing", async ({ browser, world, s3 }) => {
  const person = await invite("ana.silva", browser, world);
  await person.ask(paymentsRead, 20, "INC-1: judged by another S3");
  await expect(() => expect(world.logs["belay.log"]).toMatch(/S3 did not take the object \(SignatureDoesNotMatch\)/)).toPass();
  expect(await read(s3)).toEqual([]);
  await person.page.context().close();
});

test("with the right one, what has waited is shipped: once, whole, and locked", async ({ world, setting, s3 }) => {
  await world.killBelay();
  setting.belay = { ...setting.belay, AWS_SECRET_ACCESS_KEY: "sandbox" };
  await world.startBelay();
  await expect.poll(async () => kinds(await read(s3)), { timeout: 20_000 }).toContain("request.submitted");
  const versions = await read(s3);
  expect(new Set(versions.map((version) => version.key)).size, "one version each").toBe(versions.length);
  for (const version of versions) {
    expect(version).toMatchObject({ type: "application/json", mode: "COMPLIANCE" });
    const record = JSON.parse(version.body) as Record;
    expect(version.key).toMatch(new RegExp(`^audit/\\d{4}/\\d{2}/\\d{2}/${record.id}\\.json$`));
  }
  // None of it went to the sandbox's bucket, or this judged nothing.
  expect(await auditLog(world.aws)).toEqual([]);
});

test("an object that is there already is compared, and is not written again", async ({ browser, world, s3 }) => {
  const person = await invite("carla.rossi", browser, world);
  // The object is put, and Belay cannot write down that it was, however often its SDK tries: the next
  // time it must find its own object, and be content.
  const fault = { operation: "dynamodb:DeleteItem", kind: "error", error: "InternalServerError", times: 6 };
  // Counted from before the fault is there: it may befall a pack of what happened earlier.
  const { last } = await calls(world, 0);
  await fetch(`${world.control}/faults`, { method: "POST", body: JSON.stringify(fault) });
  const before = (await read(s3)).length;
  await person.ask(paymentsRead, 20, "INC-2: judged by another S3");
  await person.page.context().close();

  const undelivered = async () => {
    const tries = (await calls(world, last)).calls.map((call) => ({ entry: JSON.stringify(call.input["Key"]), outcome: call.outcome }));
    const refused = tries.filter((call) => call.outcome !== "ok").map((call) => call.entry);
    const done = new Set(tries.filter((call) => call.outcome === "ok").map((call) => call.entry));
    return { refused: refused.length, waiting: refused.filter((entry) => !done.has(entry)).length };
  };
  await expect.poll(undelivered, { timeout: 40_000 }).toEqual({ refused: fault.times, waiting: 0 });
  const versions = await read(s3);
  expect(versions.length).toBeGreaterThan(before);
  expect(new Set(versions.map((version) => version.key)).size, "one version each").toBe(versions.length);
});

test("nobody can take a record away, or put another in its place", async ({ s3 }) => {
  const tampered = await s3.bucket("tamper");
  expect(tampered).toEqual({
    answers: {
      "put where something is": "PreconditionFailed",
      "delete the version": "AccessDenied",
      "delete it past governance": "AccessDenied",
      shorten: "AccessDenied",
      weaken: "AccessDenied",
      // As in AWS, these two are not refused: they add a version and a marker.
      overwrite: "done",
      delete: "done",
    },
    "first version is the record": true,
  });
});
