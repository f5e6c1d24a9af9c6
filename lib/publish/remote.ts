/**
 * The repository of the branch, and the access to it.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { usageError } from "../base/errors.ts";
import type { LocalConfig } from "../config/config.ts";
import { remote as remoteKind } from "../config/kinds.ts";
import type { Config } from "../config/schema.ts";
import { localGit } from "../git/git.ts";
import type { Source } from "./source.ts";

/** The configuration with a repository. */
export type WithRemote = LocalConfig & Pick<Config, "repository">;

/**
 * Returns the repository of the configuration, or else the one that the
 * checkout was cloned from. A password in that URL, as CI systems set it, goes
 * to a file: every user of the machine could read it in an argument.
 *
 * @param folder A folder that nobody else may enter.
 * @throws {SyncError} `no-remote`, exit 2.
 */
export async function remoteFor(
  effects: Pick<Effects, "run">,
  config: LocalConfig,
  { top }: Source,
  folder: string,
): Promise<WithRemote> {
  const { repository } = config;
  if (repository !== undefined) return { ...config, repository };
  const asked = ["config", "--get", "remote.origin.url"];
  const { stdout } = await effects.run(localGit(top, asked));
  const origin = new TextDecoder().decode(stdout).trim();
  const { url, username, password } = splitCredentials(origin);
  const readable = remoteKind.read(url);
  if (readable === undefined) {
    throw usageError(
      "no-remote",
      "Cannot find the repository of the branch: the checkout has no remote origin with a usable URL",
      "give the repository: gitops-sync publish --repository URL",
    );
  }
  const named = { ...config, repository: readable };
  if (password === "" || config.tokenFile !== undefined) return named;
  const tokenFile = `${folder}/token`;
  await Deno.writeTextFile(tokenFile, password, { mode: 0o600 });
  return { ...named, tokenFile, username: username || config.username };
}

/** Separates a URL from its credentials. */
function splitCredentials(origin: string) {
  const url = /^https?:\/\//.test(origin) ? URL.parse(origin) : null;
  if (!url) return { url: origin, username: "", password: "" };
  const { username, password } = url;
  url.username = url.password = "";
  // A token alone may be in the place of the user name.
  const isToken = password === "" && username !== "";
  return {
    url: url.href,
    username: isToken ? "" : decodeURIComponent(username),
    password: decodeURIComponent(isToken ? username : password),
  };
}
