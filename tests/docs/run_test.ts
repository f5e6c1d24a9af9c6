import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exitCodes } from "../../lib/base/errors.ts";
import { deployed, syncTo, test } from "../runs/setting.ts";
import { blocks, placeOf } from "./blocks.ts";
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

/** Blocks that make no call, by their page and first words, and why. */
const withoutCall: readonly (readonly [place: RegExp, why: string])[] = [
  [/: \.\/dev /, "./dev is of the checkout, and no part of the program"],
  [/: journalctl /, "tests/machine/journal_test.ts reads a real journal"],
  [/^docs\/secrets\.md/, "tests/secrets/guide_test.ts runs the whole page"],
  [/^docs\/quickstart\.md/, "tests/machine/quickstart_test.ts runs the page"],
  [/^docs\/private.*(ssh-key)/, "tests/git/ssh_test.ts has a real sshd"],
  [/^docs\/private.*install/, "it makes a folder and files of root"],
  [/^docs\/security.*etcdctl/, "tests/locks/roles_test.ts makes these roles"],
  [/: git push --force/, "tests/runs/testing_test.ts pushes to such a branch"],
  [/: nix flake init/, "tests/publish/workflows_test.ts has the templates"],
  [/: nix build/, "tests/nix/flake_test.ts builds it"],
  [
    /^docs\/serve.*(openssl|body=)/,
    "tests/serve/webhook_test.ts signs requests",
  ],
];

const shell = blocks().filter(({ language }) =>
  ["sh", "console"].includes(language)
);

test("status looks as README shows it", async (world) => {
  await deployed(world);
  const labelsOf = (text: string) =>
    text.trimEnd().split("\n").map((line) => line.split(" ")[0])
      // A world has no user that evaluates, as the module makes it.
      .filter((label) => label !== "eval");
  const shown = blocks("README.md").find(({ text }) => /^host /.test(text))!;
  const { stdout } = await syncTo(world, 0, "status");
  assertEquals(labelsOf(stdout), labelsOf(shown.text));
  assertStringIncludes(stdout, "host     demo: in sync with main\n");
  assertStringIncludes(shown.text, "host     myhost: in sync with main\n");
});

Deno.test("each block that is not run has a reason", async () => {
  for (const block of shell) {
    if ((await callsIn(block)).length > 0) continue;
    const line = `${placeOf(block)}: ${block.text.replace(/^[$#] /, "")}`;
    const reason = withoutCall.find(([place]) => place.test(line));
    const first = line.split("\n")[0];
    assert(reason, `${first}: it is not run, and nothing says why`);
    console.log(`${first}: not run here: ${reason[1]}`);
  }
});

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
