/**
 * Which system the bootloader starts, read from its own files, because one can
 * fail to be written and say nothing (a full /boot has done that).
 *
 * @module
 */
import { type Counter, counterOf, idOf } from "./boot_count.ts";
import { readIfThere } from "./files.ts";
import { systemProfile } from "./system.ts";

/** A bootloader whose files are there, and the system that it starts. */
export interface BootEntry {
  loader: "systemd-boot" | "GRUB" | "extlinux";
  /** `null` where its default entry names no system. */
  system: string | null;
}

/** Where the EFI system partition and the boot partition are mounted. */
const places = ["/boot", "/efi", "/boot/efi"];

/**
 * The default entries of all bootloaders whose files are found. There can be
 * files of one that is no longer used.
 */
export function bootEntries(): BootEntry[] {
  return [...systemdBoot(places), ...grub(), ...extlinux()];
}

/** The default entry of systemd-boot in each of these partitions. */
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
  // The loader takes the first of its menu, where the newest stands first, and
  // what it has given up last.
  const name =
    names.sort((a, b) =>
      Number(isGivenUp(a)) - Number(isGivenUp(b)) ||
      idOf(b).localeCompare(idOf(a), "en", { numeric: true })
    )[0];
  return name === undefined ? undefined : readIfThere(`${folder}/${name}`);
}

const isGivenUp = (name: string) => counterOf(name)?.left === 0;

/**
 * The counters of a system's entries for systemd-boot, kernel images included;
 * none where its entries have none, or where there are none.
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

/** The system of the generation that a kernel image is named after. */
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

/** The entry that loader.conf names; it may have `*` in it (loader.conf(5)). */
export function loaderDefault(conf: string): string | undefined {
  return /^default\s+(\S+)/m.exec(conf)?.[1];
}

/** The system that GRUB's default menu entry starts, by its number. */
export function grubDefault(cfg: string): string | null {
  const chosen = [...cfg.matchAll(/^\s*set default="?(\d+)"?\s*$/gm)].at(-1);
  const wanted = Number(chosen?.[1] ?? 0);
  // Entries of submenus are indented by their submenu's braces.
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

/** The system that the default label of extlinux starts. */
export function extlinuxDefault(conf: string): string | null {
  const label = /^\s*DEFAULT\s+(\S+)/im.exec(conf)?.[1];
  const parts = conf.split(/^\s*LABEL\s+/im).slice(1);
  const part = parts.find((text) => text.split(/\s/, 1)[0] === label);
  return systemIn(part ?? "");
}

/** The system whose init is started, as NixOS gives it to the kernel. */
export function systemIn(text: string): string | null {
  return /\binit=(\/nix\/store\/[^/\s]+)\/init\b/.exec(text)?.[1] ?? null;
}
