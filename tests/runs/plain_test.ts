import { assert, assertEquals } from "@std/assert";
import { prepared, says, syncTo, test } from "./setting.ts";

const hostile = "\x1b[2J\x1b]0;title\x07red\u202Etext\x9b31m\x7f";

// deno-lint-ignore no-control-regex
const control = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

test("what a pipe gets has no control characters, whatever a commit says", async (world) => {
  const { repository } = await prepared(world);
  const commit = async (build: string) => {
    await repository.commit(`Subject ${hostile}`, { knobs: { build } });
    const author = `--author=Eve ${hostile} <eve@example.org>`;
    await repository.git("commit", "--quiet", "--amend", "--no-edit", author);
    await repository.push();
  };
  await commit("");
  const deployed = await syncTo(world, 0);
  says(
    deployed.stdout,
    "Deployed ",
    "Subject ?[2J?]0;title?red?text",
    "by Eve",
  );
  await commit(
    "printf '\\033[31mred\\033[0m \\033]0;t\\007 \\233 \\r over\\n'; exit 1",
  );
  const failed = await syncTo(world, 6);
  says(failed.stderr, "Subject ?[2J", "red");
  const outputs = [deployed.text, failed.text];
  for (const command of ["sync", "status", "history"]) {
    for (const more of [[], ["--json"], ["--verbose"]]) {
      const { stdout, stderr } = await world.sync(command, ...more);
      outputs.push(stdout, stderr);
    }
  }
  for (const text of outputs) assert(!control.test(text), JSON.stringify(text));
});

test("the journal gets a priority with each line", async (world) => {
  const { repository } = await prepared(world);
  const log = `${world.folder}/log`;
  const script = `exec 2>"$1"; JOURNAL_STREAM=$(stat -Lc %d:%i "$1")
    export JOURNAL_STREAM; shift; exec gitops-sync "$@"`;
  const logged = async (...args: string[]) => {
    await world.run(["sh", "-c", script, "sh", log, ...args]);
    return Deno.readTextFileSync(log).trimEnd().split("\n");
  };
  const deployed = await logged("--verbose");
  for (const line of deployed) assert(/^<[5-7]>[^<]/.test(line), line);
  says(
    deployed.join("\n"),
    "<6>fetch: ",
    "<5>systemd does not",
    "<7>git ls-remote",
  );
  await repository.publish("Bad", { knobs: { exit: { test: 1 } } });
  const failed = await logged();
  for (const line of failed) assert(/^<[3-6]>[^<]/.test(line), line);
  says(
    failed.join("\n"),
    "<4>warning: Putting",
    "<3>error: Cannot",
    "<3>hint: ",
  );
  // Another file than the journal's is none of its business.
  await repository.publish("Good", { knobs: { exit: undefined } });
  const ended = await world.startSync([], { env: { JOURNAL_STREAM: "1:2" } })
    .ended;
  assertEquals(ended.code, 0);
  says(ended.stderr, "\nfetch: ");
  assert(!/^</m.test(ended.stderr), ended.stderr);
});
