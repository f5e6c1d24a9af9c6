/**
 * How this program runs Git: no repository, user configuration or prompt can
 * influence it. Hooks, helpers and prompts are off, host keys are pinned, and
 * only the configured server gets the credentials.
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

// Both are constants that Git passes to a shell. Every variable part comes
// through the environment, so no shell ever gets a composed string.
const sshCommand = "exec ssh -o BatchMode=yes -o StrictHostKeyChecking=yes " +
  // A banner may contain any text, and failures are recognised by their text.
  "-o LogLevel=${GITOPS_SYNC_SSH_LOG:-ERROR} " +
  "-o ConnectTimeout=20 -o ServerAliveInterval=15 " +
  '${GITOPS_SYNC_SSH_KEY:+-i "$GITOPS_SYNC_SSH_KEY" -o IdentitiesOnly=yes} ' +
  '${GITOPS_SYNC_SSH_CERT:+-o "CertificateFile=\\"$GITOPS_SYNC_SSH_CERT\\""} ' +
  '${GITOPS_SYNC_KNOWN_HOSTS:+-o "UserKnownHostsFile=\\"$GITOPS_SYNC_KNOWN_HOSTS\\"" -o GlobalKnownHostsFile=/dev/null}';
const credentialHelper = '!f() { test "$1" = get || exit 0; ' +
  't=$(cat -- "$GITOPS_SYNC_TOKEN_FILE") && test -n "$t" && ' +
  // Git would print lines that it does not understand.
  'case $t in *"\n"*) false ;; esac && ' +
  'printf "username=%s\\npassword=%s\\n" "$GITOPS_SYNC_USERNAME" "$t"; }; f';

/** The settings for every call of Git (git-config(1)). */
const settings: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.askPass", ""],
  ["credential.helper", ""],
  // Follows a redirect of the first request only, as Git does by default. The
  // credential below is only for the configured server.
  ["http.followRedirects", "initial"],
  ["protocol.allow", "never"],
  ["protocol.file.allow", "always"],
  ["protocol.http.allow", "always"],
  ["protocol.https.allow", "always"],
  ["protocol.ssh.allow", "always"],
  // A garbage collection in the background would outlive the run.
  ["gc.autoDetach", "false"],
  ["maintenance.autoDetach", "false"],
  // A connection with less than 1 kB/s for a minute counts as dead.
  ["http.lowSpeedLimit", "1000"],
  ["http.lowSpeedTime", "60"],
  ["advice.detachedHead", "false"],
  ["submodule.recurse", "false"],
  // Git refuses broken or harmful objects (git-fsck(1)), but accepts harmless
  // mistakes of old programs. It keeps a pack as it is, which needs little
  // memory.
  ["fetch.fsckObjects", "true"],
  ...["zeroPaddedFilemode", "badTimezone", "missingSpaceBeforeDate"]
    .map((what) => [`fetch.fsck.${what}`, "ignore"] as const),
  ["fetch.unpackLimit", "1"],
  // Nobody reads the log, and for its lines Git queries DNS for this host's
  // name.
  ["core.logAllRefUpdates", "false"],
];

/** The memory that Git may use before it is ended: a server may be hostile. */
export const mostMemory = 2 * 2 ** 30;

/**
 * The memory that Git may use for one object. Git refuses to allocate more,
 * while {@linkcode mostMemory} is only checked from time to time. Git streams
 * larger files in parts.
 */
export const mostAtOnce = 2 ** 30;

/**
 * Returns the environment of every Git process: only these settings, and the
 * paths of the credentials for the remote.
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
    // A commit is what its hash says, whatever is in refs/replace.
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_ALLOC_LIMIT: String(mostAtOnce),
    GIT_SSH_COMMAND: sshCommand,
    // Otherwise Git runs the command once more, to find out whether it is
    // OpenSSH.
    GIT_SSH_VARIANT: "ssh",
    // This program reads files below .git; newer versions of Git may use
    // reftables.
    GIT_DEFAULT_REF_FORMAT: "files",
    // English messages: failures are recognised by them.
    LC_ALL: "C",
  };
  if (config.sshKeyFile) env.GITOPS_SYNC_SSH_KEY = config.sshKeyFile;
  if (config.sshCertificateFile) {
    env.GITOPS_SYNC_SSH_CERT = config.sshCertificateFile;
  }
  if (config.knownHosts) env.GITOPS_SYNC_KNOWN_HOSTS = config.knownHosts;
  const all: (readonly [string, string])[] = [...settings];
  // A redirect must not lead from TLS to plain HTTP.
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
    // Only for this server, and not for servers that it redirects to.
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

/**
 * Returns the file of trusted certificate authorities, if the environment names
 * one.
 */
export function authorityFile(): string | undefined {
  return Deno.env.get("GIT_SSL_CAINFO") ??
    Deno.env.get("NIX_SSL_CERT_FILE") ?? Deno.env.get("SSL_CERT_FILE");
}

/** Returns a Git command without network access, for the mirror at `folder`. */
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
    // Data from a server may only reach its full size here.
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
 * Returns the first line of a field in the header of a commit or tag object.
 * Only a newline ends a line: `$` in a pattern matches at more places than Git
 * does.
 */
export function fieldOf(content: string, name: string): string | undefined {
  const [header] = content.split("\n\n", 1);
  const start = `${name} `;
  const line = header!.split("\n").find((line) => line.startsWith(start));
  return line?.slice(start.length);
}
