/**
 * Reads which system the bootloader starts, from the bootloader's own files.
 * The files can fail to be written without an error: a full /boot has done
 * that.
 *
 * @module
 */
import { type Counter, counterOf, idOf } from "./boot_count.ts";
import { readIfThere } from "./files.ts";
import { systemProfile } from "./system.ts";

/** A bootloader with existing files, and the system that it starts. */
export interface BootEntry {
  loader: "systemd-boot" | "GRUB" | "extlinux";
  /** `null` if its default entry names no system. */
  system: string | null;
}

/** Where the EFI system partition and the boot partition are mounted. */
const places = ["/boot", "/efi", "/boot/efi"];

/**
 * Returns the default entries of all bootloaders whose files exist. One of them
 * may no longer be in use.
 */
export function bootEntries(): BootEntry[] {
  return [...systemdBoot(places), ...grub(), ...extlinux()];
}

/** Returns the default entry of systemd-boot in each of these partitions. */
export function systemdBoot(places: readonly string[]): BootEntry[] {
  return places.flatMap((place) => {
    const conf = readIfThere(`${place}/loader/loader.conf`);
    const pattern = conf === undefined ? undefined : loaderDefault(conf);
    if (pattern === undefined) return [];
    // Entries may be on a partition of their own (XBOOTLDR).
    const folders = [place, ...places].map((one) => `${one}/loader/entries`);
    const text = folders.map((folder) => entryIn(folder, pattern))
      .find((text) => text !== undefined);
    return [{ loader: "systemd-boot", system: systemIn(text ?? "") }];
  });
}

function entryIn(folder: string, pattern: string): string | undefined {
  const exact = readIfThere(`${folder}/${pattern}`);
  if (exact !== undefined) return exact;
  const names = listOf(folder).filter((name) =>
    matches(name, pattern) || matches(idOf(name), pattern)
  );
  // The loader starts the first entry of its menu. The newest is first; those
  // that it has given up are last.
  const name =
    names.sort((a, b) =>
      Number(isGivenUp(a)) - Number(isGivenUp(b)) ||
      idOf(b).localeCompare(idOf(a), "en", { numeric: true })
    )[0];
  return name === undefined ? undefined : readIfThere(`${folder}/${name}`);
}

const isGivenUp = (name: string) => counterOf(name)?.left === 0;

/**
 * Returns the counters of a system's entries for systemd-boot, kernel images
 * included; none if there are no entries or no counters.
 */
export function countersOf(system: string): Counter[] {
  return places.flatMap((place) => {
    const entries = `${place}/loader/entries`;
    const ofEntries = listOf(entries).filter((name) =>
      systemIn(readIfThere(`${entries}/${name}`) ?? "") === system
    );
    const images = listOf(`${place}/EFI/Linux`).filter((name) =>
      generationOf(name) === system
    );
    return [...ofEntries, ...images].flatMap((name) => counterOf(name) ?? []);
  });
}

/** Returns whether any entry for systemd-boot has a counter. */
export function hasCounters(): boolean {
  return places.some((place) =>
    [`${place}/loader/entries`, `${place}/EFI/Linux`].some((folder) =>
      listOf(folder).some((name) => counterOf(name) !== undefined)
    )
  );
}

/** Returns the system of the generation in the name of a kernel image. */
function generationOf(name: string): string | undefined {
  const number = /^nixos-generation-(\d+)[-+.]/.exec(name)?.[1];
  if (number === undefined) return undefined;
  try {
    return Deno.realPathSync(`${systemProfile}-${number}-link`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function listOf(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function matches(name: string, pattern: string): boolean {
  const [first = "", ...others] = pattern.split("*");
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return pattern.endsWith("*") || at === name.length;
}

function grub(): BootEntry[] {
  const cfg = readIfThere("/boot/grub/grub.cfg");
  return cfg === undefined
    ? []
    : [{ loader: "GRUB", system: grubDefault(cfg) }];
}

function extlinux(): BootEntry[] {
  const conf = readIfThere("/boot/extlinux/extlinux.conf");
  return conf === undefined
    ? []
    : [{ loader: "extlinux", system: extlinuxDefault(conf) }];
}

/**
 * Returns the entry that loader.conf names; it may contain `*`
 * (loader.conf(5)).
 */
export function loaderDefault(conf: string): string | undefined {
  return /^default\s+(\S+)/m.exec(conf)?.[1];
}

/** Returns the system of GRUB's default menu entry, by its number. */
export function grubDefault(cfg: string): string | null {
  const chosen = [...cfg.matchAll(/^\s*set default="?(\d+)"?\s*$/gm)].at(-1);
  const wanted = Number(chosen?.[1] ?? 0);
  // Entries of submenus are inside the braces of their submenu.
  let depth = 0, number = -1, text = "";
  for (const line of cfg.split("\n")) {
    if (depth === 0 && /^\s*(menuentry|submenu)\s/.test(line)) number++;
    if (number === wanted) text += `${line}\n`;
    if (/\{\s*$/.test(line)) depth++;
    if (/^\s*\}\s*$/.test(line)) depth = Math.max(0, depth - 1);
    if (depth === 0 && number === wanted) break;
  }
  return systemIn(text);
}

/** Returns the system of the default label of extlinux. */
export function extlinuxDefault(conf: string): string | null {
  const label = /^\s*DEFAULT\s+(\S+)/im.exec(conf)?.[1];
  const parts = conf.split(/^\s*LABEL\s+/im).slice(1);
  const part = parts.find((text) => text.split(/\s/, 1)[0] === label);
  return systemIn(part ?? "");
}

/** Returns the system whose init is on a kernel command line of NixOS. */
export function systemIn(text: string): string | null {
  return /\binit=(\/nix\/store\/[^/\s]+)\/init\b/.exec(text)?.[1] ?? null;
}
