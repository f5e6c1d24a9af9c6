import { assert, assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { privateFolder } from "../../lib/host/private_folder.ts";

Deno.test("many at once remove what killed runs left, and nothing else", async () => {
  const { path: own } = await privateFolder();
  const base = own.slice(0, own.lastIndexOf("/"));
  // More than the kernel numbers processes by (proc(5), "pid_max").
  const left = Array.from(
    { length: 20 },
    (_, i) => `${base}/5000001.test${i}`,
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
    assert(!names.some((name) => name.startsWith("5000001.")), names.join());
    assert(Deno.statSync(own).isDirectory);
  } finally {
    await Deno.remove(own);
  }
});

Deno.test("a folder that somebody else may have planted is not used", async () => {
  const own = Deno.env.get("RUNTIME_DIRECTORY");
  const base = await Deno.makeTempDir({ dir: "/dev/shm" });
  const planted = `${base}/gitops-sync-private.${Deno.uid()}`;
  const plants: Readonly<Record<string, () => unknown>> = {
    "a link": () => Deno.symlinkSync("/tmp", planted),
    "a file": () => Deno.writeTextFileSync(planted, ""),
    "an open folder": () => {
      Deno.mkdirSync(planted);
      Deno.chmodSync(planted, 0o755);
    },
  };
  Deno.env.set("RUNTIME_DIRECTORY", base);
  try {
    for (const [what, plant] of Object.entries(plants)) {
      plant();
      const error = await assertRejects(privateFolder, SyncError) as SyncError;
      assertEquals(error.reason, "memory-folder-planted", what);
      Deno.removeSync(planted);
    }
    await using folder = await privateFolder();
    assert(folder.path.startsWith(`${planted}/`));
  } finally {
    if (own === undefined) Deno.env.delete("RUNTIME_DIRECTORY");
    else Deno.env.set("RUNTIME_DIRECTORY", own);
    await Deno.remove(base, { recursive: true });
  }
});

Deno.test("a folder in memory that is another user's is not used", async () => {
  const names = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"];
  const before = names.map((name) => Deno.env.get(name));
  const own = await Deno.makeTempDir({ dir: "/dev/shm" });
  const theirs = await Deno.makeTempDir({ dir: "/dev/shm" });
  try {
    Deno.env.delete("RUNTIME_DIRECTORY");
    Deno.env.set("XDG_RUNTIME_DIR", own);
    {
      await using folder = await privateFolder();
      assert(folder.path.startsWith(`${own}/`), folder.path);
    }
    // As after `sudo -E` and `su`, which keep the variable.
    await Deno.chown(theirs, 65534, 65534);
    Deno.env.set("XDG_RUNTIME_DIR", theirs);
    await using folder = await privateFolder();
    assert(!folder.path.startsWith(theirs), folder.path);
    assertEquals([...Deno.readDirSync(theirs)], []);
  } finally {
    for (const [i, name] of names.entries()) {
      const value = before[i];
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
    for (const path of [own, theirs]) {
      await Deno.remove(path, { recursive: true });
    }
  }
});
