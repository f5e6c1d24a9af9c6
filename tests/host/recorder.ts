/**
 * A disk that writes down each write to it, so that the host can be looked at as
 * a power cut after any of them would have left it (recorder.py).
 *
 * The kernel's own dm-log-writes does that too, where it has device-mapper.
 *
 * @module
 */
import { output } from "../world/program.ts";

const program = new URL("recorder.py", import.meta.url).pathname;

/** Bytes of the disk. */
const size = 16 * 2 ** 20;

/** How ext4 is mounted: nothing hides that something was not synced. */
const options = "noauto_da_alloc,commit=300";

/** A write, or a flush without data. */
interface Write {
  offset: bigint;
  data: Uint8Array;
}

const flush = 2n ** 64n - 1n;

/** A mounted disk; it is gone when it is disposed of. */
export class Recorder implements AsyncDisposable {
  private constructor(
    readonly place: string,
    private readonly server: Deno.ChildProcess,
    private readonly loop: string,
  ) {}

  /** The folder in which the disk is mounted. */
  get folder(): string {
    return `${this.place}/mounted`;
  }

  /** What is written down: records of recorder.py. */
  get log(): string {
    return `${this.place}/log`;
  }

  /**
   * Makes an empty disk, mounts it, and writes down what comes from then on.
   *
   * @throws {Error} where this machine can't.
   */
  static async make(): Promise<Recorder> {
    const place = await Deno.makeTempDir({ prefix: "gitops-sync-recorder-" });
    for (const name of ["fuse", "mounted", "replayed"]) {
      await Deno.mkdir(`${place}/${name}`);
    }
    const server = new Deno.Command("python3", {
      args: [program, `${place}/fuse`, String(size), `${place}/log`],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const reader = server.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    if (!value) throw new Error("the recorder does not begin");
    try {
      const disk = `${place}/fuse/disk`;
      const loop = await output(["losetup", "--find", "--show", disk]);
      const recorder = new Recorder(place, server, loop);
      await output(["mkfs.ext4", "-q", "-F", "-E", "nodiscard", loop]);
      await output(["mount", "-o", options, loop, recorder.folder]);
      return recorder;
    } catch (error) {
      await output(["umount", "--lazy", `${place}/fuse`]);
      throw error;
    }
  }

  /** Why there can be none on this machine, or `null`. */
  static async refusal(): Promise<string | null> {
    try {
      await using _ = await Recorder.make();
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** The bytes that were written down so far. */
  position(): number {
    return Deno.statSync(this.log).size;
  }

  /**
   * Looks at the disk as it is after each write from a position on.
   *
   * @param look Given the folder, and the position of the write.
   * @param every Looks at each so manieth write alone, which takes less time.
   * @returns how many looks were taken.
   */
  async replay(
    from: number,
    look: (folder: string, position: number) => void | Promise<void>,
    every = 1,
  ): Promise<number> {
    const image = `${this.place}/image`;
    using file = await Deno.open(image, {
      create: true,
      read: true,
      write: true,
    });
    await file.truncate(size);
    let looks = 0, writes = 0;
    for (const { position, offset, data } of writesIn(this.log)) {
      if (offset === flush) continue;
      await file.seek(Number(offset), Deno.SeekMode.Start);
      let rest = data;
      while (rest.length > 0) rest = rest.subarray(await file.write(rest));
      if (position <= from || writes++ % every !== 0) continue;
      await this.#lookAt(image, (folder) => look(folder, position));
      looks++;
    }
    return looks;
  }

  /** A mount works off the journal, and so changes what it mounts: a copy. */
  async #lookAt(image: string, look: (folder: string) => void | Promise<void>) {
    const copy = `${image}.copy`;
    const folder = `${this.place}/replayed`;
    await output(["cp", "--sparse=always", image, copy]);
    await output(["mount", "-o", `loop,${options}`, copy, folder]);
    try {
      await look(folder);
    } finally {
      await output(["umount", folder]);
      // A new file: the kernel may hold the old one for a moment.
      await Deno.remove(copy);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await output(["umount", this.folder]);
    await output(["losetup", "--detach", this.loop]);
    // The loop device lets go of the file a moment later.
    await output(["umount", "--lazy", `${this.place}/fuse`]);
    // Whoever made a mount namespace meanwhile has the mount as well, and would
    // keep the server alive.
    try {
      this.server.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.server.status;
    await Deno.remove(this.place, { recursive: true });
  }
}

/** Each with the position of its end. */
function* writesIn(log: string): Generator<Write & { position: number }> {
  const bytes = Deno.readFileSync(log);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = 0; at < bytes.length;) {
    const offset = view.getBigUint64(at, true);
    const length = view.getUint32(at + 8, true);
    const position = at + 12 + length;
    yield { position, offset, data: bytes.subarray(at + 12, position) };
    at = position;
  }
}
