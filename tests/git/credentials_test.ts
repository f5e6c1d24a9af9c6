import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../../lib/process/run_command.ts";
import { privateKeyProblem } from "../../lib/keys/private_key.ts";
import { inFolder } from "../folder.ts";
import { output } from "../world/program.ts";
import { makeKey } from "./servers.ts";

/** What is said of a key with this text. */
async function said(path: string, text: string) {
  await Deno.writeTextFile(path, text, { mode: 0o600 });
  return await privateKeyProblem({ run }, path, "sshKeyFile");
}

Deno.test("a key that ssh can't read is told with what is wrong with it", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/deploy key`;
    const pub = await makeKey(`${folder}/good`);
    const good = await Deno.readTextFile(`${folder}/good`);
    await makeKey(`${folder}/locked`, "a passphrase");
    const locked = await Deno.readTextFile(`${folder}/locked`);
    const sops = `{"data": "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]"}`;
    const table: [string, string | undefined][] = [
      [good, undefined],
      [good.trimEnd(), "has no newline at its end"],
      [good.replaceAll("\n", "\r\n"), "Windows line endings"],
      [`\ufeff${good}`, "a byte order mark"],
      [good.replace(/^/gm, "  "), "has spaces before its lines"],
      ["", "is empty"],
      ["\n", "is empty"],
      [locked, "has a passphrase"],
      [sops, "is still encrypted by sops"],
      [`key: ENC[AES256_GCM,data:x]\nsops:\n  mac: x\n`, "encrypted by sops"],
      ["age-encryption.org/v1\n-> X25519 x\n", "is still encrypted by age"],
      [pub, "is a public key"],
      ["PuTTY-User-Key-File-3: ssh-ed25519\n", "is a PuTTY key"],
      [`${good.slice(0, 120)}\n`, "ssh-keygen reports"],
      ["hunter2\n", "ssh-keygen reports"],
    ];
    for (const [text, words] of table) {
      const trouble = await said(path, text);
      const told = `${JSON.stringify(text.slice(0, 40))}: ${trouble}`;
      if (words === undefined) assertEquals(trouble, undefined);
      else assertStringIncludes(trouble ?? "nothing", words, told);
      // It is no question of access, and what is in the file is not shown.
      assert(!/as a deploy key|hunter2/.test(trouble ?? ""), told);
    }
  });
});

Deno.test("only a key that is missing is told to be created", async () => {
  await inFolder(async (folder) => {
    const trouble = (path: string) =>
      privateKeyProblem({ run }, path, "sshKeyFile");
    const missing = `${folder}/missing`;
    assertStringIncludes(
      await trouble(missing) ?? "nothing",
      `${missing} (sshKeyFile) does not exist: create a key with ssh-keygen`,
    );
    assertEquals(
      await trouble(folder),
      `${folder} (sshKeyFile) is not a file: set sshKeyFile to the path of the key`,
    );
  });
});

Deno.test("who may read a key counts as ssh counts it: for those who own it", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/key`;
    await makeKey(path);
    for (const mode of [0o400, 0o600, 0o640, 0o604]) {
      await Deno.chmod(path, mode);
      const trouble = await privateKeyProblem({ run }, path, "sshKeyFile");
      const isOpen = (mode & 0o077) !== 0;
      assertEquals(trouble?.includes(`chmod 600 ${path}`) ?? false, isOpen);
    }
    if (Deno.uid() !== 0) {
      console.log("keys of other owners are not tested here: not root");
      return;
    }
    await Deno.chown(path, 65534, null);
    for (const mode of [0o440, 0o604]) {
      await Deno.chmod(path, mode);
      assertEquals(
        await privateKeyProblem({ run }, path, "sshKeyFile"),
        undefined,
      );
    }
  });
});

Deno.test("what is told to type makes a key usable that an editor has bent", async () => {
  await inFolder(async (folder) => {
    await makeKey(`${folder}/good`);
    const good = await Deno.readTextFile(`${folder}/good`);
    const path = `${folder}/key`;
    const bent = [
      good.trimEnd(),
      good.replaceAll("\n", "\r\n"),
      `\ufeff${good}`,
      good.replace(/^/gm, "  "),
    ];
    for (const text of bent) {
      const trouble = await said(path, text);
      const typed = /: fix it with (sed .*)$/.exec(trouble!)![1]!;
      await output(["sh", "-c", typed]);
      assertEquals(
        await privateKeyProblem({ run }, path, "sshKeyFile"),
        undefined,
      );
    }
  });
});
