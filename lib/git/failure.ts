/**
 * Tells the failures of Git apart by what it wrote, which {@linkcode
 * gitEnvironment} keeps in English. Loaded only when Git failed.
 *
 * @module
 */
import type { Finished } from "../base/effects.ts";
import { type Stage, SyncError } from "../base/errors.ts";
import { lastWords, oneLine } from "../base/text.ts";
import type { RemoteConfig } from "./git.ts";
import { authorityFile } from "./git.ts";
import { keyTrouble, tokenTrouble } from "./credentials.ts";

interface Sort {
  reason: string;
  pattern: RegExp;
  says: string;
  hints: (config: RemoteConfig, said: string) => string[];
}

const dumb: Sort = {
  reason: "dumb-http",
  pattern: /dumb http transport/,
  says:
    "it speaks no protocol of Git's, but gives files, which Git does not check",
  hints: () => [
    "serve the repository by git http-backend or a forge, or reach it over ssh://",
  ],
};

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
    // What this Git says, and not the server's.
    reason: "too-large",
    pattern:
      /^(?!remote:).*(attempting to allocate \d+ over limit|Out of memory|too large to fit|unable to allocate)/m,
    says: "it sends more at once than Git may hold in memory here",
    hints: () => [
      "look in a clone for what is so large: git cat-file --batch-check --batch-all-objects; nothing of it gets into this host",
    ],
  },
  {
    reason: "revision-missing",
    pattern: /not our ref|[Cc]ouldn't find remote ref/,
    says: "it no longer has what was asked for",
    hints: () => [
      "look whether the branch, tag or commit in ref still exists and was pushed",
    ],
  },
  {
    reason: "bad-objects",
    pattern: /fsck error|hasDot|gitmodules\w+:|treeNotSorted|fullPathname/,
    says: "it sends objects that are broken, or made to harm",
    hints: () => [
      "look with git fsck --strict in a clone; such objects never get into this host",
    ],
  },
  dumb,
  {
    // JGit's words are the second.
    reason: "revision-hidden",
    pattern: /unadvertised object|want [0-9a-f]+ not valid/,
    says: "it gives no commit but those that a branch or tag points to",
    hints: () => [
      "follow a branch or tag with ref, or set uploadpack.allowReachableSHA1InWant to true on the server",
    ],
  },
  {
    reason: "host-key",
    pattern:
      /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for \S+ has changed|REVOKED HOST KEY/,
    says: "its SSH host key is not the pinned one",
    hints: (config) => [
      "somebody may stand between this host and the server: ask its owner whether the key was changed",
      pin(config),
    ],
  },
  {
    reason: "host-key",
    pattern: /Host key verification failed|No \S+ host key is known/,
    says: "no SSH host key of it is pinned",
    hints: (config) => [pin(config)],
  },
  {
    reason: "certificate",
    pattern:
      /SSL certificate problem|certificate verification failed|SSL: .*certificate|setting certificate|SSL CA cert/,
    says: "its TLS certificate is not trusted here",
    hints: () => [
      `for a private authority, set GIT_SSL_CAINFO to a file with its certificate (now ${
        authorityFile() ?? "the system's own"
      }); also look at the clock of this host`,
    ],
  },
  {
    reason: "proxy",
    pattern:
      /HTTP code 4\d\d from proxy|CONNECT tunnel failed, response 40\d|returned error: 407/,
    says: "the proxy of this host lets nothing through to it",
    hints: () => [
      "look at http_proxy, https_proxy and no_proxy in the environment of gitops-sync, and at the rules of the proxy",
    ],
  },
  {
    reason: "denied",
    pattern:
      /Authentication failed|could not read (Username|Password)|Permission denied|HTTP 40[13]|returned error: 40[13]|Access denied|not authorized/i,
    says: "it does not accept the credentials of this host",
    hints: (config, said) =>
      /^https?:/.test(config.repository)
        ? [...redirected(config, said), tokenHint(config)]
        : [keyHint(config)],
  },
  {
    reason: "unreachable",
    pattern:
      /Could not resolve|Temporary failure in name resolution|Failed to connect|Couldn't connect|Connection (refused|reset|timed out|closed)|Network is unreachable|No route to host|Operation timed out|timed out|early EOF|unexpected disconnect|from proxy after CONNECT|CONNECT tunnel failed|still expected|expected flush|transfer closed|Recv failure|Send failure|recv error|non-properly terminated|SSL_ERROR_SYSCALL|not closed cleanly|framing layer|RPC failed|Empty reply|returned error: (5\d\d|429)|Operation too slow|hung up unexpectedly/i,
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
      /not valid: is this a git repository|protocol error|bad line length|HTTP\/0\.9|unexpected TLS packet|wrong version number|packet length too long|redirects followed|returned error: [34]\d\d/i,
    says: "what answers there is not a Git server",
    hints: () => [notGitHint],
  },
];

/** For whoever finds something else than a repository. */
const notGitHint =
  "look at repository in the configuration (https:// or http://, host, port and path), and whether a proxy or a login page answers in its place";

function patience(stage: Stage): string {
  const option = stage === "fetch" ? "timeouts.fetch" : "timeouts.remote";
  return `if the network is slow or the repository large, raise ${option}`;
}

function pin({ knownHosts, repository }: RemoteConfig): string {
  const [, host = "HOST", port] =
    /^ssh:\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:]+)(?::(\d+))?/.exec(repository) ??
      /^(?:[^/@]*@)?([^/:]+):/.exec(repository) ?? [];
  const scan = `ssh-keyscan ${port ? `-p ${port} ` : ""}${
    host.replace(/[[\]]/g, "")
  }`;
  return `compare what ${scan} shows with the keys that the server's owner publishes, then write them into ${
    knownHosts ?? "a file and name that file with knownHosts"
  }`;
}

function tokenHint({ tokenFile }: RemoteConfig): string {
  return tokenFile
    ? tokenTrouble(tokenFile) ??
      `look whether the token in ${tokenFile} may read the repository and has not expired`
    : "write an access token into a file and name that file with tokenFile";
}

/** Credentials stay with the server that the configuration names. */
function redirected(
  { repository, tokenFile }: RemoteConfig,
  said: string,
): string[] {
  const asked = /could not read Username for '([^']+)'/.exec(said)?.[1];
  return tokenFile && asked && !repository.startsWith(asked)
    ? [
      `the server sends on to ${
        oneLine(asked)
      }, which is not offered the token: if that is right, name that server in repository`,
    ]
    : [];
}

function keyHint({ sshKeyFile }: RemoteConfig): string {
  return sshKeyFile
    ? keyTrouble(sshKeyFile) ??
      `add the public half of ${sshKeyFile} as a deploy key to the repository`
    : "make a key (ssh-keygen -t ed25519), add it as a deploy key, and name it with sshKeyFile";
}

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
    hints: [
      ...(sort?.hints(config, finished.stderr) ?? []),
      ...(finished.timedOut ? [patience(stage)] : []),
    ],
    exit: 3,
  });
}

/** The error for a server that answers more than anybody asked for. */
export function answerTooLarge(config: RemoteConfig, stage: Stage): SyncError {
  return new SyncError(
    `Cannot use ${config.repository}: it answers far more than it was asked for`,
    {
      stage,
      reason: "answer-too-large",
      next: "retry",
      hints: ["look whether the server is the one that you mean"],
      exit: 3,
    },
  );
}

/** The error for a server from which Git took what it does not check. */
export function unchecked(config: RemoteConfig): SyncError {
  return new SyncError(`Cannot use ${config.repository}: ${dumb.says}`, {
    stage: "fetch",
    reason: dumb.reason,
    next: "retry",
    hints: dumb.hints(config, ""),
    exit: 3,
  });
}

/** The error for a server that answers, but not as Git servers do. */
export function notGit(config: RemoteConfig, stage: Stage): SyncError {
  return new SyncError(
    `Cannot reach ${config.repository}: what answers there is not a Git server`,
    { stage, reason: "not-git", next: "retry", hints: [notGitHint], exit: 3 },
  );
}
