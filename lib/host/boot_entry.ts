/**
 * Which system the bootloader starts, read from its own files, because one can
 * fail to be written and say nothing (a full /boot has done that).
 *
 * @module
 */
import { readIfThere } from "./files.ts";

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
  return [...systemdBoot(), ...grub(), ...extlinux()];
}

function systemdBoot(): BootEntry[] {
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
  if (!pattern.includes("*")) return readIfThere(`${folder}/${pattern}`);
  const names = listOf(folder).filter((name) => matches(name, pattern));
  // The loader takes the first of its menu, where the newest stands first.
  const name =
    names.sort((a, b) => b.localeCompare(a, "en", { numeric: true }))[0];
  return name === undefined ? undefined : readIfThere(`${folder}/${name}`);
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
