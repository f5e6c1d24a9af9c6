/**
 * Files in memory. Deno does not let our program use /dev, and so /dev/shm,
 * because it may not do everything (nix/build.sh). Other programs do the work
 * there.
 *
 * @module
 */
import { dirname } from "@std/path";
import { ensureDir } from "@std/fs";
import { runNow } from "../process/command.ts";
import { run } from "../process/run_command.ts";

/** A file or folder; links are not followed. */
export interface Entry {
  isDirectory: boolean;
  uid: number;
  /** The permission bits. */
  mode: number;
}

/** Milliseconds for a file of a few kilobytes. */
const patience = 30_000;

/** A folder whose files only its owner may read. */
export class MemoryFolder implements AsyncDisposable {
  constructor(
    /** Its path, for programs. */
    readonly path: string,
  ) {}

  /** Creates the parent folders of a name. */
  async prepare(name: string): Promise<void> {
    const folder = dirname(`${this.path}/${name}`);
    await either(
      () => ensureDir(folder),
      () => void must("mkdir", ["-p", "--", folder]),
    );
  }

  /** Writes a new file, and creates its parent folders. */
  async write(name: string, content: Uint8Array): Promise<void> {
    const path = `${this.path}/${name}`;
    await this.prepare(name);
    await either(async () => {
      await Deno.writeFile(path, content, { createNew: true, mode: 0o600 });
    }, async () => {
      const args = ["--", path];
      const { code, stderr } = await run({
        program: "tee",
        args,
        input: content,
        capture: false,
        timeout: patience,
      });
      if (code !== 0) throw new Error(stderr);
    });
  }

  /**
   * Reads a file.
   *
   * @throws {Deno.errors.NotFound} where there is none.
   */
  async read(name: string): Promise<Uint8Array> {
    const path = `${this.path}/${name}`;
    return await either(() => Deno.readFile(path), async () => {
      const args = ["--", path];
      const { code, stdout } = await run({
        program: "cat",
        args,
        timeout: patience,
      });
      if (code !== 0) throw new Deno.errors.NotFound(path);
      return stdout;
    });
  }

  /** Removes the folder with its content. */
  async [Symbol.asyncDispose](): Promise<void> {
    await removeAll(this.path);
  }
}

/**
 * Creates a folder that nobody else may enter.
 *
 * @returns whether it is new.
 */
export async function makeFolder(path: string): Promise<boolean> {
  return await either(async () => {
    try {
      await Deno.mkdir(path, { mode: 0o700 });
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw error;
    }
    // Whatever the umask is.
    await Deno.chmod(path, 0o700);
    return true;
  }, () => runNow("mkdir", ["--mode=700", "--", path]).code === 0);
}

/**
 * Reads the owner and the mode of a path.
 *
 * @throws {Deno.errors.NotFound} if it does not exist.
 */
export async function entryAt(path: string): Promise<Entry> {
  return await either(async () => {
    const { isDirectory, uid, mode } = await Deno.lstat(path);
    return { isDirectory, uid: uid!, mode: mode! & 0o777 };
  }, () => {
    const { code, stdout } = runNow("stat", ["--format=%f %u", "--", path]);
    if (code !== 0) throw new Deno.errors.NotFound(path);
    const [bits, uid] = stdout.trim().split(" ");
    const mode = parseInt(bits!, 16);
    // inode(7), "The file type and mode".
    return {
      isDirectory: (mode & 0o170000) === 0o040000,
      uid: Number(uid),
      mode: mode & 0o777,
    };
  });
}

/** Returns the names in a folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return await either(
    () => Array.from(Deno.readDirSync(folder), ({ name }) => name),
    () => must("ls", ["-1A", "--", folder]).split("\n").filter(Boolean),
  );
}

/**
 * Removes a folder with its content.
 *
 * @throws {Deno.errors.NotFound} if it does not exist, unless `rm` removes it.
 */
export async function removeAll(path: string): Promise<void> {
  await either(
    () => Deno.remove(path, { recursive: true }),
    () => void must("rm", ["-rf", "--", path]),
  );
}

/**
 * Does something in this process, or with other programs if Deno forbids it.
 */
async function either<T>(
  itself: () => T | Promise<T>,
  byOthers: () => T | Promise<T>,
): Promise<T> {
  try {
    return await itself();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    return await byOthers();
  }
}

function must(program: string, args: string[]): string {
  const { code, stdout } = runNow(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${code}`);
  return stdout;
}
