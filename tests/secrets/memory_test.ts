/**
 * The commands that change secrets, with the permissions of the package and
 * where only /dev/shm is in memory: Deno keeps the program from /dev.
 */
import { exists } from "@std/fs";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mayRun, permissions } from "../nix/package.ts";
import { entry, gitopsSync, madeFolder } from "../world/gitops_sync.ts";
import { type Ended, run } from "../world/program.ts";
import { Checkout } from "./checkout.ts";

/** The program that may do no more than the package lets it. */
const packaged = madeFolder ? gitopsSync : [
  Deno.execPath(),
  "run",
  ...permissions.split(/\s+/),
  `--allow-run=${mayRun.join(",")}`,
  entry,
];

const enter = ["unshare", "--map-root-user", "--mount"];
const probe = await run([...enter, "true"]);
const refusal = probe.code === 0 ? null : probe.stderr.trim();
if (refusal) console.log(`only /dev/shm is not tested here: ${refusal}`);

/**
 * Runs `gitops-sync secrets …` where /run is on a disk, and no other place is
 * in memory.
 */
function secrets(
  checkout: Checkout,
  editor: string,
  ...args: string[]
): Promise<Ended> {
  const env = {
    EDITOR: editor,
    HOME: checkout.home,
    SOPS_AGE_KEY_FILE: `${checkout.home}/me.key`,
  };
  const onDisk = 'mount --bind "$1" /run && shift && exec "$@"';
  return run([
    ...[...enter, "sh", "-c", onDisk, "sh", checkout.home],
    ...["env", "--unset=RUNTIME_DIRECTORY", "--unset=XDG_RUNTIME_DIR"],
    ...packaged,
    ...["secrets", ...args],
  ], { cwd: checkout.top, env });
}

/** An editor that notes where the file is, and writes another secret into it. */
async function editorIn(checkout: Checkout): Promise<string> {
  const editor = `${checkout.home}/editor`;
  await Deno.writeTextFile(
    editor,
    `#!/bin/sh
echo "$1" >>${checkout.home}/edited
echo 'password: mellon' >"$1"
`,
    { mode: 0o755 },
  );
  return editor;
}

Deno.test({
  name: "secrets are changed where only /dev/shm is in memory",
  ignore: refusal !== null,
  fn: async () => {
    await using checkout = await Checkout.make();
    const { me, web } = checkout.keys;
    await checkout.write(
      ".sops.yaml",
      `keys:\n  - &me ${me}\ncreation_rules:\n  - key_groups:\n      - age:\n          - *me\n`,
    );
    await checkout.write(
      "secrets.nix",
      `{ "deep/token.age".publicKeys = [ "${me}" ]; }\n`,
    );
    for (const path of ["deep/web.yaml", "deep/token.age"]) {
      await checkout.write(path, "password: sesame\n");
    }
    const editor = await editorIn(checkout);
    const succeeds = async (...args: string[]) => {
      const ended = await secrets(checkout, editor, ...args);
      assertEquals(ended.code, 0, `${args.join(" ")}: ${ended.stderr}`);
    };
    await succeeds("encrypt", "deep/web.yaml", "deep/token.age");
    await succeeds("edit", "deep/web.yaml");
    await succeeds("edit", "deep/token.age");
    await succeeds("rotate", "deep/web.yaml");
    await succeeds("updatekeys", "deep/web.yaml", "deep/token.age");
    await succeeds("add-host", "web", web, "deep/web.yaml");
    await succeeds("edit", "deeper/new.yaml");
    assertStringIncludes(
      await checkout.decrypt("deeper/new.yaml", "web"),
      "password: mellon",
    );
    assertEquals(
      await checkout.decrypt("deep/web.yaml", "web"),
      "password: mellon\n",
    );
    assertStringIncludes(
      await checkout.decryptAge("deep/token.age", "me"),
      "mellon",
    );
    const edited = Deno.readTextFileSync(`${checkout.home}/edited`).trim();
    assertEquals(edited.split("\n").length, 3);
    for (const path of edited.split("\n")) {
      assert(path.startsWith("/dev/shm/gitops-sync-private."), path);
      const [, folder] = /^(.*\/gitops-sync-private[^/]*\/[^/]*)/.exec(path)!;
      assert(!await exists(folder!), `${folder} is left in memory`);
    }
  },
});
