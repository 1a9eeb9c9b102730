// Many people, each with many grants: what the larger benches begin with.

import { expect, type PlaywrightWorkerArgs } from "@playwright/test";
import type { World } from "../world.ts";
import { signIn } from "./door.ts";

/** Every person may submit 30 requests an hour. */
export const each = 20;
/** People who ask at the same time: more than the quota lets through. */
const atOnce = 6;

export type State = {
  people: { user_name: string; status: string }[];
  accounts: { account_id: string }[];
  permission_sets: { name: string }[];
  assignments: { permission_set_arn: string; account_id: string; principal_type: string; principal_id: string }[];
};

export const now = () => performance.timeOrigin + performance.now();
export const sleep = (ms: number) => new Promise((next) => setTimeout(next, ms));

export async function stateOf<T extends State>(world: World): Promise<T> {
  return (await (await fetch(`${world.control}/state`)).json()) as T;
}

/** Assignments of people's own. */
export const own = (state: State) => state.assignments.filter((it) => it.principal_type === "USER").length;

/** So many targets that may be asked for. */
export function targetsOf(state: State, count: number): string[] {
  const closed = ["100000000001", "666677778888"];
  const accounts = state.accounts.map((it) => it.account_id).filter((it) => !closed.includes(it));
  const targets = state.permission_sets.flatMap((set) => accounts.map((account) => `${account}/${set.name}`)).slice(0, count);
  expect(targets.length).toBe(count);
  return targets;
}

/** Has so many grants asked for, and granted at once; `endOf` says when the nth is to end. */
export async function everybodyAsks(
  playwright: PlaywrightWorkerArgs["playwright"],
  world: World,
  state: State,
  grants: number,
  targets: string[],
  endOf: (n: number) => number,
) {
  const holders = Math.ceil(grants / each);
  const people = state.people.filter((it) => it.user_name.startsWith("person")).slice(0, holders);
  expect(people.length).toBe(holders);
  const queue = people.map((person, nth) => ({ person, nth }));
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const door = await playwright.request.newContext({ extraHTTPHeaders: { origin: world.portal } });
        await signIn(world, door, next.person.user_name);
        for (let n = next.nth * each; n < Math.min(grants, (next.nth + 1) * each); n += 1) {
          // A machine that is busy, or AWS's quota met by so many signing in, refuses now and then.
          await expect(async () => {
            const duration = Math.ceil((endOf(n) - now()) / 1000);
            expect(duration, "BENCH_SUBMITTING_MS is too short for this machine").toBeGreaterThan(20);
            const form = { duration: `${duration}`, reason: "all at once" };
            const asked = await door.post(`${world.portal}/access/${targets[n % targets.length]}`, { form, maxRedirects: 0 });
            expect(asked.headers()["location"] ?? `${asked.status()}`).toMatch(/^\/requests\//);
          }).toPass({ intervals: [1000], timeout: 60_000 });
        }
        await door.dispose();
      }
    }),
  );
}
