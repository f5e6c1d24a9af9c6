/**
 * Finds the parts of a system that need a reboot.
 *
 * @module
 */
import { bootedLink } from "./system.ts";

/** The parts that only a reboot replaces, by their names in a system. */
const parts: Readonly<Record<string, string>> = {
  kernel: "kernel",
  initrd: "initrd",
  "kernel-modules": "kernel modules",
  systemd: "systemd",
};

/**
 * Returns the parts of a system that differ from those of the booted system;
 * none if the booted system is unknown, as in a container.
 *
 * @param booted The link to the booted system, or the system itself.
 */
export function changedSinceBoot(
  system: string,
  booted: string = bootedLink,
): string[] {
  if (pathOf(booted) === undefined) return [];
  return Object.entries(parts)
    .filter(([part]) =>
      pathOf(`${booted}/${part}`) !== pathOf(`${system}/${part}`)
    )
    .map(([, name]) => name);
}

/** Follows a path: in NixOS, each part is a link to a store path. */
function pathOf(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
