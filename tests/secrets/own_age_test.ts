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
      return await readAgeRules(effects, file);
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
