// A sandbox and a Belay of one's own: real processes on free ports, with their data in a folder that
// goes away. Nothing in here knows how either works inside; it reads only what they promise to write.

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(import.meta.url), "../..");
const binaries = {
  belay: process.env.TEST_BELAY_BIN || join(root, "target/debug/belay"),
  sandbox: process.env.TEST_SANDBOX_BIN || join(root, "target/debug/sandbox"),
};
const site = process.env.TEST_SITE_DIR || join(root, "target/site");

/** Both are ready in a second or two; a machine that also compiles may take much longer. */
const READY_MS = 60_000;
/** Belay finishes what it is telling AWS before it stops; more than this is a hang, and a failure. */
const STOP_MS = 15_000;

type Ports = Record<string, string>;

class Program {
  readonly name: "belay" | "sandbox";
  readonly process: ChildProcess;
  readonly log: string;
  #exit: Promise<void>;

  constructor(name: "belay" | "sandbox", args: string[], env: Record<string, string>, folder: string) {
    this.name = name;
    this.log = join(folder, `${name}.log`);
    this.process = spawn(binaries[name], args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const log = createWriteStream(this.log, { flags: "a" });
    this.process.stdout?.pipe(log, { end: false });
    this.process.stderr?.pipe(log, { end: false });
    this.#exit = new Promise((done) => {
      this.process.once("exit", () => done());
      this.process.once("error", () => done());
    });
  }

  get isRunning() {
    return this.process.exitCode === null && this.process.signalCode === null && this.process.pid !== undefined;
  }

  /** The ports it writes once it listens. */
  async ports(file: string): Promise<Ports> {
    await this.until(() => existsSync(file), "written its ports file");
    return JSON.parse(readFileSync(file, "utf8"));
  }

  async until(condition: () => boolean | Promise<boolean>, what: string) {
    const end = Date.now() + READY_MS;
    while (!(await condition())) {
      if (!this.isRunning || Date.now() > end) {
        const tail = existsSync(this.log) ? readFileSync(this.log, "utf8").split("\n").slice(-30).join("\n") : "";
        throw new Error(`${this.name} has not ${what}${this.isRunning ? ` in ${READY_MS} ms` : ", it has stopped"}:\n${tail}`);
      }
      await new Promise((next) => setTimeout(next, 200));
    }
  }

  async stop(signal: "SIGTERM" | "SIGKILL") {
    if (!this.isRunning) return;
    this.process.kill(signal);
    const late = setTimeout(() => this.process.kill("SIGKILL"), STOP_MS);
    await this.#exit;
    clearTimeout(late);
    if (signal === "SIGTERM" && this.process.signalCode === "SIGKILL") {
      throw new Error(`${this.name} did not stop within ${STOP_MS} ms of being asked to`);
    }
  }
}

/** What differs from the usual: flags of the sandbox, variables of Belay, and what it says if it is not to become ready. */
export type Setting = { sandbox?: string[]; belay?: Record<string, string>; says?: RegExp };

/** A sandbox that may be asked as often as anybody likes. */
export const unlimited = ["sso-admin", "identity-store", "organizations"].flatMap((api) => [`--${api}-rate`, "0"]);

export class World {
  /** Where people find Belay. */
  portal = "";
  /** The sandbox's addresses. */
  aws = "";
  oidc = "";
  control = "";
  #folder = mkdtempSync(join(tmpdir(), "belay-journey-"));
  #sandbox: Program | undefined;
  #belay: Program | undefined;
  #starts = 0;
  #setting: Setting;

  private constructor(setting: Setting) {
    this.#setting = setting;
  }

  static async begin(setting: Setting = {}): Promise<World> {
    const world = new World(setting);
    try {
      await world.#startSandbox();
      await world.startBelay();
      return world;
    } catch (problem) {
      await world.end();
      throw problem;
    }
  }

  async #startSandbox() {
    const file = join(this.#folder, "sandbox-ports.json");
    const args = ["serve", "--data", join(this.#folder, "sandbox"), "--ports-file", file];
    for (const port of ["--aws-port", "--oidc-port", "--control-port"]) args.push(port, "0");
    args.push(...(this.#setting.sandbox ?? []));
    this.#sandbox = new Program("sandbox", args, { PATH: process.env.PATH ?? "" }, this.#folder);
    const ports = await this.#sandbox.ports(file);
    this.aws = ports.aws ?? "";
    this.oidc = ports.oidc ?? "";
    this.control = ports.control ?? "";
  }

  /** Starts Belay; a second time on the port that it had, as a restart in place does. */
  async startBelay() {
    this.#starts += 1;
    const file = join(this.#folder, `belay-ports-${this.#starts}.json`);
    const port = this.portal ? new URL(this.portal).port : "0";
    const belay = new Program("belay", ["serve", "--role", "all", "--ports-file", file], this.#environment(port), this.#folder);
    this.#belay = belay;
    const ports = await belay.ports(file);
    this.portal = ports.portal ?? "";
    const { says } = this.#setting;
    if (says) await belay.until(() => says.test(readFileSync(belay.log, "utf8")), `said ${says}`);
    else await belay.until(() => this.#isReady(), "become ready");
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.portal}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
    } catch {
      return false;
    }
  }

  // The whole environment, not an addition to ours: a journey must not depend on a developer's AWS profile.
  #environment(port: string): Record<string, string> {
    return {
      PATH: process.env.PATH ?? "",
      AWS_ENDPOINT_URL: this.aws,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "sandbox",
      AWS_SECRET_ACCESS_KEY: "sandbox",
      AWS_EC2_METADATA_DISABLED: "true",
      BELAY_PUBLIC_URL: `http://localhost:${port}`,
      BELAY_LISTEN: `127.0.0.1:${port}`,
      BELAY_METRICS_LISTEN: "127.0.0.1:0",
      BELAY_POLICY: "server/sandbox/policy.toml",
      BELAY_TABLE: "belay",
      BELAY_AUDIT_BUCKET: "belay-audit",
      BELAY_INSTANCE_ARN: "arn:aws:sso:::instance/ssoins-6987a1b2c3d4e5f6",
      BELAY_IDENTITY_STORE_ID: "d-99670a1b2c",
      BELAY_ACCESS_PORTAL_URL: "https://d-99670a1b2c.awsapps.com",
      BELAY_PROTECTED_ACCOUNTS: "100000000001,666677778888",
      BELAY_OIDC_ISSUER: this.oidc,
      BELAY_OIDC_CLIENT_ID: "belay",
      BELAY_OIDC_CLIENT_SECRET: "belay-sandbox-secret",
      LEPTOS_SITE_ROOT: site,
      ...this.#setting.belay,
    };
  }

  /** `kill -9`: no chance to finish or to tidy. */
  async killBelay() {
    await this.#belay?.stop("SIGKILL");
  }

  /** The process, for whoever measures what it uses. */
  get belayPid(): number | undefined {
    return this.#belay?.process.pid;
  }

  /** What both have logged, for whoever looks at a failure. */
  get logs(): Record<string, string> {
    const programs = [this.#sandbox, this.#belay].filter((program) => program !== undefined);
    return Object.fromEntries(programs.map((program) => [`${program.name}.log`, readFileSync(program.log, "utf8")]));
  }

  async end() {
    try {
      await this.#belay?.stop("SIGTERM");
      await this.#sandbox?.stop("SIGTERM");
    } finally {
      if (process.env.KEEP_WORLD) console.log(`kept ${this.#folder}`);
      else rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}
