import { assertEquals } from "@std/assert";
import { keyTrouble } from "../../lib/git/credentials.ts";

Deno.test("a key file that is damaged is no trouble to look at", async () => {
  const path = await Deno.makeTempFile();
  try {
    const begin = "-----BEGIN OPENSSH PRIVATE KEY-----";
    for (const body of ["", "%".repeat(70), "A".repeat(70), "=".repeat(70)]) {
      await Deno.writeTextFile(path, `${begin}\n${body}\n`);
      assertEquals(keyTrouble(path), undefined, body);
    }
  } finally {
    await Deno.remove(path);
  }
});
