/**
 * The boot counting of systemd-boot: an entry has a number of tries in its
 * name. The loader gives the entry up if no try was marked as good.
 * (https://systemd.io/AUTOMATIC_BOOT_ASSESSMENT)
 *
 * @module
 */
import { kernelText } from "../process/kernel.ts";

/** How many tries an entry has left, and how many were used. */
export interface Counter {
  left: number;
  done: number;
}

/** Returns the counter in the name of an entry, if it has one. */
export function counterOf(name: string): Counter | undefined {
  const [, left, done] = /\+(\d+)(?:-(\d+))?\.(?:conf|efi)$/.exec(name) ?? [];
  if (left === undefined) return undefined;
  return { left: Number(left), done: Number(done ?? 0) };
}

/** Returns the name of an entry without its counter. */
export function idOf(name: string): string {
  return name.replace(/\+\d+(-\d+)?\.conf$/, ".conf");
}

/** The EFI variable in which systemd-boot names the entry that it counted. */
const variable =
  "/sys/firmware/efi/efivars/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/** Returns whether the loader counts the current boot. */
export function isCounted(): boolean {
  try {
    return kernelText(variable) !== "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The paths of systemd-bless-boot(8), on NixOS and elsewhere. */
const blessPaths = [
  "/run/current-system/systemd/lib/systemd/systemd-bless-boot",
  "/usr/lib/systemd/systemd-bless-boot",
];

/** Returns the path of systemd-bless-boot(8), if it is installed. */
export function blessProgram(): string | undefined {
  return blessPaths.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}
