// Belay reads an organisation and its people from moto, as AWS's own client put them there: pages of
// lists, units that nest, tags, e-mails, memberships.
//
// For Identity Center moto is wrong about AWS, and judges no more than that our calls are understood: its
// permission sets' ARNs are of another shape than AWS's, which Belay refuses rather than guesses at, and
// its operations always succeed at once. So permission sets and assignments are the sandbox's here. Nor
// does moto know DescribeInstance, UpdateUser or that a person is in a group once at most.

import { type Browser, expect, test as base } from "@playwright/test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Person } from "../journey.ts";
import { World } from "../world.ts";
import { Program } from "./program.ts";
import { freePort } from "./sign-in.ts";

const script = fileURLToPath(new URL("./organisation.py", import.meta.url));

const policy = `
version = 1
admins = ["group:Keepers"]

[defaults]
max_duration = "1h"
reason = { min_length = 10 }

[[rule]]
name = "what-is-read-from-moto"
accounts = ["ou:Production", "tag:stage=open"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Askers"]
approvers = ["group:Deciders"]
approval = "required"
durations = ["15m"]
`;

type Put = { accounts: Record<string, string>; people: Record<string, string>; instance: string };

class Moto extends Program {
  url = "";
  put: Put = { accounts: {}, people: {}, instance: "" };

  constructor() {
    super("moto_server");
  }

  async begin() {
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    await this.serve(["-H", "127.0.0.1", "-p", String(port)], this.url);
    this.put = JSON.parse(await this.run([script, this.url], "python")) as Put;
    writeFileSync(this.policy, policy);
  }

  get policy(): string {
    return join(this.folder, "policy.toml");
  }

  get environment(): Record<string, string> {
    return { AWS_ENDPOINT_URL_ORGANIZATIONS: this.url, AWS_ENDPOINT_URL_IDENTITYSTORE: this.url, BELAY_POLICY: this.policy };
  }
}

const test = base.extend<{ person: (userName: string) => Promise<Person> }, { moto: Moto; world: World }>({
  moto: [
    async ({}, use) => {
      const moto = new Moto();
      try {
        await moto.begin();
        await use(moto);
      } finally {
        await moto.stop();
      }
    },
    { scope: "worker", timeout: 90_000 },
  ],
  world: [
    async ({ moto }, use) => {
      // moto has no quota, and reading all of it at AWS's pace takes seconds.
      const world = await World.begin({ belay: { ...moto.environment, BELAY_AWS_RATE: "200" } });
      await use(world);
      await world.end();
    },
    { scope: "worker", timeout: 90_000 },
  ],
  person: async ({ browser, world }, use) => {
    const people: Person[] = [];
    await use(async (userName) => {
      people.push(await arrive(browser, world, userName));
      return people[people.length - 1] as Person;
    });
    for (const person of people) await person.page.context().close();
  },
});

async function arrive(browser: Browser, world: World, userName: string): Promise<Person> {
  return new Person(await (await browser.newContext()).newPage(), userName, world);
}

const target = (moto: Moto, accountName: string) => ({
  account: moto.put.accounts[accountName] ?? "",
  accountName,
  permissionSet: "ReadOnlyAccess",
});

test("accounts are found by their unit, by one that nests, and by tag, across pages", async ({ person, moto }) => {
  const ana = await person("ana.silva");
  for (const name of ["Ledger", "Website", "Tagged"]) {
    const { account } = target(moto, name);
    await ana.open(`/access/${account}/ReadOnlyAccess`);
    await expect(ana.page.getByLabel("Why do you need it?"), name).toBeVisible();
    await expect(ana.page.getByRole("main"), name).toContainText(name);
  }
  const elsewhere = await ana.page.goto(`${ana.world.portal}/access/${target(moto, "Elsewhere").account}/ReadOnlyAccess`);
  expect(elsewhere?.status()).toBe(404);
});

test("who is in no group of the policy is offered nothing", async ({ person, moto }) => {
  const ben = await person("ben.okafor");
  await ben.open("/");
  const answer = await ben.page.goto(`${ben.world.portal}/access/${target(moto, "Ledger").account}/ReadOnlyAccess`);
  expect(answer?.status()).toBe(404);
});

test("people are who moto says they are, and a request reaches its approver", async ({ person, moto }) => {
  const ana = await person("ana.silva");
  await ana.open("/");
  await expect(ana.page.getByRole("banner")).toContainText("Ana Silva of moto");
  const request = await ana.ask(target(moto, "Ledger"), 900, "INC-1: judged by moto");
  const emma = await person("emma.lindqvist");
  await emma.open("/approvals");
  await expect(emma.page.locator(`a[href*="${request}"]`).first()).toBeVisible();
  await expect(emma.page.getByRole("main")).toContainText("Ana Silva of moto");
  await expect(emma.page.getByRole("main")).toContainText("Ledger");
});

test("permission sets are asked of moto and understood, but for their ARNs", async ({ moto }) => {
  const belay = { ...moto.environment, AWS_ENDPOINT_URL_SSO_ADMIN: moto.url, BELAY_INSTANCE_ARN: moto.put.instance };
  const world = await World.begin({ belay, says: /the organisation could not be read/ });
  try {
    expect(world.logs["belay.log"]).toMatch(/an answer of AWS has an id that is not understood/);
  } finally {
    await world.end();
  }
});
