import { assertEquals, assertMatch } from "@std/assert";
import type { World } from "../world/world.ts";
import { deployed, syncTo, test } from "./setting.ts";
import { Terminal } from "./terminal.ts";

type Row = [line: string, offered: string[], not: string[]];

/** The beginning of a line, and some of the words that are offered for its end. */
const table: Row[] = [
  ["gitops-sync ", ["sync", "status", "config", "completions"], ["keygen"]],
  ["gitops-sync d", ["diff", "doctor"], ["retry"]],
  ["gitops-sync diff --format ", ["text", "markdown"], []],
  ["gitops-sync s", ["sync", "status", "suspend"], ["retry"]],
  ["gitops-sync config ", ["check"], ["sync"]],
  ["gitops-sync completions ", ["bash", "zsh", "fish"], ["sync"]],
  ["gitops-sync rollback --t", ["--to"], ["--limit"]],
  ["gitops-sync history --li", ["--limit"], ["--to"]],
  ["gitops-sync sync --operation ", ["switch", "boot", "test", "build"], []],
  ["gitops-sync --no-", ["--no-shallow", "--no-submodules"], ["--now"]],
  ["gitops-sync sync --config etc", ["etc-here.yaml"], []],
  ["gitops-sync plan --format ", ["text", "markdown"], []],
  // A value that may be left out follows an equals sign, and never a blank.
  ["gitops-sync status --wait --off", ["--offline"], []],
  ["gitops-sync watch --wait --js", ["--json"], []],
  ["gitops-sync secrets check etc", ["etc-here.yaml"], []],
  ["gitops-sync config check --js", ["--json"], ["--to"]],
];

/** A host that knows two revisions, and the names of its repository. */
async function known(world: World): Promise<Row[]> {
  const { repository, revision } = await deployed(world);
  const second = await repository.publish("The second", {
    knobs: { greeting: "hi" },
  });
  await syncTo(world, 0);
  const [attempt] = (await syncTo(world, 0, "history", "--ids")).stdout
    .split("\n");
  // All of them begin alike.
  const begun = attempt!.slice(0, -1);
  await repository.git("branch", "testing");
  await repository.git("tag", "v1.0");
  await repository.git("push", "--quiet", "--all");
  await repository.git("push", "--quiet", "--tags");
  return [
    ["gitops-sync accept ", [revision, second], ["sync"]],
    ["gitops-sync rollback --to ", [revision, second], []],
    ["gitops-sync approve ", [revision, second], ["sync"]],
    [`gitops-sync logs ${begun}`, [attempt!], ["sync"]],
    [`gitops-sync history show ${begun}`, [attempt!], ["sync"]],
    ["gitops-sync plan ", [revision, second], ["sync"]],
    ["gitops-sync diff ", [revision, second], ["sync"]],
    ["gitops-sync sync --ref ", ["main", "testing", "v1.0"], []],
    ["gitops-sync sync --host d", ["demo"], []],
  ];
}

/** Asserts that a shell offers what it should. */
async function offers(
  world: World,
  ask: (line: string, offered: readonly string[]) => Promise<string[]>,
): Promise<void> {
  for (const [line, offered, not] of [...table, ...await known(world)]) {
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
  await offers(
    world,
    async (line) =>
      (await world.output(["bash", "-euc", program, "bash", script, line]))
        .split("\n"),
  );
});

test("completions work in fish", async (world) => {
  const script = await scriptOf(world, "fish");
  const program = "source $argv[1]; complete --do-complete $argv[2]";
  await offers(
    world,
    async (line) =>
      (await world.output(["fish", "--no-config", "-c", program, script, line]))
        .split("\n").map((answer) => answer.split("\t")[0]!),
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
  await offers(world, async (line, offered) => {
    await terminal.keys("C-u", "C-l");
    await terminal.shows(/^> *\s*$/);
    await terminal.keys(line, "Tab");
    const words = offered.map((word) => `(?=.*\\s${word}(\\s|$))`);
    const screen = await terminal.shows(new RegExp(`^${words.join("")}`, "s"));
    return screen.split(/\s+/);
  });
});

test("what completions ask a host is cheap, quiet and needs no network", async (world) => {
  const { repository, revision } = await deployed(world);
  const complete = async (kind: string) => {
    const ended = await world.sync("complete", kind);
    assertEquals([ended.code, ended.stderr], [0, ""], kind);
    return ended.stdout.split("\n").filter((line) => line !== "");
  };
  const [attempt] = await complete("attempts");
  assertMatch(attempt!, /^\d{8}-\d{6}-\w{4}\tdeployed, .*: The first system$/);
  assertEquals(await complete("revisions"), [
    `${revision}\tis deployed: The first system`,
  ]);
  assertEquals(await complete("nonsense"), []);
  // A hostile name of a branch gets into no command line.
  await repository.git("branch", "x;reboot");
  await repository.git("branch", "fine");
  await repository.git("push", "--quiet", "--all");
  const refs = await complete("refs");
  assertEquals(refs.map((line) => line.split("\t")[0]), ["main", "fine"]);
  // Where nobody answers, what is known here is all.
  world.configure(repository, { repository: "https://127.0.0.1:9/infra.git" });
  assertMatch((await complete("refs")).join("\n"), /^main\t/);
  assertMatch((await complete("hosts")).join("\n"), /^demo\t/);
  // Nor does a broken configuration disturb who types.
  world.write("/etc/gitops-sync/config.yaml", "nonsense: 1\n");
  assertEquals(await complete("refs"), []);
});
