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

/** Whether that person is assigned that access at this moment, to them directly. */
export async function assigned(world: World, userName: string, target: Target): Promise<boolean> {
  const now = await state(world);
  const person = now.people.find((it) => it.user_name === userName);
  const set = now.permission_sets.find((it) => it.name === target.permissionSet);
  if (!person || !set) throw new Error(`the sandbox has no ${person ? target.permissionSet : userName}`);
  return now.assignments.some(
    (it) =>
      it.account_id === target.account &&
      it.permission_set_arn === set.arn &&
      it.principal_type === "USER" &&
      it.principal_id === person.user_id,
  );
}

/** How often AWS was asked for this. */
export async function calls(world: World, operation: string): Promise<number> {
  const response = await fetch(`${world.control}/calls?since=0&operation=${operation}`);
  if (!response.ok) throw new Error(`the control door says ${response.status}`);
  const { calls } = (await response.json()) as { calls: object[] };
  return calls.length;
}
