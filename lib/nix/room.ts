/**
 * Checks that a revision and its system fit into /nix.
 *
 * @module
 */
import { type Room, roomAt } from "../host/disk.ts";
import { SyncError } from "../base/errors.ts";
import { formatSize } from "../base/size.ts";

/**
 * Checks whether the next downloads of Nix fit.
 *
 * @param unpacked The bytes of the downloads in the store.
 * @param least The bytes that must stay free.
 * @throws {SyncError} `disk-low`, stage `build`, retried by itself.
 */
export function refuseToFetch(
  unpacked: number,
  least: number,
  room = roomAt("/nix/store"),
): void {
  refuseToFill(unpacked, "to fetch", least, room);
}

/** A store path has some ten files; a build has some thousand paths. */
export const fewestFiles = 20_000;

/**
 * Checks whether the files of a revision fit, which Nix copies to the store.
 *
 * @param total Their bytes.
 * @param entries How many files and folders they are.
 * @throws {SyncError} as {@linkcode refuseToFetch} does, or `inodes-low`.
 */
export function refuseToCopy(
  total: number,
  entries: number,
  least: number,
  room = roomAt("/nix/store"),
): void {
  refuseToFill(total, "of files to evaluate", least, room);
  if (!room || entries + fewestFiles <= room.files) return;
  throw new SyncError(
    `Cannot build: the revision has ${entries} files and folders, but only ${room.files} more can be created in /nix`,
    {
      stage: "build",
      reason: "inodes-low",
      next: "retry",
      hints: [
        "Free some inodes: `nix-collect-garbage --delete-older-than 30d`. The next run tries again.",
      ],
    },
  );
}

export function refuseToFill(
  bytes: number,
  what: string,
  least: number,
  room: Room | undefined,
): void {
  if (!room || bytes + least <= room.bytes) return;
  throw new SyncError(
    `Cannot build: there are ${formatSize(bytes)} ${what}, and ${
      formatSize(least)
    } must stay free (preflight.freeSpace), but /nix has only ${
      formatSize(room.bytes)
    } free`,
    {
      stage: "build",
      reason: "disk-low",
      next: "retry",
      hints: [
        "Free some space: `nix-collect-garbage --delete-older-than 30d`. The next run tries again.",
      ],
    },
  );
}
