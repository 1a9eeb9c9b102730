// Programs that others wrote, as they come from their registries: run, waited for, and gone with the test.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Where `.ci/setup` puts them. */
const bin = process.env.TEST_JUDGES_BIN || resolve(fileURLToPath(import.meta.url), "../../../target/judges/bin");

/** Python that imports half a cloud takes some seconds; a machine that also compiles may take much longer. */
const READY_MS = 60_000;

/** How many lines of its log a failure shows. */
const TAIL = 30;

export class Program {
  /** Its own, for as long as it runs. */
  readonly folder = mkdtempSync(join(tmpdir(), "belay-judge-"));
  readonly #name: string;
  readonly #environment: Record<string, string>;
  #process: ChildProcess | undefined;

  constructor(name: string, environment: Record<string, string> = {}) {
    this.#name = name;
    this.#environment = { PATH: `${bin}:${process.env.PATH ?? ""}`, HOME: this.folder, ...environment };
  }

  /** Runs one of its commands to the end, and gives what it printed. */
  async run(args: string[], name = this.#name): Promise<string> {
    const options = { cwd: this.folder, env: this.#environment };
    return (await promisify(execFile)(join(bin, name), args, options)).stdout;
  }

  /** Serves until `stop`; is there once this address answers. */
  async serve(args: string[], ready: string) {
    const child = spawn(join(bin, this.#name), args, {
      cwd: this.folder,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    const log = createWriteStream(this.#log);
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    let failure = "";
    child.once("error", (error) => (failure = error.message));
    const end = Date.now() + READY_MS;
    while (!(await answers(ready))) {
      const ended = failure || child.exitCode !== null || child.signalCode !== null;
      if (ended || Date.now() > end) {
        const tail = readFileSync(this.#log, "utf8").split("\n").slice(-TAIL).join("\n");
        throw new Error(`${this.#name} does not serve ${ready}: ${failure || (ended ? "it ended" : "it is late")}\n${tail}`);
      }
      await new Promise((next) => setTimeout(next, 100));
    }
  }

  get #log(): string {
    return join(this.folder, "log");
  }

  async stop() {
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((done) => child.once("exit", done));
      child.kill("SIGKILL");
      await gone;
    }
    if (process.env.KEEP_WORLD) console.log(`kept ${this.folder}`);
    else rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Whatever it answers: it is there. */
async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return true;
  } catch {
    return false;
  }
}
