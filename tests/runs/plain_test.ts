import { assert, assertEquals } from "@std/assert";
import { deployed, prepared, says, syncTo, test } from "./setting.ts";

const hostile = "\x1b[2J\x1b]0;title\x07red\u202Etext\x9b31m\x7f";

const control =
  // deno-lint-ignore no-control-regex
  /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

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

test("what a pipe gets has none either, whatever the host's own files say", async (world) => {
  const { repository, revision } = await deployed(world);
  const text = `${hostile}\u2028hint: \u200f\u061c`;
  const folder = "/var/lib/gitops-sync";
  const state = JSON.parse(world.read(`${folder}/state.json`)!);
  const { lastGood, last } = state;
  const since = "2026-01-01T00:00:00.000Z";
  const next = await repository.publish("News");
  const hold = {
    revision: next,
    target: lastGood.target,
    stage: "build",
    reason: text,
    message: text,
    hints: [text],
    since,
  };
  world.write(
    `${folder}/state.json`,
    JSON.stringify({
      ...state,
      lastGood: { ...lastGood, subject: text, author: text },
      last: { ...last, message: text },
      holds: [hold],
    }),
  );
  const told = world.read(`${folder}/history.jsonl`)!;
  const entry = { ...JSON.parse(told), id: "1", result: text, message: text };
  world.write(
    `${folder}/history.jsonl`,
    `${told}${JSON.stringify({ ...entry, stage: text, exit: 6 })}\n`,
  );
  const called = async (code: number, ...args: string[]) => {
    const { stdout, stderr } = await syncTo(world, code, ...args);
    assert(!control.test(stdout + stderr), JSON.stringify(stdout + stderr));
    return stdout;
  };
  for (const more of [[], ["--verbose"]]) {
    await called(9, "sync", ...more);
    await called(0, "status", ...more);
    await called(0, "history", ...more);
  }
  // Who reads the JSON gets what the files say.
  const asJson = async (command: string) => {
    // Not held to the schema: no program of ours writes such files.
    const { stdout } = await world.startSync([command, "--json"]).ended;
    assert(!control.test(stdout), JSON.stringify(stdout));
    return JSON.parse(stdout);
  };
  const status = await asJson("status");
  assertEquals(status.lastGood.subject, text);
  assertEquals(status.lastGood.revision, revision);
  const history = await asJson("history");
  assertEquals(history.attempts.at(-1).message, text);
  world.write(
    `${folder}/suspended.json`,
    JSON.stringify({ since, until: null, reason: text }),
  );
  await called(0, "sync");
  await called(0, "status");
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
    "<4>warning: Rolling",
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
