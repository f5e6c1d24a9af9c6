/**
 * Checks whether this host can evaluate a revision in isolation, and why not.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Config } from "../config/schema.ts";
import type { UserIds } from "../host/confined_namespaces.ts";
import { hasSystemd } from "../host/system.ts";
import { nixSettings } from "./settings.ts";

/** The user that evaluates. The NixOS module creates it. */
export const evaluationUser = "gitops-sync-eval";

/** The folder of a plan in the state folder (lib/plan). */
export const planFolder = "plan";

/**
 * Returns the name of a unit for a state folder. A unit's name is fixed, and a
 * second user of it stops the first one. A plan must not stop the evaluation of
 * a run.
 *
 * @param unit The name that a run uses.
 */
export function unitIn(folder: string, unit: string): string {
  return folder.endsWith(`/${planFolder}`) ? `${unit}-plan` : unit;
}

/** The socket folder of the Nix daemon, which builds for unprivileged users. */
export const daemonFolder = "/nix/var/nix/daemon-socket";

/** How a revision is isolated from this host. */
export interface Route {
  /** `namespaces`: without systemd, and weaker. */
  how: "unit" | "namespaces";
  /** The user that evaluates. */
  ids: UserIds;
  /** A file of the Nix daemon that its users can still read. */
  netrc?: string;
}

/**
 * Returns how a revision can be isolated on this host.
 *
 * @returns the route, or in words why there is none.
 *
 * Without any of these conditions, the isolation does not work or does not
 * hold. For example, a daemon that trusts its user, or builds as root, reads
 * files for it.
 */
export async function routeHere(
  effects: Effects,
  config: Config,
): Promise<Route | string> {
  const outside = readsTheHost(config["build.options"]);
  if (outside !== undefined) {
    return `build.options has ${outside}, which reads files of the host`;
  }
  if (Deno.uid() !== 0) return "isolation needs root";
  const ids = await idsOf(evaluationUser);
  if (!ids) return `the user ${evaluationUser} does not exist`;
  if (!await isThere(`${daemonFolder}/socket`)) {
    return "the Nix daemon does not run";
  }
  // As the daemon reads them, without the settings of the current user.
  const settings = await nixSettings(effects, {
    NIX_USER_CONF_FILES: "/dev/null",
    NIX_CONFIG: "",
  });
  if (!settings) return "Nix does not show its settings";
  if (settings.buildUsersGroup === "" && !settings.allocatesUsers) {
    return "the Nix daemon has no build users (build-users-group), so it builds as root";
  }
  if (settings.trustedUsers.some(isMeant)) {
    return `the Nix daemon trusts ${evaluationUser} (trusted-users)`;
  }
  if (!settings.allowedUsers.some(isMeant)) {
    return `the Nix daemon refuses ${evaluationUser} (allowed-users)`;
  }
  const netrc = settings.netrcFile;
  return {
    how: hasSystemd() ? "unit" : "namespaces",
    ids,
    // `builtin:fetchurl` has a copy in its folder, and reads file:// URLs.
    ...await isThere(netrc) ? { netrc } : {},
  };
}

/** Returns an option of the host that does not work in isolation. */
function readsTheHost(options: readonly string[]): string | undefined {
  if (options.includes("--impure")) return "--impure";
  const at = options.findIndex((word, i) =>
    word === "--override-input" &&
    /^(?:(?:git\+)?file:|path:|[./])/.test(options[i + 2] ?? "") &&
    !/^(?:path:)?\/nix\/store\//.test(options[i + 2] ?? "")
  );
  return at === -1 ? undefined : `--override-input ${options[at + 1]}`;
}

/** Returns whether an entry of a list of users means the evaluation user. */
function isMeant(entry: string): boolean {
  return ["*", evaluationUser, `@${evaluationUser}`].includes(entry);
}

/** Returns the ids of a user (passwd(5)). */
async function idsOf(name: string): Promise<UserIds | undefined> {
  const text = await Deno.readTextFile("/etc/passwd").catch(() => "");
  const [, , uid, gid] = text.split("\n").map((line) => line.split(":"))
    .find(([user]) => user === name) ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
