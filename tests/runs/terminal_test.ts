import { assert, assertEquals } from "@std/assert";
import type { World } from "../world/world.ts";
import {
  deployed,
  prepared,
  runs,
  says,
  standing,
  syncTo,
  test,
} from "./setting.ts";
import { Terminal } from "./terminal.ts";

const stages = [
  "preflight",
  "fetch",
  "verify",
  "secrets",
  "build",
  "prove",
  "activate",
  "health",
  "confirm",
];
const frames = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;

/** A terminal in which gitops-sync was typed. */
async function started(world: World, columns: number): Promise<Terminal> {
  const terminal = await Terminal.open(world, { columns, shell: ["sh"] });
  const line = "PS1='> '; clear; gitops-sync; echo code $?";
  await terminal.keys(line, "Enter");
  return terminal;
}

/** What a run writes to a terminal of unknown size, byte for byte. */
async function written(world: World, env: string): Promise<string> {
  const command = `env ${env} gitops-sync`;
  const file = `${world.folder}/typescript`;
  await world.output(["script", "-qefc", command, file]);
  return Deno.readTextFileSync(file);
}

test("a terminal shows a line a stage, and how far the build is", async (world) => {
  const { repository, revision } = await prepared(world, {}, {
    knobs: {
      dependencies: { one: "sleep 0.4", two: "sleep 0.4", three: "sleep 0.4" },
    },
  });
  await using terminal = await started(world, 100);
  await terminal.shows(
    /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] build +[1-4] of 5 built +\d.*\n +• (one|two|three) .* 0\.\ds$/m,
  );
  const screen = await terminal.shows(/^code 0$/m);
  const marked = screen.split("\n").filter((line) => line.startsWith("✓"));
  assertEquals(marked.map((line) => line.split(/ +/)[1]), stages);
  for (const line of marked) {
    assertEquals(line.length, 99, line);
    assert(/ \d+\.\ds$/.test(line), line);
  }
  assert(!frames.test(screen), screen);
  says(screen, "fetch     ", '"The first system" by Ada', "Deployed ");
  runs(world, revision);

  const before = standing(world);
  await repository.publish("Bad \x1b[2J subject", {
    knobs: { build: "printf '\\033[31mred\\033[2J\\a\\n'; exit 1" },
  });
  await terminal.keys("clear; gitops-sync; echo code $?", "Enter");
  const failed = await terminal.shows(/^code 6$/m);
  says(failed, "✗ build     failed", "error: Cannot build", "  red");
  assertEquals(standing(world), before);
});

test("a narrow terminal is redrawn in place too", async (world) => {
  await prepared(world, {}, { knobs: { build: "sleep 0.5" } });
  for (const columns of [24, 12]) {
    await using terminal = await started(world, columns);
    const screen = await terminal.shows(/^code 0$/m);
    assert(!frames.test(screen), screen);
    await world.output(["rm", "-rf", "/var/lib/gitops-sync/state.json"]);
  }
});

test("Ctrl-C ends a run on a terminal", async (world) => {
  await prepared(world, {}, { knobs: { build: "sleep 60" } });
  await using terminal = await started(world, 80);
  await terminal.shows(/^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] build/m);
  await terminal.keys("C-c");
  const screen = await terminal.shows(/^code \d+$/m);
  says(screen, "✗ build", "error: Interrupted by a person", "code 130");
  assertEquals(world.running(), null);
});

test("lines are redrawn and coloured on a terminal, unless NO_COLOR is set", async (world) => {
  const { repository } = await prepared(world);
  const coloured = await written(world, "-u NO_COLOR");
  says(coloured, "\r\x1b[K", "\x1b[32m✓\x1b[0m fetch");
  await repository.publish("News");
  const plain = await written(world, "NO_COLOR=1");
  says(plain, "\r\x1b[K", "✓ fetch");
  assert(!plain.includes("\x1b[3"), plain);
});

test("a narrow terminal shows a line of history an attempt, a pipe all of it", async (world) => {
  await deployed(world);
  await using terminal = await Terminal.open(world, {
    columns: 80,
    shell: ["sh"],
  });
  await terminal.keys(
    "PS1='> '; clear; gitops-sync history; echo code $?",
    "Enter",
  );
  const screen = await terminal.shows(/^code 0$/m);
  const [, attempt, code] = screen.split("\n").slice(
    screen.split("\n").findIndex((line) => line.startsWith("WHEN")),
  );
  assert(
    /^\S+ \S+ +\w{12} +deployed .* The first system$/.test(attempt!),
    screen,
  );
  assertEquals(code, "code 0");
  says((await syncTo(world, 0, "history")).stdout, "confirm ");
});

test("a terminal breaks sentences between words, and no command", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Bad", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  for (const columns of [80, 61]) {
    await using terminal = await Terminal.open(world, {
      columns,
      shell: ["sh"],
    });
    const typed = async (line: string) => {
      await terminal.keys(`PS1='> '; clear; ${line}; echo code $?`, "Enter");
      return (await terminal.shows(/^code \d+$/m)).replace(/\n +|\n/g, " ");
    };
    const held = await typed("gitops-sync");
    says(
      held,
      /has been blocked since .* failed to build/.exec(
        (await syncTo(world, 9)).stderr,
      )![0],
      "`gitops-sync retry` to try this commit again",
    );
    const none = await typed("gitops-sync rollback --to ffffffff");
    says(none, "no good system of that revision is kept hint: ");
    const suspended = await typed("gitops-sync suspend --for 1000h");
    says(suspended, ". Run `gitops-sync resume` to end the suspension.");
    await syncTo(world, 0, "resume");
  }
  // A log is no sentence: each line stays one.
  const file = `${world.folder}/log`;
  const line = "stty cols 40; gitops-sync logs";
  await world.output(["script", "-qefc", line, file]);
  says(
    Deno.readTextFileSync(file),
    "nixos-system-demo-stand-in failed to build\r\n",
  );
});
