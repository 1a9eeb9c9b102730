// How long people wait for Belay itself: one server, a sandbox that adds nothing, 100 approvals one
// after another. From the approver's click to `CreateAccountAssignment` arriving at AWS, and from the
// end of a grant to `DeleteAccountAssignment` arriving there. All clocks are this machine's.

import { type APIRequestContext, expect, test } from "@playwright/test";
import { fileURLToPath } from "node:url";
import { auditLog } from "../bucket.ts";
import { World } from "../world.ts";
import { signIn } from "./door.ts";
import { percentile } from "./figures.ts";

const approvals = Number(process.env.BENCH_APPROVALS ?? 100);
/** Every person may submit 30 requests an hour. */
const requesters = ["ana.silva", "ben.okafor", "carla.rossi", "dmitri.volkov"];
const seconds = 20;

type Call = { n: number; time: number; ms: number; operation: string; input: Record<string, string>; outcome: string };
type Grant = { request?: string | undefined; account: string; set: string; person: string; clicked: number; created?: Call; until?: number; deleted?: Call };

async function calls(world: World, since: number): Promise<{ calls: Call[]; last: number }> {
  return (await fetch(`${world.control}/calls?since=${since}`)).json() as Promise<{ calls: Call[]; last: number }>;
}

function line(what: string, values: number[]): string {
  const at = (share: number) => percentile(values, share).toFixed(0).padStart(6);
  return `${what.padEnd(48)} n=${values.length} p50 ${at(0.5)} ms  p90 ${at(0.9)} ms  p99 ${at(0.99)} ms  max ${at(1)} ms`;
}

test("from click to grant, from end to deletion", async ({ playwright }) => {
  const nothingAdded = ["operation-ms", "operation-jitter-ms", "lag-ms-max", "index-lag-ms-max", "conflict-percent", "latency-ms"];
  // AWS's quotas are part of it. Six look-ups for a request and its approval are all that 20 calls a
  // second bear at three of them a second: BENCH_UNLIMITED shows what is Belay's own.
  const unlimited = Boolean(process.env["BENCH_UNLIMITED"]);
  const quotas = unlimited ? ["--sso-admin-rate", "0", "--identity-store-rate", "0"] : [];
  const world = await World.begin({
    sandbox: [...nothingAdded.flatMap((name) => [`--${name}`, "0"]), ...quotas],
    belay: {
      BELAY_POLICY: fileURLToPath(new URL("policy.toml", import.meta.url)),
      BELAY_LOG: "warn",
      ...(unlimited ? { BELAY_AWS_RATE: "500" } : {}),
    },
  });
  try {
    const state = (await (await fetch(`${world.control}/state`)).json()) as {
      accounts: { account_id: string }[];
      people: { user_id: string; user_name: string }[];
      permission_sets: { arn: string; name: string }[];
      assignments: Record<string, string>[];
    };
    // What somebody already has is theirs: AWS is never asked to create it, so there is nothing to time.
    for (const standing of state.assignments.filter((it) => it["principal_type"] === "USER")) {
      const { account_id, permission_set_arn, principal_type, principal_id } = standing;
      const response = await fetch(`${world.control}/assignments`, {
        method: "DELETE",
        body: JSON.stringify({ account_id, permission_set_arn, principal_type, principal_id }),
      });
      expect(response.ok, await response.text()).toBe(true);
    }
    const userId = new Map(state.people.map((person) => [person.user_name, person.user_id]));
    const set = new Map(state.permission_sets.map((it) => [it.name, it.arn]));
    const closed = ["100000000001", "666677778888"];
    const accounts = state.accounts.map((it) => it.account_id).filter((it) => !closed.includes(it));
    const targets = ["ReadOnlyAccess", "PowerUserAccess", "Billing"].flatMap((name) => accounts.map((account) => ({ account, name })));

    const doors = new Map<string, APIRequestContext>();
    for (const userName of [...requesters, "emma.lindqvist"]) {
      const door = await playwright.request.newContext({ extraHTTPHeaders: { origin: world.portal } });
      await signIn(world, door, userName);
      doors.set(userName, door);
    }
    const emma = doors.get("emma.lindqvist")!;

    const grants: Grant[] = [];
    const seen: Call[] = [];
    let since = 0;
    const look = async () => {
      const fresh = await calls(world, since);
      // What is still being answered is looked at again, to see how it was answered.
      const firstPending = fresh.calls.findIndex((call) => call.outcome === "pending");
      const done = firstPending < 0 ? fresh.calls : fresh.calls.slice(0, firstPending);
      since = firstPending < 0 ? fresh.last : (done.at(-1)?.n ?? since);
      seen.push(...done);
    };
    const find = (operation: string, grant: Grant) =>
      seen.find(
        (call) =>
          call.operation === operation &&
          call.outcome === "ok" &&
          call.input["TargetId"] === grant.account &&
          call.input["PermissionSetArn"] === set.get(grant.set) &&
          call.input["PrincipalId"] === userId.get(grant.person),
      );

    // A request and its approval take six look-ups. Faster than twice and a half a second they drain
    // what AWS allows of the Identity Store, whatever Belay does, and BENCH_PAUSE_MS=0 measures that
    // quota: a click then waits for four of them. No approver reads faster than this.
    const pause = Number(process.env["BENCH_PAUSE_MS"] ?? 500);
    for (let i = 0; i < approvals; i += 1) {
      await new Promise((done) => setTimeout(done, pause));
      const person = requesters[i % requesters.length]!;
      const target = targets[Math.floor(i / requesters.length)]!;
      const path = `${world.portal}/access/${target.account}/${target.name}`;
      const asked = await doors.get(person)!.post(path, { form: { duration: `${seconds}`, reason: `bench ${i}` }, maxRedirects: 0 });
      expect(asked.status(), await asked.text()).toBe(303);
      const id = /\/requests\/([^?]+)/.exec(asked.headers()["location"] ?? "")?.[1];
      const grant: Grant = { request: id, account: target.account, set: target.name, person, clicked: performance.timeOrigin + performance.now() };
      const approved = await emma.post(`${world.portal}/requests/${id}`, { form: { act: "approve", note: "" }, maxRedirects: 0 });
      expect(approved.status()).toBe(303);
      grants.push(grant);
      await expect
        .poll(async () => (await look(), (grant.created = find("sso-admin:CreateAccountAssignment", grant))), {
          intervals: [20],
          timeout: 60_000,
          message: `approval ${i}: ${person}, ${target.name} in ${target.account}`,
        })
        .toBeTruthy();
    }
    await expect
      .poll(async () => (await look(), grants.every((grant) => (grant.deleted = find("sso-admin:DeleteAccountAssignment", grant)))), {
        intervals: [500],
        timeout: 300_000,
      })
      .toBe(true);

    // The promised end stands in the record of the promise.
    const records = await auditLog(world.aws);
    for (const grant of grants) {
      const promise = records.find((it) => it["kind"] === "grant.scheduled" && it["belay_request_id"] === grant.request);
      grant.until = Date.parse(String(promise?.["until"]));
    }
    console.log(line("click to CreateAccountAssignment", grants.map((it) => it.created!.time - it.clicked)));
    console.log(line("end of the grant to DeleteAccountAssignment", grants.map((it) => it.deleted!.time - it.until!)));
    if (process.env["BENCH_TRACE"]) {
      // What was asked of AWS between the click and the creation, of the grant in the middle.
      const grant = [...grants].sort((a, b) => a.created!.time - a.clicked - b.created!.time + b.clicked)[Math.floor(grants.length / 2)]!;
      for (const call of seen.filter((it) => it.time >= grant.clicked && it.time <= grant.created!.time)) {
        const what = JSON.stringify(call.input["Key"] ?? call.input["ExpressionAttributeValues"] ?? "").slice(0, 90);
        console.log(`${(call.time - grant.clicked).toFixed(1).padStart(7)} ms  ${call.ms.toFixed(1).padStart(6)} ms  ${call.operation} ${what}`);
      }
    }
    const asked = new Map<string, number>();
    for (const { operation } of seen) asked.set(operation, (asked.get(operation) ?? 0) + 1);
    const ofIdentity = [...asked].filter(([operation]) => /^(sso-admin|identitystore):/.test(operation));
    console.log(ofIdentity.map(([operation, times]) => `${operation} ${times}`).join(", "));
    for (const door of doors.values()) await door.dispose();
  } finally {
    await world.end();
  }
});
