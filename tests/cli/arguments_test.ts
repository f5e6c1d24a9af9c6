import { assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { parse } from "../../lib/cli/arguments.ts";
import { loadable } from "../../lib/cli/loaders.ts";
import { commands } from "../../lib/cli/commands.ts";

/** What matters of a call, in one line. */
async function read(line: string): Promise<string> {
  const words = line.split(" ").filter((word) => word !== "");
  const call = await parse(words);
  const given = call.given.map(({ key, value }) =>
    `${key}=${JSON.stringify(value)}`
  );
  return [
    call.command.name,
    ...call.operands,
    ...(call.configPath === undefined ? [] : [`config:${call.configPath}`]),
    ...(call.json ? ["json"] : []),
    ...(call.verbose ? ["verbose"] : []),
    ...(call.help ? ["help"] : []),
    ...(call.version ? ["version"] : []),
    ...call.switches,
    ...Object.entries(call.texts).map(([name, text]) => `${name}:${text}`),
    ...given,
  ].join(" ");
}

Deno.test("words become a call", async () => {
  const table: [line: string, call: string][] = [
    ["", "sync"],
    ["sync", "sync"],
    ["--config a.yaml", "sync config:a.yaml"],
    ["sync --config=a.yaml --json", "sync config:a.yaml json"],
    ["status --offline --verbose", "status verbose offline"],
    ["history --limit 5", "history limit:5"],
    ["rollback --to=12ab", "rollback to:12ab"],
    ["rollback --to 1234", "rollback to:1234"],
    ["config check", "config check"],
    ["completions bash", "completions bash"],
    ["-h", "sync help"],
    ["status --help", "status help"],
    ["-V", "sync version"],
    ["help", "sync help"],
    ["help secrets check", "secrets check help"],
    ["secrets --help", "secrets help"],
    ["help config", "config help"],
    ["--repository /srv/a --ref 1.10", 'sync repository="/srv/a" ref="1.10"'],
    ["--no-shallow --submodules", "sync submodules=true shallow=false"],
    [
      "--secrets-identities /a --secrets-identities /b",
      'sync secrets.identities=["/a","/b"]',
    ],
    ["--timeouts-build 2h", 'sync timeouts.build="2h"'],
    ["--keep 3 --keep 4", 'sync keep="4"'],
    ["--now -- sync", "sync now"],
  ];
  for (const [line, call] of table) assertEquals(await read(line), call, line);
});

Deno.test("what is not known is told with what comes near", async () => {
  const table: [line: string, message: string, hint: string][] = [
    [
      "stat",
      "Cannot run stat: there is no such command",
      "Did you mean status?",
    ],
    [
      "config chek",
      "Cannot run config: there is no such command",
      "Did you mean config check?",
    ],
    [
      "--repositry=x",
      "Cannot use --repositry with sync: there is no such flag",
      "Did you mean --repository?",
    ],
    [
      "status --now",
      "Cannot use --now with status: there is no such flag",
      "Use it with `gitops-sync sync`",
    ],
    [
      "sync main",
      'Cannot use "main" after sync: expected no more arguments',
      "Run `gitops-sync sync --help`.",
    ],
    [
      "completions bash zsh",
      'Cannot use "zsh" after completions: expected no more arguments',
      "Run `gitops-sync completions --help`.",
    ],
    [
      "status --wait 10m",
      'Cannot use "10m" after status: expected no more arguments',
      "Write the value after an equals sign: `--wait=10m`.",
    ],
    [
      "sync --wait 10m",
      'Cannot use "10m" after sync: expected no more arguments',
      "Run `gitops-sync sync --help`.",
    ],
    [
      "plan --format html",
      'Cannot use "html" for --format: expected text or markdown',
      "",
    ],
    [
      "history --limit",
      "Cannot use --limit alone: expected --limit N",
      "",
    ],
    ["--config", "Cannot use --config alone: expected --config FILE", ""],
    [
      "-x",
      "Cannot use -x with sync: there is no such flag",
      "Run `gitops-sync --help` for the list.",
    ],
    [
      "zzz",
      "Cannot run zzz: there is no such command",
      "Run `gitops-sync --help`",
    ],
    [
      "branch main",
      "Cannot run branch: there is no such command",
      "name the branch with the option ref (--ref NAME)",
    ],
    [
      "--branch=main",
      "Cannot use --branch with sync: there is no such flag",
      "name the branch with the option ref (--ref NAME)",
    ],
    [
      "list",
      "Cannot run list: there is no such command",
      "run gitops-sync history for the list of attempts",
    ],
  ];
  for (const [line, message, hint] of table) {
    const error = await assertRejects(() => read(line), SyncError) as SyncError;
    assertEquals(error.message, message, line);
    assertEquals(error.exit, 2, line);
    assertEquals((error.hints[0] ?? "").slice(0, hint.length), hint, line);
  }
});

Deno.test("an empty value is a value", async () => {
  const { given, operands } = await parse(["sync", "--ref", "", "--host", "a"]);
  assertEquals(given.map(({ key, value }) => [key, value]), [
    ["ref", ""],
    ["host", "a"],
  ]);
  assertEquals(operands, []);
});

Deno.test("each command of the list has code, and no other has", () => {
  assertEquals(loadable, commands.map(({ name }) => name));
});
