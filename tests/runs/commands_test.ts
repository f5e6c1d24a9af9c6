import { assert, assertEquals } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { commands, globalFlags, listed } from "../../lib/cli/commands.ts";
import { flagOf, flagOptions } from "../../lib/config/schema.ts";
import { exitMeanings } from "../../lib/base/errors.ts";
import { deployed, prepared, says, syncTo, test } from "./setting.ts";

test("a word, flag or value that is not understood is told with what is near", async (world) => {
  await prepared(world);
  const config = "/etc/gitops-sync/config.yaml";
  const all = "Run `gitops-sync --help` for the list.";
  const table: [string[], string][] = [
    [
      ["statsu"],
      `Cannot run statsu: there is no such command\nhint: Did you mean status? ${all}`,
    ],
    [
      ["config"],
      "Cannot run config: expected one of its subcommands\nhint: Run `gitops-sync config --help` for the list.",
    ],
    [
      ["config", "chek"],
      `Cannot run config: there is no such command\nhint: Did you mean config check? ${all}`,
    ],
    [
      ["\x1b[31mred\n"],
      `Cannot run ?[31mred: there is no such command\nhint: ${all}`,
    ],
    [
      ["status", "now"],
      `Cannot use "now" after status: expected no more arguments\nhint: Run \`gitops-sync status --help\`.`,
    ],
    [
      ["--repositry=x"],
      `Cannot use --repositry with sync: there is no such flag\nhint: Did you mean --repository? ${all}`,
    ],
    [
      ["status", "--now"],
      `Cannot use --now with status: there is no such flag\nhint: Use it with \`gitops-sync sync\`.`,
    ],
    [
      ["--no-keep"],
      `Cannot use --no-keep with sync: there is no such flag\nhint: Use \`--keep\` with a value: it has no --no- form.`,
    ],
    [["rollback", "--to"], `Cannot use --to alone: expected --to REVISION`],
    [
      ["history", "--limit", "few"],
      `Cannot use "few" for --limit: expected a whole number\nhint: Type a number of attempts, or 0 for all.`,
    ],
    [
      ["completions"],
      `Cannot make completions for "": expected bash, zsh or fish\nhint: Type, for example, \`gitops-sync completions bash\`.`,
    ],
    [
      ["--operation", "swich"],
      `Cannot use "swich" for --operation: expected one of switch, boot, test, build`,
    ],
    [
      ["--keep=-1"],
      `Cannot use "-1" for --keep: expected a whole number from 0 to 1000`,
    ],
    [
      ["--timeouts-build=5"],
      `Cannot use "5" for --timeouts-build: expected a duration of at most 24d such as 90s, 30m or 1h30m`,
    ],
    [
      ["--config=/none"],
      `Cannot read /none: there is no such file\nhint: name the file with --config FILE, or give --repository URL --ref main instead`,
    ],
    [
      ["status", "--config=/none"],
      `Cannot read /none: there is no such file\nhint: name the file with --config FILE, or give --repository URL --ref main instead`,
    ],
  ];
  for (const [args, text] of table) {
    const { stdout, stderr } = await syncTo(world, 2, ...args);
    assertEquals({ stdout, stderr }, {
      stdout: "",
      stderr: `error: ${text}\n`,
    });
  }
  world.write(config, "repository: file:///x\nref: main\nhots: demo\n");
  const { stderr } = await syncTo(world, 2);
  says(stderr, `${config}:3: Cannot use hots`, "hint: did you mean host?");
});

test("each command has its help, and --version is that of deno.json", async (world) => {
  await prepared(world);
  assertEquals(
    (await syncTo(world, 0, "--version")).text,
    `gitops-sync ${project.version}\n`,
  );
  // Lines break where the terminal ends.
  const flat = (text: string) => text.replace(/\s+/g, " ");
  const general = flat((await syncTo(world, 0, "--help")).stdout);
  for (const { name, summary } of listed) says(general, `${name} ${summary}`);
  for (const [code, meaning] of Object.entries(exitMeanings)) {
    says(general, `${code} ${meaning.replaceAll("`", "")}`);
  }
  for (const command of commands) {
    const { text } = await syncTo(
      world,
      0,
      ...command.name.split(" "),
      "--help",
    );
    const help = flat(text);
    says(help, `usage: gitops-sync ${command.name}`, flat(command.text));
    for (const { name, text: what } of [...command.flags, ...globalFlags]) {
      says(help, `--${name}`, what);
    }
    assert(text.split("\n").every((line) => line === line.trimEnd()), text);
  }
  const sync = (await syncTo(world, 0, "sync", "-h")).stdout;
  for (const option of flagOptions) says(sync, flagOf(option));
});

test("a reader that goes away is no error", async (world) => {
  await deployed(world);
  const script =
    'set -o pipefail; gitops-sync "$@" 2>err | head -c 1 >/dev/null; echo "${PIPESTATUS[0]}"; cat err';
  for (
    const args of [["sync"], ["sync", "--json"], ["--help"], ["history"], [
      "completions",
      "fish",
    ], ["config", "check"]]
  ) {
    const said = await world.output(["bash", "-c", script, "bash", ...args]);
    assertEquals(said, "0", args.join(" "));
  }
});

test("what failed to build is not accepted in place of a retry", async (world) => {
  const { repository } = await deployed(world);
  const revision = await repository.publish("Broken", {
    knobs: { build: "exit 1" },
  });
  await syncTo(world, 6);
  says(
    (await syncTo(world, 2, "accept", revision)).stderr,
    "it is blocked for another reason: Cannot build",
    "run gitops-sync retry to try the same commit again",
  );
});

test("who suspends a host during a run is told that it goes on", async (world) => {
  const { repository } = await deployed(world);
  const { folder } = world;
  await repository.publish("A slow switch", {
    knobs: { build: `while ! test -e ${folder}/go; do sleep 0.05; done` },
  });
  const run = world.startSync([]);
  while (world.state()?.attempt?.stage !== "build") {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  says(
    (await syncTo(world, 0, "suspend")).stdout,
    "A run is in progress (sync, process ",
    "it stops before the activation, or finishes if the activation has begun",
  );
  Deno.writeTextFileSync(`${folder}/go`, "");
  await run.ended;
});
