/**
 * Finds the new mounts of a system. A dry activation names removed and changed
 * mounts; a target mounts new ones.
 *
 * @module
 */
import { readIfThere } from "../host/files.ts";

/** Returns the units of new lines in fstab(5), which systemd mounts by itself. */
export function newMounts(before: string | null, after: string): string[] {
  const had = new Set(before === null ? [] : mountsOf(before));
  return mountsOf(after).filter((unit) => !had.has(unit));
}

function mountsOf(system: string): string[] {
  const lines = (readIfThere(`${system}/etc/fstab`) ?? "").split("\n");
  return lines.flatMap((line) => {
    const [device, folder, type, options = ""] = line.trim().split(/\s+/);
    if (!folder || device!.startsWith("#")) return [];
    if (options.split(",").includes("noauto")) return [];
    return type === "swap"
      ? [`${escapedPath(device!)}.swap`]
      : [`${escapedPath(folder)}.mount`];
  });
}

/** Escapes a path for the name of a unit (systemd-escape(1), `--path`). */
export function escapedPath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length === 0) return "-";
  const hex = (letter: string) =>
    Array.from(
      new TextEncoder().encode(letter),
      (byte) => `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join("");
  return parts.join("/").replace(/[^A-Za-z0-9:_./]|^\./gu, hex)
    .replaceAll("/", "-");
}
