/**
 * The boot counting of systemd-boot: an entry has a number of tries in its
 * name, and the loader gives it up where none of them was blessed.
 * (https://systemd.io/AUTOMATIC_BOOT_ASSESSMENT)
 *
 * @module
 */
import { kernelText } from "../process/kernel.ts";

/** How often an entry may still be tried, and was. */
export interface Counter {
  left: number;
  done: number;
}

/** The counter in the name of an entry, if it has one. */
export function counterOf(name: string): Counter | undefined {
  const [, left, done] = /\+(\d+)(?:-(\d+))?\.(?:conf|efi)$/.exec(name) ?? [];
  if (left === undefined) return undefined;
  return { left: Number(left), done: Number(done ?? 0) };
}

/** The name of an entry without its counter. */
export function idOf(name: string): string {
  return name.replace(/\+\d+(-\d+)?\.conf$/, ".conf");
}

/** Where systemd-boot says which entry it has counted (EFI variables). */
const variable =
  "/sys/firmware/efi/efivars/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/** Whether the boot of now is one that the loader counts. */
export function isCounted(): boolean {
  try {
    return kernelText(variable) !== "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Where the program is that blesses, on NixOS and elsewhere. */
const blessPaths = [
  "/run/current-system/systemd/lib/systemd/systemd-bless-boot",
  "/usr/lib/systemd/systemd-bless-boot",
];

/** The path of systemd-bless-boot(8), if it is there. */
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
