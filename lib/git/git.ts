/**
 * Git, driven so that nothing in a repository, a user's configuration or a
 * prompt can steer it: hooks, helpers and prompts are off, host keys are
 * pinned, and credentials go to the configured server alone.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";
import type { Config } from "../config/schema.ts";

/** The options that decide how the remote is reached. */
export type RemoteConfig =
  & Pick<
    Config,
    "repository" | "sshKeyFile" | "knownHosts" | "tokenFile" | "username"
  >
  & Partial<
    Pick<Config, "sshCertificateFile" | "tls.certFile" | "tls.keyFile">
  >;

// Both are constants that a shell of Git's reads; every changing part comes
// to them through the environment, so no shell is ever given a built string.
const sshCommand = "exec ssh -o BatchMode=yes -o StrictHostKeyChecking=yes " +
  // A banner is anybody's text, and failures are told apart by texts.
  "-o LogLevel=${GITOPS_SYNC_SSH_LOG:-ERROR} " +
  "-o ConnectTimeout=20 -o ServerAliveInterval=15 " +
  '${GITOPS_SYNC_SSH_KEY:+-i "$GITOPS_SYNC_SSH_KEY" -o IdentitiesOnly=yes} ' +
  '${GITOPS_SYNC_SSH_CERT:+-o "CertificateFile=\\"$GITOPS_SYNC_SSH_CERT\\""} ' +
  '${GITOPS_SYNC_KNOWN_HOSTS:+-o "UserKnownHostsFile=\\"$GITOPS_SYNC_KNOWN_HOSTS\\"" -o GlobalKnownHostsFile=/dev/null}';
const credentialHelper = '!f() { test "$1" = get || exit 0; ' +
  't=$(cat -- "$GITOPS_SYNC_TOKEN_FILE") && test -n "$t" && ' +
  // Git would show the lines that it does not understand.
  'case $t in *"\n"*) false ;; esac && ' +
  'printf "username=%s\\npassword=%s\\n" "$GITOPS_SYNC_USERNAME" "$t"; }; f';

/** The settings every call runs under (git-config(1)). */
const settings: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.askPass", ""],
  ["credential.helper", ""],
  // A redirect of the first request only, as Git does by default: the
  // credential below is bound to the configured server, and stays there.
  ["http.followRedirects", "initial"],
  ["protocol.allow", "never"],
  ["protocol.file.allow", "always"],
  ["protocol.http.allow", "always"],
  ["protocol.https.allow", "always"],
  ["protocol.ssh.allow", "always"],
  // Collecting garbage in the background would outlive the run.
  ["gc.autoDetach", "false"],
  ["maintenance.autoDetach", "false"],
  // A slow drip is a dead connection: under 1 kB/s for a minute.
  ["http.lowSpeedLimit", "1000"],
  ["http.lowSpeedTime", "60"],
  ["advice.detachedHead", "false"],
  ["submodule.recurse", "false"],
  // Objects that are broken or made to harm (git-fsck(1)) don't get in; what
  // old programs wrote, and harms nobody, does. A pack is kept as it is: that
  // needs little memory, whatever is in it.
  ["fetch.fsckObjects", "true"],
  ...["zeroPaddedFilemode", "badTimezone", "missingSpaceBeforeDate"]
    .map((what) => [`fetch.fsck.${what}`, "ignore"] as const),
  ["fetch.unpackLimit", "1"],
  // Nobody reads it, and for its lines Git asks the name server who we are.
  ["core.logAllRefUpdates", "false"],
];

/** What a hostile server may make Git use before it is ended. */
export const mostMemory = 2 * 2 ** 30;

/**
 * What Git may hold of one object: it says no before it asks for more, while
 * {@linkcode mostMemory} is looked at now and then. A larger file passes
 * through it in parts.
 */
export const mostAtOnce = 2 ** 30;

/**
 * The environment of every Git process: our settings and no other, and the
 * way to the credentials of the remote.
 */
export function gitEnvironment(
  config: RemoteConfig,
  more: readonly (readonly [string, string])[] = [],
): Record<string, string> {
  const env: Record<string, string> = {
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ATTR_NOSYSTEM: "1",
    // A commit is what its hash says, whatever stands in refs/replace.
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_ALLOC_LIMIT: String(mostAtOnce),
    GIT_SSH_COMMAND: sshCommand,
    // Or Git runs the command once more, to see whether it is OpenSSH's.
    GIT_SSH_VARIANT: "ssh",
    // Files below .git are looked at here; newer versions may keep tables.
    GIT_DEFAULT_REF_FORMAT: "files",
    // English messages: failures are told apart by them.
    LC_ALL: "C",
  };
  if (config.sshKeyFile) env.GITOPS_SYNC_SSH_KEY = config.sshKeyFile;
  if (config.sshCertificateFile) {
    env.GITOPS_SYNC_SSH_CERT = config.sshCertificateFile;
  }
  if (config.knownHosts) env.GITOPS_SYNC_KNOWN_HOSTS = config.knownHosts;
  const all: (readonly [string, string])[] = [...settings];
  // A redirect must not take what was asked for over TLS out of it.
  if (/^https:/.test(config.repository)) {
    all.push(["protocol.http.allow", "never"]);
  }
  all.push(...more);
  const server = /^https?:\/\/[^/]+/.exec(config.repository)?.[0];
  if (config.tokenFile && server) {
    env.GITOPS_SYNC_TOKEN_FILE = config.tokenFile;
    env.GITOPS_SYNC_USERNAME = config.username;
    all.push([`credential.${server}.helper`, credentialHelper]);
  }
  if (config["tls.certFile"] && server) {
    // For this server alone, whatever it redirects to.
    const key = config["tls.keyFile"] ?? config["tls.certFile"];
    all.push([`http.${server}/.sslCert`, config["tls.certFile"]]);
    all.push([`http.${server}/.sslKey`, key]);
  }
  const ca = authorityFile();
  if (ca) env.GIT_SSL_CAINFO = ca;
  env.GIT_CONFIG_COUNT = String(all.length);
  all.forEach(([key, value], i) => {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  });
  return env;
}

/** The certificates that servers are judged by, if the environment says. */
export function authorityFile(): string | undefined {
  return Deno.env.get("GIT_SSL_CAINFO") ??
    Deno.env.get("NIX_SSL_CERT_FILE") ?? Deno.env.get("SSL_CERT_FILE");
}

/** A Git command that talks to nobody, in the mirror at `folder`. */
export function localGit(
  folder: string,
  args: readonly string[],
  options: Partial<Command> = {},
  more: readonly (readonly [string, string])[] = [],
): Command {
  return {
    program: "git",
    args: ["-C", folder, ...args],
    timeout: 10 * 60_000,
    // What came from a server may have its full size only here.
    limits: { memory: mostMemory },
    ...options,
    env: gitEnvironment({
      repository: "",
      sshKeyFile: undefined,
      knownHosts: undefined,
      tokenFile: undefined,
      username: "",
    }, [["safe.directory", folder], ["protocol.file.allow", "never"], ...more]),
  };
}

/**
 * The first line of a field in the header of a commit or tag object. Lines end
 * at a newline and nowhere else: a pattern's `$` sees more ends than Git does.
 */
export function fieldOf(content: string, name: string): string | undefined {
  const [header] = content.split("\n\n", 1);
  const start = `${name} `;
  const line = header!.split("\n").find((line) => line.startsWith(start));
  return line?.slice(start.length);
}
