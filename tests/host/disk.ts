/**
 * A disk that forgets at a power cut whatever was not synced: ext4 in a file,
 * without the extras that hide a missing fsync from a rename
 * (`noauto_da_alloc`), and shut down without a flush of its log.
 *
 * @module
 */
import { output } from "../world/program.ts";

/** Shuts a file system down at once (ext4 and xfs, `EXT4_IOC_SHUTDOWN`). */
const shutDown = `import fcntl, os, struct, sys
folder = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(folder, 0x8004587d, struct.pack("I", 2))`;

/** A mounted disk; it is gone when it is disposed of. */
export class Disk implements AsyncDisposable {
  private constructor(
    /** The folder in which the disk is mounted. */
    readonly folder: string,
    readonly image: string,
  ) {}

  /**
   * Makes an empty disk and mounts it.
   *
   * @throws {Error} where this machine can't mount one.
   */
  static async make(): Promise<Disk> {
    const place = await Deno.makeTempDir({ prefix: "gitops-sync-disk-" });
    const disk = new Disk(`${place}/mounted`, `${place}/image`);
    try {
      await Deno.mkdir(disk.folder);
      await output(["truncate", "--size=32M", disk.image]);
      await output(["mkfs.ext4", "-q", "-F", disk.image]);
      await disk.#mount();
      await Deno.mkdir(disk.state);
      await output(["sync", "--file-system", disk.folder]);
      return disk;
    } catch (error) {
      await Deno.remove(place, { recursive: true });
      throw error;
    }
  }

  /** An empty folder on it. */
  get state(): string {
    return `${this.folder}/state`;
  }

  /** Why there can be no such disk on this machine, or `null`. */
  static async refusal(): Promise<string | null> {
    try {
      await using _ = await Disk.make();
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Cuts the power, and starts again with what is on the disk. */
  async powerCut(): Promise<void> {
    await output(["python3", "-c", shutDown, this.folder]);
    await this.#unmount();
    await this.#mount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#unmount();
    await Deno.remove(this.folder.replace(/\/mounted$/, ""), {
      recursive: true,
    });
  }

  async #mount(): Promise<void> {
    const options = "loop,noauto_da_alloc,commit=300";
    await output([
      "mount",
      "-t",
      "ext4",
      "-o",
      options,
      this.image,
      this.folder,
    ]);
  }

  /** Until the kernel has let go of the file, a mount would get the old one. */
  async #unmount(): Promise<void> {
    await output(["umount", this.folder]);
    while (await output(["losetup", "--associated", this.image]) !== "") {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
