/**
 * Replaces a file that a person works with.
 *
 * @module
 */
import { dirname } from "@std/path";
import { ensureDir } from "@std/fs";
import { naming, syncFolder, writeAll } from "./files.ts";

/**
 * Replaces a file. At any moment, either the old or the new content is there,
 * whole. Mode and owner stay. A new file gets mode 0644 minus the umask, and
 * its folder is created.
 *
 * @param path Without links.
 */
export async function replaceFile(
  path: string,
  content: Uint8Array,
): Promise<void> {
  const old = await Deno.lstat(path).catch(() => undefined);
  await ensureDir(dirname(path));
  const temporary = `${path}.${crypto.randomUUID()}.new`;
  const file = await Deno.open(temporary, {
    write: true,
    createNew: true,
    mode: old ? 0o600 : 0o644,
  });
  try {
    try {
      await naming(path, async () => {
        await writeAll(file, content);
        await file.sync();
      });
    } finally {
      file.close();
    }
    if (old) {
      if (Deno.uid() === 0) await Deno.chown(temporary, old.uid, old.gid);
      await Deno.chmod(temporary, old.mode! & 0o7777);
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}
