/**
 * Reads the settings of Nix on this host, as Nix itself does.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";

/** The relevant settings. Never show them: some hold tokens. */
export interface NixSettings {
  buildUsersGroup: string;
  allocatesUsers: boolean;
  allowedUsers: readonly string[];
  trustedUsers: readonly string[];
  netrcFile: string;
  /** The places that have an access token, e.g. `github.com/org`. */
  tokenPlaces: readonly string[];
}

/**
 * Queries Nix for its settings.
 *
 * @param env Environment variables, which can name more configuration files.
 * @param options More arguments, e.g. `--option NAME VALUE`.
 * @returns `undefined` if Nix does not show them.
 */
export async function nixSettings(
  effects: Effects,
  env: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<NixSettings | undefined> {
  // Before Nix 2.20, the command had the other name.
  for (const words of [["config", "show"], ["show-config"]]) {
    const finished = await effects.run({
      program: "nix",
      args: [
        ...["--extra-experimental-features", "nix-command"],
        ...words,
        "--json",
        ...options,
      ],
      env,
      timeout: 60_000,
    });
    if (finished.code !== 0) continue;
    return settingsIn(new TextDecoder().decode(finished.stdout));
  }
  return undefined;
}

/** Reads the answer. A value of an unexpected type counts as unknown. */
export function settingsIn(json: string): NixSettings | undefined {
  try {
    const all = JSON.parse(json) as Record<string, { value?: unknown }>;
    const of = (name: string) => all[name]?.value;
    const words = (name: string) => {
      const value = of(name);
      return Array.isArray(value)
        ? value.map(String)
        : String(value ?? "").split(/\s+/).filter((word) => word !== "");
    };
    const tokens = of("access-tokens");
    return {
      buildUsersGroup: String(of("build-users-group") ?? ""),
      allocatesUsers: of("auto-allocate-uids") === true,
      allowedUsers: words("allowed-users"),
      trustedUsers: words("trusted-users"),
      netrcFile: String(of("netrc-file") ?? ""),
      tokenPlaces: typeof tokens === "object" && tokens !== null
        ? Object.keys(tokens)
        : words("access-tokens").map((word) => word.replace(/=.*$/, "")),
    };
  } catch {
    return undefined;
  }
}
