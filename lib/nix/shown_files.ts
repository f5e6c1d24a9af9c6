/**
 * Lists what an evaluation can see of this host: public files and variables,
 * and a mirror.
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

/**
 * Our environment variables that the unit may have. They name no credential.
 */
const harmless = [
  ...certificates,
  ...passedOn.filter((name) =>
    /^(?:PATH|LANG|LOCALE_ARCHIVE)$|_proxy$/i.test(name)
  ),
];

/** Programs that the unit runs. */
const programs = ["nixos-rebuild", "nix", "git"];

/**
 * Returns the mirror and its path in the unit. A path below the working folder
 * of a request is below the working folder of the unit, too.
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
 * Returns Nix's settings, which the unit has at the usual path. A file that
 * they include does not exist in the unit, and may hold a token. So each
 * include becomes optional (nix.conf(5), "!include").
 *
 * @param folder A folder of ours.
 */
export async function settingsOfNix(folder: string): Promise<Shown> {
  const from = `${Deno.env.get("NIX_CONF_DIR") ?? "/etc/nix"}/nix.conf`;
  const to = "/etc/nix/nix.conf";
  const include = /^([^\S\n]*)include(?=\s)/gm;
  const mode = await Deno.stat(from).then((one) => one.mode, () => null);
  // A file that is not public stays so: the unit runs without it.
  const isPublic = mode !== null && (mode & 0o004) !== 0;
  const text = isPublic ? await Deno.readTextFile(from) : "";
  if (text.search(include) === -1) return { from, to, optional: true };
  const copy = `${folder}/nix.conf`;
  await Deno.writeTextFile(copy, text.replace(include, "$1!include"));
  await Deno.chmod(copy, 0o644);
  return { from: copy, to };
}

/** Returns programs and certificates at unusual paths. */
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

/** Returns the real path of a program on PATH. */
function whereIs(name: string): string | undefined {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      return Deno.realPathSync(`${folder}/${name}`);
    } catch {
      // It is in another folder.
    }
  }
  return undefined;
}

/** Returns our environment variables that everyone may see. */
export function publicVariables(): Record<string, string> {
  return Object.fromEntries(harmless.flatMap((name) => {
    const value = Deno.env.get(name);
    // The URL of a proxy may hold a password.
    const isPublic = value !== undefined && !/:\/\/[^/]*@|^[^/]*@/.test(value);
    return isPublic ? [[name, value]] : [];
  }));
}

/**
 * Makes a folder readable for everyone. Only the unit can reach it, because its
 * parent folder stays closed.
 */
export async function makeReadable(folder: string): Promise<void> {
  await Deno.chmod(folder, 0o755);
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) await makeReadable(path);
    if (!isFile) continue;
    const { mode } = await Deno.lstat(path);
    if ((mode! & 0o044) !== 0o044) await Deno.chmod(path, mode! | 0o044);
  }
}
