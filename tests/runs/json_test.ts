import { assertEquals } from "@std/assert";
import { optionNames } from "../../lib/config/schema.ts";
import type { Settings } from "../world/host.ts";
import type { World } from "../world/world.ts";
import { deployed, prepared, syncTo, test } from "./setting.ts";

type Json = Record<string, unknown>;

/**
 * Runs a command with --json: all that it writes to standard output is one
 * document, with these keys beside those of each. Gives that document.
 */
async function json(
  world: World,
  code: number,
  words: string,
  keys: string,
): Promise<Json> {
  const args = words.split(" ");
  const { stdout } = await syncTo(world, code, ...args, "--json");
  const { version, command, exit, ...rest } = JSON.parse(stdout);
  const name = args.filter((word) => !word.startsWith("-"));
  assertEquals([version, exit], [2, code], words);
  if (code !== 2) {
    assertEquals(
      command,
      words.startsWith("config") ? "config check" : name[0],
    );
  }
  const isHost = !/^(config|completions|nonsense)/.test(words);
  const about = isHost ? ["host", "state", "target"] : [];
  // What failed says of which revision, and how far it came.
  const failed = isHost && keys === "error result"
    ? ["revision", "stages"]
    : [];
  const all = [...keys.split(" "), ...about, ...failed].sort().join(" ");
  assertEquals(keysOf(rest), all, words);
  return rest;
}

/** The names of an object's keys, in order. */
function keysOf(value: unknown): string {
  return Object.keys(value as Json).sort().join(" ");
}

const deployment =
  "at author boot committedAt loaders revision subject system target";
const error = "details hints message next reason stage";
const hold = "hints message reason revision since stage target";
const entry =
  "at author command exit id ms result revision stages subject system version";

test("each result of a sync has its keys", async (world) => {
  const { repository } = await prepared(world);
  const first = await json(world, 0, "sync", "deployment result stages");
  assertEquals(keysOf(first.deployment), deployment);
  assertEquals(
    keysOf((first.deployment as Json).target),
    "directory host operation ref repository",
  );
  assertEquals(keysOf((first.stages as Json[])[0]), "ms stage");
  await json(world, 0, "sync", "result revision");

  const left = await repository.publish("Second");
  await json(world, 0, "sync", "deployment result stages");
  const back = await json(
    world,
    0,
    "rollback --until-next-commit",
    "deployment left result stages",
  );
  assertEquals([back.result, back.left], ["rolled-back", [left]]);
  const held = await json(world, 9, "sync", "hold result");
  assertEquals(keysOf(held.hold), hold);

  await repository.publish("Bad", { knobs: { exit: { test: 11 } } });
  const failed = await json(world, 10, "sync", "error result");
  assertEquals(keysOf(failed.error), error);
  await json(world, 10, "sync", "error result");
  const waiting = await json(world, 9, "sync", "backoff result");
  assertEquals(keysOf(waiting.backoff), "failures notBefore revision");
  await json(world, 10, "retry", "error result");

  await repository.publish("Good", { knobs: { exit: undefined } });
  const built = await json(
    world,
    0,
    "sync --operation=build",
    "result revision stages system",
  );
  assertEquals(built.result, "built");
  await json(world, 0, "sync --no-shallow", "deployment result stages");
  await world.output(["ln", "-sfn", "/nix", "/run/current-system"]);
  const drifted = await json(world, 0, "sync", "drift result revision");
  assertEquals(keysOf(drifted.drift), "actual expected what");
});

test("each other command has its keys", async (world) => {
  const status =
    "agrees attempt backoff bootDefault busy gated git holds isolation last " +
    "lastGood next nextRun reboot rolledBack running slot slotWait suspension testing " +
    "waiting why";
  const { repository } = await prepared(world);
  await json(world, 0, "status", status);
  await json(world, 0, "history", "attempts");
  await json(world, 2, "rollback", "error result");
  await syncTo(world, 0);
  await repository.publish("Bad", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);

  const full = await json(world, 0, "status", status);
  assertEquals(keysOf(full.running), "deployment system");
  assertEquals(keysOf(full.git), "checked ref repository seen tip unreached");
  assertEquals(
    keysOf(full.last),
    "at exit hints message reason result revision stage times",
  );
  const { attempts } = await json(
    world,
    0,
    "history --limit=0",
    "attempts",
  ) as {
    attempts: Json[];
  };
  assertEquals(attempts.map(keysOf), [
    entry,
    "at author command exit id message ms reason result revision stage stages subject version",
  ]);
  const one = await json(world, 0, "history --limit 1", "attempts");
  assertEquals((one.attempts as Json[]).length, 1);

  const suspended = await json(world, 0, "suspend", "result suspension");
  assertEquals(keysOf(suspended.suspension), "by reason since until");
  await json(world, 0, "sync", "result suspension");
  await json(world, 0, "resume", "result wasRolledBack wasSuspended");
  const check = await json(world, 0, "config check", "config result");
  const names: readonly string[] = optionNames;
  for (const name of Object.keys(check.config as Json)) {
    assertEquals(names.includes(name), true, name);
  }
  await json(world, 0, "completions zsh", "script shell");
});

test("what can't be carried out is a result too", async (world) => {
  await prepared(world, { keep: "many" });
  for (
    const words of [
      "nonsense",
      "sync --nonsense",
      "sync",
      "status",
      "completions tcsh",
      "history --limit=few",
      "suspend --for=soon",
      "rollback --to",
    ]
  ) {
    const failed = await json(world, 2, words, "error result");
    const { problems, ...rest } = failed.error as Json;
    assertEquals([failed.result, keysOf(rest)], ["failed", error]);
    assertEquals(problems !== undefined, rest.reason === "config-wrong", words);
  }
});

test("what is wrong in a configuration is told in fields", async (world) => {
  await prepared(world, { keep: "many", nonsense: 1 } as Settings);
  const file = "/etc/gitops-sync/config.yaml";
  const failed = await json(
    world,
    2,
    "sync --operation=fly",
    "error result",
  );
  assertEquals([failed.host, failed.target, failed.state], [
    null,
    null,
    "unknown",
  ]);
  const { problems, message } = failed.error as {
    problems: Json[];
    message: string;
  };
  const places = problems.map(({ file, line, key }) => [file, line, key]);
  assertEquals(places, [
    [file, 6, "keep"],
    [file, 7, "nonsense"],
    [null, null, "--operation"],
  ]);
  for (const { line, message: one } of problems) {
    const told = line === null ? `${one}` : `${file}:${line}: ${one}`;
    assertEquals(message.includes(told), true, message);
  }
});

test("what needs no configuration fits the schema without one, too", async (world) => {
  const { repository } = await deployed(world);
  world.configure(repository, { approval: "manual" });
  const second = await repository.publish("Second");
  await syncTo(world, 0);
  await world.output(["rm", "/etc/gitops-sync/config.yaml"]);
  for (
    const words of [
      "history",
      "history show",
      "logs",
      "watch",
      "suspend",
      "resume",
      // These are about what waits, which has a target.
      `approve ${second}`,
      `reject ${second}`,
    ]
  ) {
    const { stdout } = await syncTo(world, 0, ...words.split(" "), "--json");
    const { host, target } = JSON.parse(stdout);
    const isAboutOne = words.includes(second);
    assertEquals([typeof host, target !== null], ["string", isAboutOne], words);
  }
});
