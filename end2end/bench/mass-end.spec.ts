// How long it takes to take away what ends in one and the same second: 1,200 grants of many people,
// one server, AWS's own limits. Prints figures, and fails only if something is not taken away.
//
// With d the time that AWS takes for each deletion, N of them, G the fewest reads that prove them (one
// a pair), W = 15 places and R = 20 calls a second, no server can be done sooner than
// B = max(sum(d) / W, (N + G) / R) + max(d). Polls are on the house.

import { expect, test } from "@playwright/test";
import { fileURLToPath } from "node:url";
import { auditLog } from "../bucket.ts";
import { World } from "../world.ts";
import { each, everybodyAsks, now, own, sleep, type State, stateOf, targetsOf } from "./crowd.ts";

const grants = Number(process.env.BENCH_GRANTS ?? 1200);
const meanMs = Number(process.env.BENCH_MEAN_MS ?? 3000);
const pairs = 60;
const places = 15;
const rate = 20;
/** Two live look-ups a request at 20 a second, and what the machine needs. */
const submittingMs = Number(process.env.BENCH_SUBMITTING_MS ?? 60_000 + grants * 150);

type Operation = { action: string; created: number; ends: number; triple: State["assignments"][number] };
type Worked = State & { operations: Operation[] };

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

test("everything ends in the same second", async ({ playwright }) => {
  const nothingAdded = ["operation-ms", "operation-jitter-ms", "lag-ms-max", "index-lag-ms-max", "conflict-percent", "latency-ms"];
  const holders = Math.ceil(grants / each);
  const world = await World.begin({
    sandbox: [...nothingAdded.flatMap((name) => [`--${name}`, "0"]), "--people", `${holders + 40}`],
    belay: { BELAY_POLICY: fileURLToPath(new URL("mass-end.toml", import.meta.url)), BELAY_LOG: "warn", BELAY_AWS_RATE: `${rate}` },
  });
  try {
    const state = () => stateOf<Worked>(world);
    const begun = await state();
    const before = own(begun);
    // Whole seconds: whoever asks in the middle of one gets the end in the middle of that one.
    const end = Math.ceil((now() + submittingMs) / 1000) * 1000;
    await everybodyAsks(playwright, world, begun, grants, targetsOf(begun, pairs), () => end);
    await expect.poll(async () => own(await state()) - before, { intervals: [1000], timeout: end - now() - 3000 }).toBe(grants);
    console.log(`${grants} grants of ${holders} people on ${pairs} pairs are there ${seconds(end - now())} before their end`);
    const slow = await fetch(`${world.control}/switches`, {
      method: "POST",
      body: JSON.stringify({ operation_ms: meanMs, operation_jitter_ms: Math.round(meanMs * 0.3) }),
    });
    expect(slow.ok, await slow.text()).toBe(true);

    const made = new Map<string, number>();
    // Bit by bit: the sandbox remembers the last 20,000 calls, the table's among them.
    let since = Number.MAX_SAFE_INTEGER;
    const count = async () => {
      type Calls = { calls: { operation: string; outcome: string }[]; last: number };
      const fresh = (await (await fetch(`${world.control}/calls?since=${since}`)).json()) as Calls;
      since = fresh.last;
      for (const { operation, outcome } of fresh.calls.filter((it) => it.operation.startsWith("sso-admin:"))) {
        const name = ["ok", "pending"].includes(outcome) ? operation : `${operation} (${outcome})`;
        made.set(name, (made.get(name) ?? 0) + 1);
      }
    };
    await count();
    await sleep(end - now());
    const patience = (grants * meanMs * 2) / places + 120_000;
    await expect.poll(async () => (await count(), own(await state())), { intervals: [2000], timeout: patience }).toBe(before);
    // The record is shipped in its own time.
    let ended: Record<string, unknown>[] = [];
    let untils: number[] = [];
    await expect
      .poll(
        async () => {
          await count();
          const records = await auditLog(world.aws);
          ended = records.filter((it) => it["kind"] === "grant.ended");
          untils = records.filter((it) => it["kind"] === "grant.scheduled").map((it) => Date.parse(String(it["until"])));
          return ended.length;
        },
        // Some 8,000 objects are read each time.
        { intervals: [10_000], timeout: 900_000 },
      )
      .toBe(grants);
    expect(ended.every((it) => it["access_is_gone"] === "true")).toBe(true);

    const first = Math.min(...untils);
    const spread = Math.max(...untils) - first;
    expect(spread, "all at once, as far as whole seconds and this machine allow").toBeLessThan(3000);
    const last = Math.max(...ended.map((it) => Date.parse(String(it["at"]))));
    const deletions = (await state()).operations.filter((it) => it.action === "delete");
    // An operation that waits for another on its pair has not begun.
    const free = new Map<string, number>();
    const drawn = [...deletions]
      .sort((a, b) => a.created - b.created)
      .map(({ triple, created, ends }) => {
        const pair = `${triple.account_id} ${triple.permission_set_arn}`;
        const begins = Math.max(created, free.get(pair) ?? 0);
        free.set(pair, Math.max(ends, free.get(pair) ?? 0));
        return ends - begins;
      });
    const sum = drawn.reduce((a, b) => a + b, 0);
    const longest = Math.max(...drawn);
    const bound = Math.max(sum / places, ((drawn.length + pairs) / rate) * 1000) + longest;
    const took = last - first;
    console.log(`${drawn.length} deletions, mean ${seconds(sum / drawn.length)}, longest ${seconds(longest)}; ${pairs} pairs`);
    console.log(`the ends are ${spread} ms apart, and counted from the first`);
    console.log(`from the end to the last stored receipt ${seconds(took)}; B = ${seconds(bound)}; ${(took / bound).toFixed(3)} B`);
    console.log([...made].map(([operation, times]) => `${operation} ${times}`).join(", "));
  } finally {
    await world.end();
  }
});
