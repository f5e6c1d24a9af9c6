import { assert, assertEquals } from "@std/assert";
import { privateFolder } from "../../lib/host/private_folder.ts";

Deno.test("many at once remove what killed runs left, and nothing else", async () => {
  const { path: own } = await privateFolder();
  const base = own.slice(0, own.lastIndexOf("/"));
  // More than the kernel numbers processes by (proc(5), "pid_max").
  const left = Array.from(
    { length: 20 },
    (_, i) => `${base}/gitops-sync-private.5000001.test${i}`,
  );
  try {
    for (const path of left) {
      await Deno.mkdir(`${path}/deep`, { recursive: true });
    }
    await Promise.all(Array.from({ length: 10 }, async () => {
      await using folder = await privateFolder();
      assertEquals(Deno.statSync(folder.path).mode! & 0o777, 0o700);
    }));
    const names = Array.from(Deno.readDirSync(base), ({ name }) => name);
    assert(!names.some((name) => name.includes(".5000001.")), names.join());
    assert(Deno.statSync(own).isDirectory);
  } finally {
    await Deno.remove(own);
  }
});
