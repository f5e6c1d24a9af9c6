/**
 * What of this host an evaluation can see: public files and variables, and a
 * mirror.
 *
 * @module
 */
import type { Shown } from "../host/confined_unit.ts";
import { passedOn } from "../process/command.ts";
import { daemonFolder } from "./isolation.ts";

// Public files that Nix, Git and the programs of the host need.
export const publicFiles: readonly Shown[] = [
  { from: "/nix/store" },
  { from: daemonFolder },
  ...[
    ...["/bin", "/lib", "/lib64", "/sbin", "/usr"],
    ...["/run/current-system/sw", "/etc/static"],
    "/etc/nix/registry.json",
    ...["/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/services"],
    ...["/etc/hosts", "/etc/resolv.conf", "/etc/protocols"],
    ...["/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/ca-certificates"],
  ].map((from): Shown => ({ from, optional: true })),
];

const certificates = passedOn.filter((name) =>
  /^(?:SSL_CERT_|CURL_CA_|GIT_SSL_|NIX_SSL_)/.test(name)
);

/** Variables of ours that the unit may have. They name no credential. */
const harmless = [
  ...certificates,
  ...passedOn.filter((name) =>
    /^(?:PATH|LANG|LOCALE_ARCHIVE)$|_proxy$/i.test(name)
  ),
];

/** Programs that the unit runs, wherever they are. */
const programs = ["nixos-rebuild", "nix", "git"];

/**
 * The mirror, where the unit sees it. What a request calls a folder of the
 * working folder is one in the unit's, too.
 *
 * @param state The state folder.
 * @param runtime The working folder of the unit.
 */
export function mirrorFor(
  mirror: string,
  state: string,
  runtime: string,
): { from: string; to: string } {
  const here = /^\/proc\/self\/cwd(?=\/)/;
  return {
    from: mirror.replace(here, () => state),
    to: mirror.replace(here, () => runtime),
  };
}

/**
 * Nix's settings, which the unit has in the usual place. A file that they must
 * include is not there, and may hold a token: it becomes one that may be missing
 * (nix.conf(5), "!include").
 *
 * @param folder A folder of ours.
 */
export async function settingsOfNix(folder: string): Promise<Shown> {
  const from = `${Deno.env.get("NIX_CONF_DIR") ?? "/etc/nix"}/nix.conf`;
  const to = "/etc/nix/nix.conf";
  const include = /^([^\S\n]*)include(?=\s)/gm;
  const mode = await Deno.stat(from).then((one) => one.mode, () => null);
  // One that is not for everyone stays so: the unit goes without it.
  const isPublic = mode !== null && (mode & 0o004) !== 0;
  const text = isPublic ? await Deno.readTextFile(from) : "";
  if (text.search(include) === -1) return { from, to, optional: true };
  const copy = `${folder}/nix.conf`;
  await Deno.writeTextFile(copy, text.replace(include, "$1!include"));
  await Deno.chmod(copy, 0o644);
  return { from: copy, to };
}

/** Programs and certificates that lie elsewhere than usual. */
export function elsewhere(): Shown[] {
  const files = certificates.map((name) => Deno.env.get(name));
  const found = programs.map((name) => whereIs(name));
  return [...files, ...found]
    .filter((path) => path !== undefined && path.startsWith("/"))
    .filter((path) =>
      !/^\/(?:nix\/store|usr|bin|etc\/ssl\/certs)\//.test(path!)
    )
    .map((path) => ({ from: path!, optional: true }));
}

/** Where a program on PATH really is. */
function whereIs(name: string): string | undefined {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      return Deno.realPathSync(`${folder}/${name}`);
    } catch {
      // It is in another one.
    }
  }
  return undefined;
}

/** Variables of ours that everyone may see. */
export function publicVariables(): Record<string, string> {
  return Object.fromEntries(harmless.flatMap((name) => {
    const value = Deno.env.get(name);
    // The address of a proxy may hold a password.
    const isPublic = value !== undefined && !/:\/\/[^/]*@|^[^/]*@/.test(value);
    return isPublic ? [[name, value]] : [];
  }));
}

/**
 * Lets everyone read what is in a folder, which nobody reaches but through the
 * unit: the folder around it stays closed.
 */
export async function letRead(folder: string): Promise<void> {
  await Deno.chmod(folder, 0o755);
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) await letRead(path);
    if (!isFile) continue;
    const { mode } = await Deno.lstat(path);
    if ((mode! & 0o044) !== 0o044) await Deno.chmod(path, mode! | 0o044);
  }
}
