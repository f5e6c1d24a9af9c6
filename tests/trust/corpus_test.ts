import { assert } from "@std/assert";
import { World } from "../world/world.ts";
import { cases as accepted } from "./cases/accepted.ts";
import { cases as bombs } from "./cases/bombs.ts";
import { cases as configurations } from "./cases/configurations.ts";
import { cases as keysFolder } from "./cases/keys_folder.ts";
import { cases as openpgp } from "./cases/openpgp.ts";
import { cases as range, moves } from "./cases/range.ts";
import { cases as repositories } from "./cases/repositories.ts";
import { cases as servers } from "./cases/servers.ts";
import { cases as ssh } from "./cases/ssh.ts";
import { cases as folders } from "./cases/state_folders.ts";
import { cases as tags } from "./cases/tags.ts";
import { cases as twins } from "./cases/twins.ts";
import { type Case, Lab } from "./lab.ts";

const refusal = await World.refusal();
if (refusal) console.log(`the corpus is not run here: ${refusal}`);

const groups: Record<string, readonly Case[]> = {
  "commits and SSH signatures": ssh,
  "OpenPGP signatures and keys": openpgp,
  "tags and thresholds": tags,
  "histories and keys in them": range,
  "the folder of keys": keysFolder,
  "moves of branches and tags": moves,
  "what was accepted": accepted,
  "repositories": repositories,
  "commits with another hash": twins,
  "servers": servers,
  "bombs": bombs,
  "state folders": folders,
  "configurations": configurations,
};

/** For whoever works on one case: CORPUS='a part of its name' ./dev test … */
const wanted = Deno.env.get("CORPUS") ?? "";
if (wanted) console.log(`only the cases whose name has "${wanted}"`);

/** Two at a time: most of a case's time is that of other programs. */
Deno.test({
  name: "whatever is hostile gets its answer, and nothing of it is evaluated",
  ignore: refusal !== null,
  fn: async (t) => {
    const all = Object.entries(groups).flatMap(([group, cases]) =>
      cases.map((one) => ({ ...one, name: `${group}: ${one.name}` }))
    ).filter(({ name }) => name.includes(wanted));
    const queue = all.values();
    const worker = async () => {
      await using lab = await Lab.make();
      for (const one of queue) {
        await t.step({
          name: one.name,
          fn: () => lab.run(one),
          sanitizeOps: false,
          sanitizeResources: false,
          sanitizeExit: false,
        });
      }
    };
    await Promise.all([worker(), worker()]);
  },
  sanitizeOps: false,
  sanitizeResources: false,
});

Deno.test("the corpus is as large as it is said to be", () => {
  const all = Object.values(groups).flat().map(({ name }) => name);
  assert(all.length >= 460, `${all.length} cases`);
  assert(new Set(all).size === all.length, "two cases have the same name");
});
