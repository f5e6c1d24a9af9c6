import { assertEquals } from "@std/assert";
import { changedSinceBoot } from "../../lib/host/booted.ts";
import { inFolder } from "../folder.ts";

/** A system whose parts lead where they are said to. */
async function makeSystem(path: string, parts: Record<string, string>) {
  await Deno.mkdir(path);
  for (const [part, target] of Object.entries(parts)) {
    await Deno.mkdir(target, { recursive: true });
    await Deno.symlink(target, `${path}/${part}`);
  }
}

Deno.test("a reboot is needed by what only a reboot replaces", async () => {
  await inFolder(async (folder) => {
    const store = (name: string) => `${folder}/store/${name}`;
    const parts = {
      kernel: store("linux-1"),
      initrd: store("initrd-1"),
      "kernel-modules": store("modules-1"),
      systemd: store("systemd-1"),
      etc: store("etc-1"),
    };
    const booted = `${folder}/booted`;
    await makeSystem(booted, parts);
    const table: [Partial<typeof parts>, string[]][] = [
      [{}, []],
      [{ etc: store("etc-2") }, []],
      [{ kernel: store("linux-2") }, ["kernel"]],
      [{ initrd: store("initrd-2") }, ["initrd"]],
      [{ "kernel-modules": store("modules-2") }, ["kernel modules"]],
      [{ systemd: store("systemd-2") }, ["systemd"]],
      [{ kernel: store("linux-2"), initrd: store("initrd-2") }, [
        "kernel",
        "initrd",
      ]],
    ];
    for (const [i, [changes, expected]] of table.entries()) {
      const system = `${folder}/system-${i}`;
      await makeSystem(system, { ...parts, ...changes });
      assertEquals(changedSinceBoot(system, booted), expected);
    }
    // One without a kernel, as in a container.
    await makeSystem(`${folder}/bare`, { etc: store("etc-1") });
    await makeSystem(`${folder}/also-bare`, { etc: store("etc-2") });
    const bare = changedSinceBoot(`${folder}/also-bare`, `${folder}/bare`);
    assertEquals(bare, []);
    assertEquals(changedSinceBoot(booted, `${folder}/none`), []);
  });
});
