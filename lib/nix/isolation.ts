/**
 * Whether this host can evaluate a revision without its own power, and if not,
 * why.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Config } from "../config/schema.ts";
import { hasSystemd } from "../host/system.ts";
import { nixSettings } from "./settings.ts";

/** The user that evaluates. The module makes it. */
export const evaluationUser = "gitops-sync-eval";

/** The Nix daemon, which builds for users without rights. */
export const daemonFolder = "/nix/var/nix/daemon-socket";

/**
 * Why a revision can't be isolated here, in words; nothing where it can.
 *
 * Each condition is one without which the isolation does not work, or does not
 * hold: a daemon that trusts its user, or builds as root, reads files for it.
 */
export async function whyNotIsolated(
  effects: Effects,
  config: Config,
): Promise<string | undefined> {
  const outside = readsTheHost(config["build.options"]);
  if (outside !== undefined) {
    return `build.options has ${outside}, which reads files of the host`;
  }
  if (!hasSystemd()) return "systemd does not run here";
  if (Deno.uid() !== 0) return "only root can start another user's unit";
  if (!await isUser(evaluationUser)) {
    return `there is no user ${evaluationUser}`;
  }
  if (!await isThere(`${daemonFolder}/socket`)) {
    return "there is no Nix daemon";
  }
  // As the daemon reads them: no settings of the user who asks.
  const settings = await nixSettings(effects, {
    NIX_USER_CONF_FILES: "/dev/null",
    NIX_CONFIG: "",
  });
  if (!settings) return "Nix does not tell its settings";
  if (settings.buildUsersGroup === "" && !settings.allocatesUsers) {
    return "the Nix daemon has no build users (build-users-group), so it builds as root";
  }
  if (settings.trustedUsers.some(isMeant)) {
    return `the Nix daemon trusts ${evaluationUser} (trusted-users)`;
  }
  if (!settings.allowedUsers.some(isMeant)) {
    return `the Nix daemon refuses ${evaluationUser} (allowed-users)`;
  }
  return undefined;
}

/** An option of the host that an isolated evaluation could not follow. */
function readsTheHost(options: readonly string[]): string | undefined {
  if (options.includes("--impure")) return "--impure";
  const at = options.findIndex((word, i) =>
    word === "--override-input" &&
    /^(?:(?:git\+)?file:|path:|[./])/.test(options[i + 2] ?? "") &&
    !/^(?:path:)?\/nix\/store\//.test(options[i + 2] ?? "")
  );
  return at === -1 ? undefined : `--override-input ${options[at + 1]}`;
}

/** Whether an entry of a list of users means the one that evaluates. */
function isMeant(entry: string): boolean {
  return ["*", evaluationUser, `@${evaluationUser}`].includes(entry);
}

async function isUser(name: string): Promise<boolean> {
  const text = await Deno.readTextFile("/etc/passwd").catch(() => "");
  return text.split("\n").some((line) => line.startsWith(`${name}:`));
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
