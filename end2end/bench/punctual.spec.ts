// How punctual an ordinary day is: so many grants live at once, three of them ending each second. Between
// the last start and the first end nothing happens at all, and that quiet is measured too: what an idle
// server with so many live grants costs of a processor, of AWS's quotas and of DynamoDB's units.
// BENCH_QUIET_ONLY=yes stops there: all end at once then, and how late is not asked.

import { expect, test } from "@playwright/test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { auditLog } from "../bucket.ts";
import { World } from "../world.ts";
import { each, everybodyAsks, now, own, sleep, stateOf, targetsOf } from "./crowd.ts";
import { percentile } from "./figures.ts";

const grants = Number(process.env.BENCH_GRANTS ?? 1000);
const endsASecond = 3;
/** Two live look-ups a request at 15 a second, and what the machine needs. */
const submittingMs = Number(process.env.BENCH_SUBMITTING_MS ?? 60_000 + grants * 200);
const quietMs = Number(process.env.BENCH_QUIET_MS ?? 120_000);
const quietOnly = process.env.BENCH_QUIET_ONLY === "yes";

type Call = { n: number; time: number; operation: string; outcome: string; input: Record<string, string> };

/** Processor time of a process, in milliseconds: Linux counts it in hundredths of a second. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

test("ends come on time", async ({ playwright }) => {
  const nothingAdded = ["operation-ms", "operation-jitter-ms", "lag-ms-max", "index-lag-ms-max", "conflict-percent", "latency-ms"];
  const world = await World.begin({
    sandbox: [...nothingAdded.flatMap((name) => [`--${name}`, "0"]), "--people", `${Math.ceil(grants / each) + 40}`],
    belay: { BELAY_POLICY: fileURLToPath(new URL("mass-end.toml", import.meta.url)), BELAY_LOG: "warn" },
  });
  try {
    const begun = await stateOf(world);
    const before = own(begun);
    const firstEnd = Math.ceil((now() + submittingMs + quietMs) / 1000) * 1000;
    await everybodyAsks(playwright, world, begun, grants, targetsOf(begun, 60), (n) => firstEnd + (quietOnly ? 0 : (n / endsASecond) * 1000));
    await expect.poll(async () => own(await stateOf(world)) - before, { intervals: [1000], timeout: firstEnd - now() }).toBe(grants);
    console.log(`${grants} grants are live ${((firstEnd - now()) / 1000).toFixed(0)} s before the first end`);

    // Bit by bit: the sandbox remembers the last 20,000 calls.
    let since = Number.MAX_SAFE_INTEGER;
    const look = async () => {
      const fresh = (await (await fetch(`${world.control}/calls?since=${since}`)).json()) as { calls: Call[]; last: number };
      since = fresh.last;
      return fresh.calls;
    };
    await look();
    // Everything that a start leaves behind has been shipped and forgotten.
    await sleep(15_000);
    await look();
    const quiet = new Map<string, number>();
    const used = processorMs(world.belayPid!);
    const at = now();
    while (now() < firstEnd - 5_000) {
      await sleep(1_000);
      for (const { operation } of await look()) quiet.set(operation, (quiet.get(operation) ?? 0) + 1);
    }
    const lasted = now() - at;
    const share = ((processorMs(world.belayPid!) - used) / lasted) * 100;
    console.log(`quiet for ${(lasted / 1000).toFixed(0)} s: ${share.toFixed(2)}% of a core`);
    for (const [operation, times] of [...quiet].sort()) {
      console.log(`  ${operation.padEnd(48)} ${String(times).padStart(6)}, ${Math.round((times * 86_400_000) / lasted)} a day`);
    }

    if (quietOnly) return;

    const deleted = new Map<string, number>();
    const find = async () => {
      for (const call of await look()) {
        if (call.operation !== "sso-admin:DeleteAccountAssignment" || call.outcome === "throttled") continue;
        const key = `${call.input["PrincipalId"]} ${call.input["TargetId"]} ${call.input["PermissionSetArn"]}`;
        if (!deleted.has(key)) deleted.set(key, call.time);
      }
      return deleted.size;
    };
    await expect.poll(find, { intervals: [1000], timeout: (grants / endsASecond) * 1000 + 180_000 }).toBe(grants);
    const records = await auditLog(world.aws);
    const late = records
      .filter((it) => it["kind"] === "grant.scheduled")
      .map((it) => {
        const key = `${it["sso_user_principal_id"]} ${it["account_id"]} ${it["permission_set_arn"]}`;
        return deleted.get(key)! - Date.parse(String(it["until"]));
      })
      .sort((a, b) => a - b);
    expect(late.length).toBe(grants);
    const ms = (share: number) => percentile(late, share).toFixed(0);
    console.log(`from the promised end to the delete call: p50 ${ms(0.5)} ms, p90 ${ms(0.9)} ms, p99 ${ms(0.99)} ms, worst ${ms(1)} ms`);
    for (const [from, to] of [[-1000, 0], [0, 10], [10, 20], [20, 50], [50, 100], [100, 200], [200, 500], [500, 1000], [1000, Number.POSITIVE_INFINITY]] as const) {
      const there = late.filter((it) => it >= from && it < to).length;
      console.log(`  ${`${from} to ${to} ms`.padEnd(20)} ${String(there).padStart(6)} ${"#".repeat(Math.ceil((there / grants) * 60))}`);
    }
  } finally {
    await world.end();
  }
});
