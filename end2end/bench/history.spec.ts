// What an auditor waits for when there is much history: the first page of each search that an index
// serves, one that none does, and the export of everything, with what that takes of memory.
//
// BENCH_REQUESTS says how many requests; filling the table with a million takes most of an hour.

import { expect, test } from "@playwright/test";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { World } from "../world.ts";
import { sleep } from "./crowd.ts";
import { signIn } from "./door.ts";
import { percentile } from "./figures.ts";

const requests = Number(process.env.BENCH_REQUESTS ?? 20_000);
/** Who may see it is asked of AWS each time, at its pace: faster than this the bench would wait for itself. */
const pauseMs = 250;
/** Enough that the slowest of them is not one unlucky moment. */
const rounds = Number(process.env.BENCH_ROUNDS ?? 100);

/** What the filler makes: 300 people, 300 accounts, 20 permission sets. */
const searches: [string, string][] = [
  ["nothing asked for", ""],
  ["a person", "?person=93a4c8d2-1011-70e2-3a5b-000000000011"],
  ["an account", "?account=100000000017"],
  ["a permission set", "?permission_set=arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0000000000000007"],
  ["a person and days", "?person=93a4c8d2-1011-70e2-3a5b-000000000011&from=2026-11-05&to=2026-11-06"],
  ["an account and a state", "?account=100000000017&state=denied"],
  ["no index: a text that nothing has", "?text=a+word+that+nobody+wrote"],
];

async function fill(world: World) {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const command = ["bench", "--locked", "--workspace", "--bench", "fill", "--", world.aws, `${requests}`];
  const filler = spawn("cargo", command, { cwd: root, stdio: ["ignore", "inherit", "ignore"] });
  const code = await new Promise((done) => filler.once("exit", done));
  expect(code, "the table is filled").toBe(0);
}

/** Megabytes that a process holds. */
function memoryOf(pid: number): number {
  const pages = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(pages) / 1024;
}

test("history, and all of it", async ({ playwright }) => {
  const nothingAdded = ["index-lag-ms-max", "conflict-percent", "latency-ms"];
  const world = await World.begin({
    sandbox: nothingAdded.flatMap((name) => [`--${name}`, "0"]),
    belay: { BELAY_LOG: "warn" },
  });
  try {
    await fill(world);
    const door = await playwright.request.newContext({ extraHTTPHeaders: { origin: world.portal } });
    await signIn(world, door, "hugo.martin");
    for (const [what, query] of searches) {
      const took: number[] = [];
      let rows = 0;
      for (let round = 0; round < rounds; round += 1) {
        const begun = performance.now();
        const answer = await door.get(`${world.portal}/history${query}`);
        const text = await answer.text();
        took.push(performance.now() - begun);
        expect(answer.status(), query).toBe(200);
        await sleep(pauseMs);
        rows = text.split('href="/requests/').length - 1;
      }
      const at = (share: number) => percentile(took, share).toFixed(0).padStart(5);
      console.log(`${what.padEnd(36)} p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  max ${at(1)} ms  ${rows} rows`);
    }

    // By hand: Playwright keeps what it gets whole.
    const cookies = (await door.storageState()).cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    const pid = world.belayPid ?? 0;
    for (const file of ["export.csv", "export.jsonl"]) {
      const before = memoryOf(pid);
      let most = before;
      const watch = setInterval(() => (most = Math.max(most, memoryOf(pid))), 50);
      const begun = performance.now();
      const answer = await fetch(`${world.portal}/history/${file}`, { headers: { cookie: cookies } });
      expect(answer.status, file).toBe(200);
      let lines = 0;
      let bytes = 0;
      for await (const part of answer.body ?? []) {
        bytes += part.length;
        for (const byte of part) if (byte === 10) lines += 1;
      }
      clearInterval(watch);
      const seconds = (performance.now() - begun) / 1000;
      const rows = file.endsWith("csv") ? lines - 1 : lines;
      expect(rows, file).toBeGreaterThanOrEqual(Math.min(requests, 1_000_000));
      console.log(
        `${file}: ${rows} rows, ${(bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s: ${(rows / seconds).toFixed(0)} rows/s; ` +
          `Belay held ${before.toFixed(0)} MB before and ${most.toFixed(0)} MB at most`,
      );
    }
  } finally {
    await world.end();
  }
});
