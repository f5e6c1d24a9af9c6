/**
 * What of a system needs a reboot to be used.
 *
 * @module
 */
import { bootedLink } from "./system.ts";

/** What only a reboot replaces, by its name in a system. */
const parts: Readonly<Record<string, string>> = {
  kernel: "kernel",
  initrd: "initrd",
  "kernel-modules": "kernel modules",
  systemd: "systemd",
};

/**
 * The parts of a system that are not those that were booted; none where it is
 * not known what was, as in a container.
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

/** Where a path leads: in NixOS each part is a link to a store path. */
function pathOf(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
