/**
 * Tells the failures of Git apart by what it wrote, which {@linkcode
 * gitEnvironment} keeps in English. Loaded only when Git failed.
 *
 * @module
 */
import type { Finished } from "../base/effects.ts";
import { type Stage, SyncError } from "../base/errors.ts";
import type { RemoteConfig } from "./git.ts";
import { lastWords } from "./git.ts";

interface Sort {
  reason: string;
  pattern: RegExp;
  says: string;
  hints: (config: RemoteConfig) => string[];
}

/**
 * First match wins. The texts are those of Git 2.39 to 2.51, libcurl and
 * OpenSSH.
 */
const sorts: readonly Sort[] = [
  {
    reason: "disk-full",
    pattern: /No space left on device|Disk quota exceeded/,
    says: "there is no space left here for what was fetched",
    hints: () => [
      "free some space: df -h; nix-collect-garbage --delete-older-than 30d",
    ],
  },
  {
    reason: "revision-missing",
    pattern: /not our ref|[Cc]ouldn't find remote ref|unadvertised object/,
    says: "it no longer has what was asked for",
    hints: () => [
      "look whether the branch, tag or commit in ref still exists and was pushed",
    ],
  },
  {
    reason: "host-key",
    pattern:
      /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No \S+ host key is known/,
    says: "its SSH host key is not the pinned one, or none is pinned",
    hints: (config) => [
      `compare the server's key with one you trust, then write it into ${
        config.knownHosts ?? "a file and name that file with knownHosts"
      }`,
    ],
  },
  {
    reason: "certificate",
    pattern:
      /SSL certificate problem|certificate verification failed|SSL: .*certificate|setting certificate|SSL CA cert/,
    says: "its TLS certificate is not trusted here",
    hints: () => [
      "for a private authority, set SSL_CERT_FILE to a file with its certificate; also look at the clock of this host",
    ],
  },
  {
    reason: "denied",
    pattern:
      /Authentication failed|could not read (Username|Password)|Permission denied|HTTP 40[13]|returned error: 40[13]|Access denied|not authorized/i,
    says: "it does not accept the credentials of this host",
    hints: (config) =>
      /^https?:/.test(config.repository)
        ? [
          config.tokenFile
            ? `look whether the token in ${config.tokenFile} may read the repository and has not expired`
            : "write an access token into a file and name that file with tokenFile",
        ]
        : [
          config.sshKeyFile
            ? `add the public half of ${config.sshKeyFile} as a deploy key to the repository`
            : "make a key (ssh-keygen -t ed25519), add it as a deploy key, and name it with sshKeyFile",
        ],
  },
  {
    reason: "unreachable",
    pattern:
      /Could not resolve|Temporary failure in name resolution|Failed to connect|Couldn't connect|Connection (refused|reset|timed out|closed)|Network is unreachable|No route to host|Operation timed out|timed out|early EOF|unexpected disconnect|RPC failed|Empty reply|returned error: (5\d\d|429)|Operation too slow|hung up unexpectedly/i,
    says: "no answer that Git could use came back",
    hints: () => [
      "look at the network, name resolution and proxy of this host; the next run tries again",
    ],
  },
  {
    reason: "not-found",
    pattern:
      /does not appear to be a git repository|[Rr]epository .*not found|not found: did you run|returned error: 404|does not exist|No such file or directory/,
    says: "there is no repository",
    hints: () => [
      "look at repository in the configuration; a private repository also says so to those who may not read it",
    ],
  },
  {
    reason: "owner",
    pattern: /dubious ownership/,
    says: "its folder belongs to another user, so Git does not trust it",
    hints: () => [
      "give the repository's folder to the user who runs gitops-sync, or reach it by ssh:// instead of file://",
    ],
  },
  {
    reason: "not-git",
    pattern:
      /not valid: is this a git repository|protocol error|bad line length/i,
    says: "what answers there is not a Git server",
    hints: () => ["look at repository in the configuration"],
  },
];

/** Turns a failed Git process into an error with its reason and hints. */
export function remoteFailure(
  finished: Finished,
  config: RemoteConfig,
  stage: Stage,
): SyncError {
  // Without the URL, whose words say nothing of the failure.
  const said = finished.stderr.replace(/(?<!\w)'[^'\n]*'/g, "''");
  const sort = finished.timedOut
    ? sorts.find((one) => one.reason === "unreachable")
    : sorts.find((one) => one.pattern.test(said));
  const says = finished.timedOut
    ? "it did not answer in time"
    : sort?.says ?? "Git failed";
  return new SyncError(`Cannot reach ${config.repository}: ${says}`, {
    stage,
    reason: sort?.reason ?? "git-failed",
    next: "retry",
    details: lastWords(finished),
    hints: sort?.hints(config) ?? [],
    exit: 3,
  });
}
