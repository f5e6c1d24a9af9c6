import { assert, assertEquals } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { readAgeRules } from "../../lib/secrets/people/own_age.ts";
import { effects } from "./keys.ts";

Deno.test("a secrets.nix says whom files are for, or what is wrong with it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/secrets.nix`;
    const read = async (text: string) => {
      await Deno.writeTextFile(file, text);
      return await readAgeRules(effects, file, folder);
    };
    assertEquals(
      [...await read('{ "a.age".publicKeys = [ "ssh-ed25519 AAAA me" ]; }')],
      [["a.age", ["ssh-ed25519 AAAA"]]],
    );
    for (
      const wrong of [
        "null",
        "[ 1 ]",
        '"a.age"',
        '{ "a.age" = null; }',
        '{ "a.age".publicKeys = "age1x"; }',
        "{",
      ]
    ) {
      const error = await read(wrong).catch((error) => error);
      assert(error instanceof SyncError, `${wrong}: ${error}`);
      assertEquals(error.reason, "rules-wrong", wrong);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a secrets.nix reads its checkout, and sends nothing anywhere", async () => {
  const folder = await Deno.makeTempDir();
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url }) => {
      asked.push(url);
      return new Response("x");
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const checkout = `${folder}/a checkout`;
  const secret = `${folder}/secret`;
  Deno.env.set("OWN_AGE_TEST", "swordfish");
  try {
    await Deno.mkdir(`${checkout}/hosts`, { recursive: true });
    await Deno.writeTextFile(secret, "swordfish");
    await Deno.symlink(secret, `${checkout}/link`);
    await Deno.writeTextFile(`${checkout}/keys.nix`, '{ me = "age1x"; }');
    const read = async (text: string) => {
      const file = `${checkout}/hosts/secrets.nix`;
      await Deno.writeTextFile(file, text);
      return await readAgeRules(effects, file, checkout);
    };
    const own = '{ "a.age".publicKeys = [ (import ../keys.nix).me ]; }';
    assertEquals([...await read(own)], [["a.age", ["age1x"]]]);
    const attempts = [
      `builtins.readFile ${secret}`,
      `builtins.readFile ../link`,
      `builtins.readFile /etc/passwd`,
      `toString (builtins.attrNames (builtins.readDir /etc))`,
      `builtins.readFile (builtins.fetchurl "${url}/fetchurl")`,
      `toString (builtins.fetchTarball "${url}/tarball")`,
      `toString (builtins.fetchGit "${url}/git")`,
      `builtins.readFile (builtins.fetchurl "file://${secret}")`,
      `builtins.exec [ "cat" "${secret}" ]`,
      `toString (import <nixpkgs> {})`,
      `if builtins.getEnv "OWN_AGE_TEST" == "" then throw "none" else "x"`,
    ];
    for (const attempt of attempts) {
      const text = `{ "a.age".publicKeys = [ (${attempt}) ]; }`;
      const error = await read(text).catch((error) => error);
      assert(error instanceof SyncError, `${attempt}: it evaluates`);
      assertEquals(error.reason, "rules-wrong", attempt);
      const told = [error.message, ...error.details].join();
      assert(!told.includes("swordfish"), told);
    }
    assertEquals(asked, []);
  } finally {
    Deno.env.delete("OWN_AGE_TEST");
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});
