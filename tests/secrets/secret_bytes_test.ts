import { assert, assertEquals } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { foreseen } from "../../lib/base/os_error.ts";
import { readSecret } from "../../lib/secrets/reading/secret_bytes.ts";
import { run } from "../world/program.ts";

const config = `--config=${
  new URL("../../deno.json", import.meta.url).pathname
}`;

const module = import.meta.resolve(
  "../../lib/secrets/reading/secret_bytes.ts",
);

Deno.test("what a revision puts in the place of a secret has an answer", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/file`, "12345");
    await Deno.mkdir(`${folder}/folder`);
    await Deno.symlink(`${folder}/loop`, `${folder}/loop`);
    await Deno.symlink(`${folder}/away`, `${folder}/dangling`);
    const table: [string, string | undefined][] = [
      ["none", undefined],
      ["dangling", undefined],
      ["file/below", undefined],
      ["folder", "it is not a regular file"],
      ["loop", "it is a link that leads nowhere"],
      ["loop/below", "it is a link that leads nowhere"],
    ];
    for (const [name, expected] of table) {
      assertEquals(await readSecret(`${folder}/${name}`, 10), expected, name);
    }
    const file = await readSecret(`${folder}/file`, 5);
    assertEquals(file, new TextEncoder().encode("12345"));
    const large = await readSecret(`${folder}/file`, 4);
    assert(typeof large === "string" && large.includes("limits.secrets"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what this host can't read holds no revision", async () => {
  const file = await Deno.makeTempFile();
  const script = `import { readSecret } from ${JSON.stringify(module)};
    try { await readSecret(Deno.args[0], 10); console.log("read"); }
    catch (error) { console.log(error.message); }`;
  const code = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(code, script);
  try {
    for (
      const [name, reason] of [
        ["EACCES", "permission-denied"],
        ["EIO", "disk-broken"],
        ["ESTALE", "disk-broken"],
        ["ENOMEM", "host-overloaded"],
        ["EMFILE", "host-overloaded"],
      ]
    ) {
      const inject = ["-e", `inject=openat,statx:error=${name}`, "-P", file];
      const { stdout, stderr } = await run([
        ...["strace", "-f", "-qq", "-o", "/dev/null", ...inject],
        ...[Deno.execPath(), "run", "-A", config, code, file],
      ]);
      const error = foreseen(new Error(stdout.trim()));
      assert(error instanceof SyncError, `${name}: ${stdout}${stderr}`);
      assertEquals([error.reason, error.next === "hold"], [reason, false]);
    }
  } finally {
    await Deno.remove(file);
    await Deno.remove(code);
  }
});
