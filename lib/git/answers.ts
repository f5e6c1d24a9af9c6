/**
 * The error messages of Git, curl, ssh and forges, and what they mean. Pure.
 *
 * The texts are those of Git 2.39 to 2.51, libcurl and OpenSSH as captured, and
 * those of GitHub, GitLab, Gitea and Forgejo, sourcehut, Bitbucket, gitolite,
 * Azure DevOps, CodeCommit and Gerrit as their documentation and their users
 * quote them.
 *
 * @module
 */
import { oneLine } from "../base/text.ts";
import { type Access, accessHints } from "./access_hints.ts";

/** One kind of failure. */
export interface FailureKind {
  /** Stable: part of the state and of `--json`. */
  reason: string;
  pattern: RegExp;
  /** Completes "Cannot reach URL: …". */
  says: string;
  hints: (config: Access, said: string) => string[];
}

/** The server does not speak Git's protocol. */
export const dumbHttp: FailureKind = {
  reason: "dumb-http",
  pattern: /dumb http transport/,
  says:
    "it serves plain files without Git's protocol, and Git does not check such files",
  hints: () => [
    "serve the repository with git http-backend or a forge, or use an ssh:// URL",
  ],
};

/** The hint for an answer that does not come from a Git server. */
export const notGitHint =
  "check repository in the configuration (https:// or http://, host, port and path), and check whether a proxy or a login page answers in its place";

const nextRun = "the next run tries again";

/** Messages of programs on this host: a server can't write these lines. */
const localFailures: readonly FailureKind[] = [
  {
    reason: "disk-full",
    pattern: /No space left on device|Disk quota exceeded/,
    says: "this host has no space left for the fetched data",
    hints: () => [
      "free some space: df -h; nix-collect-garbage --delete-older-than 30d",
    ],
  },
  {
    reason: "too-large",
    pattern:
      /attempting to allocate \d+ over limit|Out of memory|too large to fit|unable to allocate/,
    says: "it sends an object that is larger than Git may hold in memory here",
    hints: () => [
      "find the large object in a clone: git cat-file --batch-check --batch-all-objects; this host does not store it",
    ],
  },
];

/** First match wins. */
const serverFailures: readonly FailureKind[] = [
  {
    reason: "revision-missing",
    pattern: /not our ref|[Cc]ouldn't find remote ref/,
    says: "it no longer has the requested branch, tag or commit",
    hints: () => [
      "check that the branch, tag or commit in ref still exists and was pushed",
    ],
  },
  {
    reason: "bad-objects",
    pattern: /fsck error|hasDot|gitmodules\w+:|treeNotSorted|fullPathname/,
    says: "it sends broken or harmful objects",
    hints: () => [
      "find them with git fsck --strict in a clone; this host never stores such objects",
    ],
  },
  dumbHttp,
  {
    // Before `garbled` and `not-git`: Git also reports that the pack is
    // incomplete.
    reason: "remote-error",
    pattern: /from promisor remote|lazy fetching disabled/,
    says: "its repository lacks objects, because it is a partial clone",
    hints: () => [
      "clone the repository again on the server without --filter, or set repository to the one that it was cloned from",
    ],
  },
  {
    reason: "remote-error",
    pattern: /possible repository corruption on the remote side/,
    says: "its repository is damaged",
    hints: () => [`run git fsck in the repository on the server; ${nextRun}`],
  },
  {
    // JGit's words are the second.
    reason: "revision-hidden",
    pattern: /unadvertised object|want [0-9a-f]+ not valid/,
    says: "it only gives commits that a branch or tag points to",
    hints: () => [
      "set ref to a branch or tag, or set uploadpack.allowReachableSHA1InWant to true on the server",
    ],
  },
  {
    reason: "no-shallow",
    pattern:
      /does not support shallow|shallow (?:fetch|clone)s? (?:is|are) (?:not|disabled)|fetch\/clone from a shallow repository/i,
    says: "it only gives whole histories",
    hints: () => ["set shallow: false in the configuration"],
  },
  {
    reason: "host-key",
    pattern:
      /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for \S+ has changed|REVOKED HOST KEY/,
    says: "its SSH host key is not the pinned one",
    hints: (config) => [
      "ask the server's owner whether the key was changed; if it was not, somebody may intercept the connection",
      pin(config),
    ],
  },
  {
    reason: "host-key",
    pattern: /Host key verification failed|No \S+ host key is known/,
    says: "its SSH host key is not pinned",
    hints: (config) => [pin(config)],
  },
  {
    reason: "negotiation",
    pattern: /Unable to negotiate with|no matching \S+(?: \S+)* found/,
    says: "SSH finds no algorithm that it and this host have in common",
    hints: (_, said) => [
      `${
        negotiated(said)
      }: let the server offer what OpenSSH supports today (ssh-ed25519 or rsa-sha2-512, curve25519-sha256, aes256-gcm or chacha20), or use an https:// URL`,
    ],
  },
  {
    reason: "certificate",
    pattern:
      /SSL certificate problem|certificate verification failed|SSL: .*certificate subject|setting certificate|SSL CA cert/,
    says: "its TLS certificate is not trusted here",
    hints: ({ authority }) => [
      `for a private certificate authority, set GIT_SSL_CAINFO to a file with its certificate (now: ${
        authority ?? "the system's own"
      }); also check this host's clock`,
    ],
  },
  {
    reason: "client-certificate",
    pattern:
      /certificate required|alert (?:bad certificate|certificate \w+|unknown ca)|TLS fatal alert has been received|gnutls_handshake\(\) failed: (?:Handshake failed|CA is unknown|Certificate is \w+)|alert handshake failure|No required SSL certificate was sent|could not load (?:PEM )?client certificate|unable to set private key|unable to use (?:client certificate|private key)|error reading X\.509 (?:potentially-encrypted )?key|private key file/i,
    says:
      "it ended the TLS handshake: it probably requires a client certificate, or does not accept this one",
    hints: ({ config }) => [
      config["tls.certFile"]
        ? `check that ${config["tls.certFile"]} (tls.certFile) and ${
          config["tls.keyFile"] ?? config["tls.certFile"]
        } (tls.keyFile) belong together, have not expired and are PEM files without a passphrase`
        : "set tls.certFile and tls.keyFile to the client certificate and its key",
    ],
  },
  {
    reason: "proxy",
    pattern:
      /HTTP code 4\d\d from proxy|CONNECT tunnel failed, response 40\d|returned error: 407/,
    says: "this host's proxy refuses the connection to it",
    hints: () => [
      "check http_proxy, https_proxy and no_proxy in the environment of gitops-sync, and check the proxy's rules",
    ],
  },
  {
    // GitHub, GitLab, Bitbucket, CodeCommit, Azure DevOps.
    reason: "slow-down",
    pattern:
      /returned error: 429|rate limit|[Rr]ate exceeded|abuse detection|[Tt]oo many requests|TF400733|Retry later/,
    says: "the server asks to slow down",
    hints: () => [
      "poll less often, or use a token of this host's own; the next runs do not contact the server for a while",
    ],
  },
  {
    // GitHub; Azure DevOps' conditional access.
    reason: "sso",
    pattern: /SAML SSO|SSO.*authoriz|conditional access policy|VS403463/i,
    says: "its organisation requires single sign-on",
    hints: ({ config }) => [
      `authorize ${
        credentialOf(config)
      } for the organisation on the forge (GitHub: Settings, the key or token, Configure SSO), or use a deploy key of the repository`,
    ],
  },
  {
    // GitHub, GitLab, sourcehut, Gitea.
    reason: "suspended",
    pattern:
      /account (?:is|has been) (?:suspended|disabled|blocked|locked)|has been disabled by|is disabled\. Please ask|account is (?:not active|inactive)|prohibited to (?:sign|log) in|payment/i,
    says: "the account or the repository is suspended",
    hints: () => [
      "read the forge's message above; the owner must resolve this with the forge",
    ],
  },
  {
    // GitHub, GitLab with Gitaly, Gitea, Azure DevOps, gitolite, Bitbucket.
    reason: "maintenance",
    pattern:
      /maintenance|(?:is )?(?:temporarily|currently) unavailable|not available at this time|internal API unreachable|read-only mode|try again later|temporary error has occur|is being created, you could retry|Internal [Ss]erver [Ee]rror|TF400898|writes are currently disabled|service unavailable|Gateway Time-?out/i,
    says: "it reports that it is down for now",
    hints: () => [`check the forge's status page; ${nextRun}`],
  },
  {
    // sourcehut, which serves nothing under the old name.
    reason: "moved",
    pattern: /This repository has moved/,
    says: "the repository has moved",
    hints:
      () => ["set repository to the new URL, which the server names above"],
  },
  {
    // Before `denied`: forges also send these to those who may not read the
    // repository.
    reason: "not-found",
    pattern:
      /ERROR: Repository not found|remote: Repository not found|project you were looking for|requested repository (?:either )?does not exist|repository or it no longer exists|conq: repository does not exist|Cannot find repository|Repository does not exist|TF401019|TF200016|not a Gerrit project|Project not found|Git repository not found|[Rr]epository not exported|Push to create is not enabled/,
    says: "the repository does not exist, or this host may not read it",
    hints: (access) => [
      "check repository in the configuration",
      ...accessHints(access),
    ],
  },
  {
    reason: "denied",
    pattern:
      /Authentication failed|could not read (Username|Password)|Permission denied|HTTP 40[13]|returned error: 40[13]|Access denied|not authorized|DENIED by|: Unauthorized|Invalid key ID|repository access denied|prohibited by Gerrit|[Pp]ublic key (?:authentication failed|denied)|TF400813|IP allow list|whitelist your IP|Cannot find key: \d|owner \d+ does not exist|Git access over HTTP is not allowed|deploy key/i,
    says: "it does not accept this host's credentials",
    hints: (access, said) => [
      ...redirected(access, said),
      ...accessHints(access),
    ],
  },
  {
    // Before the next entry: these messages often come with one of those below.
    reason: "unreachable",
    pattern:
      /early EOF|unexpected disconnect|still expected|expected flush|transfer closed|not closed cleanly|framing layer|RPC failed|Empty reply|returned error: 5\d\d|Operation too slow|hung up unexpectedly/i,
    says: "it gave no valid answer",
    hints: () => [
      `check the server, and this host's network and proxy; ${nextRun}`,
    ],
  },
  {
    reason: "unreachable",
    pattern:
      /Could not resolve|Temporary failure in name resolution|Failed to connect|Couldn't connect|Connection (refused|reset|timed out|closed)|Network is unreachable|No route to host|Operation timed out|timed out|from proxy after CONNECT|CONNECT tunnel failed|Recv failure|Send failure|recv error|non-properly terminated|SSL_ERROR_SYSCALL|getpeername/i,
    says: "Git could not connect",
    hints: () => [
      `check this host's network, name resolution and proxy; ${nextRun}`,
    ],
  },
  {
    reason: "garbled",
    pattern:
      /pack is corrupted|inflate|bad object at offset|pack signature mismatch|bad pack header|pack has (?:bad|junk|\d+ unresolved)|invalid index-pack output|early end of pack|bad band|SHA1 COLLISION|serious inflate inconsistency/,
    says: "its data arrived damaged",
    hints: () => [
      `check the proxy, the VPN and this host's memory; ${nextRun}`,
    ],
  },
  {
    reason: "not-found",
    pattern:
      /does not appear to be a git repository|[Rr]epository .*not found|not found: did you run|returned error: 404|does not exist|No such file or directory/,
    says: "there is no repository at this URL",
    hints: (access) => [
      "check repository in the configuration; servers also say this about a private repository that this host may not read",
      ...accessHints(access),
    ],
  },
  {
    reason: "owner",
    pattern: /dubious ownership/,
    says: "its folder belongs to another user, so Git does not trust it",
    hints: () => [
      "give the repository's folder to the user who runs gitops-sync, or use an ssh:// URL instead of file://",
    ],
  },
  {
    reason: "not-git",
    pattern:
      /not valid: is this a git repository|could not determine hash algorithm|protocol error|bad line length|HTTP\/0\.9|unexpected TLS packet|wrong version number|packet length too long|redirects followed|returned error: [34]\d\d/i,
    says: "something answers, but it is not a Git server",
    hints: () => [notGitHint],
  },
  {
    // upload-pack's line "ERR …" (gitprotocol-pack(5)).
    reason: "remote-error",
    pattern: /remote error: /,
    says: "it refuses the request",
    hints: () => [`read its message above; ${nextRun}`],
  },
];

/**
 * Returns the meaning of Git's messages, or `undefined` if they are unknown.
 */
export function failureKindOf(said: string): FailureKind | undefined {
  // Without the URL: its words say nothing about the failure.
  const plain = said.replace(/(?<!\w)'[^'\n]*'/g, "''");
  const own = plain.split("\n")
    .filter((line) => !/^remote: |remote error: /.test(line)).join("\n");
  return localFailures.find(({ pattern }) => pattern.test(own)) ??
    serverFailures.find(({ pattern }) => pattern.test(plain));
}

function negotiated(said: string): string {
  const what = /no matching [^.\n]{1,60} found\. Their offer: [^\s]{1,200}/
    .exec(said)?.[0];
  return what === undefined ? "there is no common algorithm" : oneLine(what);
}

function credentialOf({ repository, tokenFile, sshKeyFile }: Access["config"]) {
  if (/^https?:/.test(repository)) return `the token in ${tokenFile ?? "use"}`;
  return `the key ${sshKeyFile ?? "in use"}`;
}

function pin({ config: { knownHosts, repository } }: Access): string {
  const [, host = "HOST", port] =
    /^ssh:\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:]+)(?::(\d+))?/.exec(repository) ??
      /^(?:[^/@]*@)?([^/:]+):/.exec(repository) ?? [];
  const scan = `ssh-keyscan ${port ? `-p ${port} ` : ""}${
    host.replace(/[[\]]/g, "")
  }`;
  return `compare the output of ${scan} with the keys that the server's owner publishes, then write them to ${
    knownHosts ?? "a file and set knownHosts to its path"
  }`;
}

/** Only the configured server gets the credentials. */
function redirected(
  { config: { repository, tokenFile } }: Access,
  said: string,
): string[] {
  const asked = /could not read Username for '([^']+)'/.exec(said)?.[1];
  return tokenFile && asked && !repository.startsWith(asked)
    ? [
      `the server redirects to ${
        oneLine(asked)
      }, which does not get the token: if that is right, use that server in repository`,
    ]
    : [];
}
