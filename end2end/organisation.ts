// What AWS has, as the sandbox's control door tells it: the other side of every claim that a page makes.

import type { Target } from "./journey.ts";
import type { World } from "./world.ts";

type State = {
  people: { user_id: string; user_name: string }[];
  permission_sets: { arn: string; name: string }[];
  assignments: { account_id: string; permission_set_arn: string; principal_type: string; principal_id: string }[];
};

async function state(world: World): Promise<State> {
  const response = await fetch(`${world.control}/state`);
  if (!response.ok) throw new Error(`the control door says ${response.status}`);
  return (await response.json()) as State;
}

/** That person's own assignment to that, as AWS names its parts. */
function row(now: State, userName: string, target: Target) {
  const person = now.people.find((it) => it.user_name === userName);
  const set = now.permission_sets.find((it) => it.name === target.permissionSet);
  if (!person || !set) throw new Error(`the sandbox has no ${person ? target.permissionSet : userName}`);
  return {
    account_id: target.account,
    permission_set_arn: set.arn,
    principal_type: "USER",
    principal_id: person.user_id,
  };
}

/** Whether that person is assigned that access at this moment, to them directly. */
export async function assigned(world: World, userName: string, target: Target): Promise<boolean> {
  const now = await state(world);
  const wanted = Object.entries(row(now, userName, target));
  return now.assignments.some((it) => wanted.every(([name, value]) => it[name as keyof typeof it] === value));
}

/** Somebody with rights of their own assigns it, past Belay. */
export async function assignByHand(world: World, userName: string, target: Target): Promise<void> {
  const response = await fetch(`${world.control}/assignments`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(row(await state(world), userName, target)),
  });
  const answer = (await response.json()) as { changed?: boolean };
  if (!response.ok || !answer.changed) throw new Error(`the control door says ${response.status}, and changed nothing`);
}

/** As if the hour since the last look at the organisation were over: the table has no word of one. */
export async function anHourLater(world: World): Promise<void> {
  const time = new Date().toISOString().replace(/[:-]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/eu-central-1/dynamodb/aws4_request`;
  const response = await fetch(world.aws, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "DynamoDB_20120810.DeleteItem",
      "x-amz-date": time,
      // The sandbox's DynamoDB reads who asks, and leaves the sum of a signature to its S3.
      authorization: `AWS4-HMAC-SHA256 Credential=sandbox/${scope}, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
    },
    body: JSON.stringify({ TableName: "belay", Key: { pk: { S: "reconcile" }, sk: { S: "organisation" } } }),
  });
  if (!response.ok) throw new Error(`the sandbox says ${response.status}: ${await response.text()}`);
}

/** How often AWS was asked for this. */
export async function calls(world: World, operation: string): Promise<number> {
  const response = await fetch(`${world.control}/calls?since=0&operation=${operation}`);
  if (!response.ok) throw new Error(`the control door says ${response.status}`);
  const { calls } = (await response.json()) as { calls: object[] };
  return calls.length;
}

/** Every call of that operation fails with that error, until what comes back is called. */
export async function fault(world: World, operation: string, error: string): Promise<() => Promise<void>> {
  const response = await fetch(`${world.control}/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ operation, kind: "error", error, times: 1_000_000 }),
  });
  const { id } = (await response.json()) as { id?: number | string };
  if (!response.ok || id === undefined) throw new Error(`the control door says ${response.status}`);
  return async () => {
    const lifted = await fetch(`${world.control}/faults/${id}`, { method: "DELETE" });
    if (!lifted.ok) throw new Error(`the control door says ${lifted.status}`);
  };
}
