/**
 * Hints for a remote that refuses this host. Pure, except that it reads the
 * token file.
 *
 * @module
 */
import { tokenProblem } from "./credentials.ts";
import type { RemoteConfig } from "./git.ts";

/** What decides how this host reaches a remote. */
export interface Access {
  config: RemoteConfig;
  /**
   * The file with the trusted certificate authorities, if one is configured.
   */
  authority: string | undefined;
}

/** Returns hints about the credentials that this host uses. */
export function accessHints({ config }: Access): string[] {
  if (/^https?:/.test(config.repository)) return [tokenHint(config)];
  return /^file:/.test(config.repository) ? [] : [keyHint(config)];
}

function tokenHint({ tokenFile }: RemoteConfig): string {
  return tokenFile
    ? tokenProblem(tokenFile) ??
      `check that the token in ${tokenFile} may read the repository and has not expired`
    : "write an access token to a file, and set tokenFile to its path";
}

function keyHint({ sshKeyFile }: RemoteConfig): string {
  return sshKeyFile
    ? `add the public key of ${sshKeyFile} to the repository as a deploy key (print it with: ssh-keygen -y -f ${sshKeyFile})`
    : "create a key with ssh-keygen -t ed25519, add its public half to the repository as a deploy key, and set sshKeyFile to its path";
}
