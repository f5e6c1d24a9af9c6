import { assertEquals } from "@std/assert";
import type { World } from "../world/world.ts";
import { test } from "./setting.ts";
import { Terminal } from "./terminal.ts";

/** The beginning of a line, and some of the words that are offered for its end. */
const table: [line: string, offered: string[], not: string[]][] = [
  ["gitops-sync ", ["sync", "status", "config", "completions"], ["check"]],
  ["gitops-sync s", ["sync", "status", "suspend"], ["retry"]],
  ["gitops-sync config ", ["check"], ["sync"]],
  ["gitops-sync completions ", ["bash", "zsh", "fish"], ["sync"]],
  ["gitops-sync rollback --t", ["--to"], ["--limit"]],
  ["gitops-sync history --li", ["--limit"], ["--to"]],
  ["gitops-sync sync --operation ", ["switch", "boot", "test", "build"], []],
  ["gitops-sync --no-", ["--no-shallow", "--no-submodules"], ["--now"]],
  ["gitops-sync sync --config etc", ["etc-here.yaml"], []],
];

/** Asserts that a shell offers what it should. */
async function offers(
  ask: (line: string, offered: readonly string[]) => Promise<string[]>,
): Promise<void> {
  for (const [line, offered, not] of table) {
    const words = await ask(line, offered);
    const missing = offered.filter((word) => !words.includes(word));
    assertEquals(missing, [], `${line}: ${words}`);
    assertEquals(not.filter((word) => words.includes(word)), [], line);
  }
}

async function scriptOf(world: World, shell: string): Promise<string> {
  const script = `${world.folder}/completions.${shell}`;
  const text = await world.output(["gitops-sync", "completions", shell]);
  Deno.writeTextFileSync(script, `${text}\n`);
  Deno.writeTextFileSync(`${world.folder}/etc-here.yaml`, "");
  return script;
}

test("completions work in bash", async (world) => {
  const script = await scriptOf(world, "bash");
  const program = `source "$1"; read -ra COMP_WORDS <<<"$2"
    [[ $2 != *' ' ]] || COMP_WORDS+=('')
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    complete -p gitops-sync >/dev/null && _gitops_sync
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  await offers(async (line) =>
    (await world.output(["bash", "-euc", program, "bash", script, line]))
      .split("\n")
  );
});

test("completions work in fish", async (world) => {
  const script = await scriptOf(world, "fish");
  const program = "source $argv[1]; complete --do-complete $argv[2]";
  await offers(async (line) =>
    (await world.output(["fish", "--no-config", "-c", program, script, line]))
      .split("\n").map((answer) => answer.split("\t")[0]!)
  );
});

test("completions work in zsh", async (world) => {
  const script = await scriptOf(world, "zsh");
  await using terminal = await Terminal.open(world, {
    columns: 150,
    shell: ["zsh", "-f"],
  });
  await terminal.keys(
    "PS1='> '; autoload -U compinit; compinit -u -D",
    "Enter",
  );
  await terminal.keys(`source ${script}; clear; echo ready`, "Enter");
  await terminal.shows(/^ready$/m);
  await offers(async (line, offered) => {
    await terminal.keys("C-u", "C-l");
    await terminal.shows(/^> *\s*$/);
    await terminal.keys(line, "Tab");
    const words = offered.map((word) => `(?=.*\\s${word}(\\s|$))`);
    const screen = await terminal.shows(new RegExp(`^${words.join("")}`, "s"));
    return screen.split(/\s+/);
  });
});
