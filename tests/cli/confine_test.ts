import { assertEquals, assertStringIncludes } from "@std/assert";
import { startWorker } from "../../lib/cli/confine.ts";
import { namesSockets, permissionsFor } from "../../lib/cli/permissions.ts";
import { load } from "../config/load.ts";
import { start } from "../world/program.ts";

const entry = new URL("../../gitops_sync.ts", import.meta.url).pathname;

Deno.test("a run reaches what its configuration names, and nothing else", async () => {
  const folder = await Deno.makeTempDir();
  using listed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const portOf = ({ addr }: Deno.TcpListener) => String(addr.port);
  const config = await load(`
    repository: https://git.example.org/infra.git
    stateDirectory: ${folder}/state
    health: { tcp: ["127.0.0.1:${portOf(listed)}"] }
  `);
  await Deno.mkdir(`${folder}/state/deep`, { recursive: true });
  await Deno.mkdir(`${folder}/bin`);
  await Deno.writeTextFile(`${folder}/bin/git`, "#!/bin/sh\n", { mode: 0o755 });
  await Deno.writeTextFile(`${folder}/precious`, "");
  const permissions = permissionsFor("host", config, {
    hasSystemd: true,
    privatePlaces: [`${folder}/private`],
    mayRun: (program) => program !== undefined,
    netNamesSockets: namesSockets(Deno.version.deno),
  });
  const table: [what: string, word: string, answer: "allowed" | "refused"][] = [
    ["write", `${folder}/state/state.json`, "allowed"],
    ["write", `${folder}/state/deep/file`, "allowed"],
    ["write", `${folder}/state/../precious`, "refused"],
    ["write", `${folder}/precious`, "refused"],
    ["write", `${folder}/stately`, "refused"],
    ["write", "/etc/gitops-sync-test", "refused"],
    ["remove", `${folder}/precious`, "refused"],
    ["run", "git", "allowed"],
    ["run", "cat", "allowed"],
    ["run", "sh", "refused"],
    ["run", `${folder}/bin/git`, "refused"],
    ["run git from", `${folder}/bin:/usr/bin`, "refused"],
    ["connect", portOf(listed), "allowed"],
    ["connect", portOf(other), "refused"],
    ["fetch", `http://127.0.0.1:${portOf(other)}/`, "refused"],
    ["variable", "PATH", "allowed"],
    ["variable", "AWS_SECRET_ACCESS_KEY", "refused"],
    ["all variables", "", "refused"],
    ["read", "/proc/self/environ", "refused"],
    ["signal", "", "refused"],
    ["load", "https://example.org/code.ts", "refused"],
    ["load natively", "/usr/lib/any.so", "refused"],
  ];
  const worker = startWorker(import.meta.resolve("./attempts.ts"), permissions);
  try {
    for (const [what, word, expected] of table) {
      const answer = await new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage([what, word]);
      });
      assertEquals(answer, expected, `${what} ${word}`);
    }
  } finally {
    worker.terminate();
    await Deno.remove(folder, { recursive: true });
  }
});

/** Runs the program with flags of Deno. */
async function run(flags: string[], ...args: string[]) {
  const argv = [Deno.execPath(), "run", "--no-prompt", ...flags, entry];
  return await start([...argv, ...args]).ended;
}

Deno.test("what can't be confined is told", async () => {
  const folder = await Deno.makeTempDir();
  const args = [
    "status",
    "--repository",
    "/srv/a",
    "--state-directory",
    folder,
  ];
  const table: [string[], string[], string][] = [
    [
      ["--allow-read", "--allow-env", "--allow-sys"],
      args,
      "Cannot start: Deno gave gitops-sync too few permissions",
    ],
    [
      ["--allow-all"],
      ["sync", ...args.slice(1), "--health-tcp", "db..example:5432"],
      "Cannot use a host of the configuration: ",
    ],
  ];
  for (const [flags, words, message] of table) {
    const { code, stderr } = await run(flags, ...words);
    assertStringIncludes(stderr, message);
    assertStringIncludes(stderr, "\nhint: ");
    assertEquals(code, 2, stderr);
  }
  await Deno.remove(folder);
});
