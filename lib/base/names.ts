/**
 * Checks the form of names that come from outside.
 *
 * @module
 */

/** Returns whether `ref` is a full commit hash (SHA-1 or SHA-256). */
export function isRevision(ref: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

/** Returns whether a path is a store path itself, and not a path inside one. */
export function isStorePath(path: string): boolean {
  return /^\/nix\/store\/[0-9a-z]{32}-[\w+.?=-]+$/.test(path);
}

/** Hosts that forges document for ssh over the port of https. */
const sshHosts: Readonly<Record<string, string>> = {
  "ssh.github.com": "github.com",
  "altssh.gitlab.com": "gitlab.com",
  "altssh.bitbucket.org": "bitbucket.org",
};

/**
 * Returns the forge that the host of a repository's URL belongs to, in lower
 * case.
 */
export function forgeHost(host: string): string {
  const name = host.toLowerCase();
  return Object.hasOwn(sshHosts, name) ? sshHosts[name]! : name;
}
