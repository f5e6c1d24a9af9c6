/**
 * The shapes of names that come from outside.
 *
 * @module
 */

/** Whether `ref` is a full commit hash (SHA-1 or SHA-256). */
export function isRevision(ref: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

/** Whether a path is a store path itself, not one inside of one. */
export function isStorePath(path: string): boolean {
  return /^\/nix\/store\/[0-9a-z]{32}-[\w+.?=-]+$/.test(path);
}

/** Hosts by which forges take ssh on the port of https, as they document. */
const sshHosts: Readonly<Record<string, string>> = {
  "ssh.github.com": "github.com",
  "altssh.gitlab.com": "gitlab.com",
  "altssh.bitbucket.org": "bitbucket.org",
};

/** The forge that a host of a repository's URL belongs to, in small letters. */
export function forgeHost(host: string): string {
  const name = host.toLowerCase();
  return Object.hasOwn(sshHosts, name) ? sshHosts[name]! : name;
}
