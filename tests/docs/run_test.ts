import { assert } from "@std/assert";
import { exitCodes } from "../../lib/base/errors.ts";
import { deployed, syncTo, test } from "../runs/setting.ts";
import { blocks } from "./blocks.ts";
import { callsIn } from "./typed.ts";

/** The calls that are not run here, by how they begin, and why. */
const elsewhere: readonly (readonly [call: string, why: string])[] = [
  ["init", "tests/machine/quickstart_test.ts runs it as the page says"],
  ["secrets", "tests/secrets/guide_test.ts runs the whole page"],
  ["publish", "tests/publish runs it; a bucket of S3 is not here"],
  ["fleet locks", "tests/locks runs it with a real etcd"],
  ["fleet unlock", "tests/locks runs it with a real etcd"],
  ["fleet", "tests/fleet runs it with a real Prometheus and a forge"],
];

const shell = blocks().filter(({ language }) =>
  ["sh", "console"].includes(language)
);

test("the commands of the documentation work on a host", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Another", { knobs: { greeting: "hi" } });
  await syncTo(world, 0);
  world.configure(repository, { approval: "manual" });
  const url = world.urlOf(repository);
  const checkout = repository.folder;
  let revision = await repository.head();
  const filled = (word: string) =>
    word.replace(/^https:.*infra\.git$/, url)
      .replace(/^(\.|\.\/my-checkout|\.\/FOLDER)$/, checkout)
      .replace("myhost", "demo")
      .replace(/^(REVISION|4b112af\w*|1a2b3c4\w*)$/, revision);
  const calls = (await Promise.all(shell.map(callsIn))).flat();
  let count = 0;
  for (const { place, words } of calls) {
    const line = words.join(" ");
    const reason = elsewhere.find(([call]) =>
      `${line} `.startsWith(`${call} `)
    );
    if (reason) {
      console.log(`${place}: ${line}: not run here: ${reason[1]}`);
      continue;
    }
    // What waits for approval is there to be approved or rejected.
    if (words[0] === "approve" || words[0] === "reject") {
      revision = await repository.publish(`To ${words[0]}`, {
        knobs: { greeting: words[0] },
      });
      await syncTo(world, 0);
    }
    const { code, stdout, stderr } = await world.startSync(words.map(filled), {
      input: "correct horse battery staple\n",
    }).ended;
    const isWrong = code === exitCodes.bug || code === exitCodes.usage;
    assert(!isWrong, `${place}: ${line}: ${code}\n${stdout}${stderr}`);
    count++;
  }
  assert(count > 15, `only ${count} were run`);
});
