/**
 * How Nix gets the inputs of a flake. Only this file knows their credentials.
 * Nix and its child processes get variables that name files: no credential is
 * in an argument or a variable itself.
 *
 * @module
 */
import type { Config } from "../config/schema.ts";
import { gitEnvironment } from "./git.ts";

type Given = Pick<
  Config,
  "inputs.sshKeys" | "inputs.netrcFile" | "inputs.accessTokensFile"
>;

/**
 * Returns the variables for fetching inputs: those of Git, and those of Nix.
 *
 * @param more Settings of Git.
 */
export function inputEnvironment(
  config: Parameters<typeof gitEnvironment>[0] & Given,
  more: readonly (readonly [string, string])[] = [],
): Record<string, string> {
  const netrc = config["inputs.netrcFile"];
  const env = gitEnvironment(config, [
    ...more,
    ...netrc ? [["credential.helper", netrcHelper] as const] : [],
  ]);
  const settings = [
    ...netrc ? [`netrc-file = ${netrc}`] : [],
    ...config["inputs.accessTokensFile"]
      ? [`include ${config["inputs.accessTokensFile"]}`]
      : [],
  ];
  return {
    ...env,
    ...sshEnvironment(config["inputs.sshKeys"], env.GIT_SSH_COMMAND!),
    ...netrc ? { GITOPS_SYNC_NETRC: netrc } : {},
    ...settings.length > 0 ? { NIX_CONFIG: settings.join("\n") } : {},
  };
}

/**
 * A constant, like everything that Git passes to a shell. It gets the server
 * and the repository from ssh's arguments, and uses the first key with a
 * matching prefix instead of the usual one.
 */
const chooseKey = "f() { h= c= x=; " +
  'for a; do case $x in "") case $a in -p) x=p ;; -o) x=o ;; -*) ;; ' +
  '*) if [ -z "$h" ]; then h=$a; else c=$a; fi ;; esac ;; ' +
  "p) h=$h r=$a x= ;; *) x= ;; esac; done; " +
  "c=${c#*\\'}; c=${c%\\'}; " +
  'u="$h${r:+:$r}/${c#/}"; n="${u#*@}"; i=1; ' +
  'while eval "b=\\${GITOPS_SYNC_INPUT_$i-}" && [ -n "$b" ]; do ' +
  'for w in "$u" "$n"; do case $w in "$b" | "$b".git | "$b"/*) ' +
  'eval "GITOPS_SYNC_SSH_KEY=\\$GITOPS_SYNC_INPUT_KEY_$i"; ' +
  "GITOPS_SYNC_SSH_CERT=; break 2 ;; esac; done; i=$((i + 1)); done; " +
  'RUN_SSH "$@"; }; f';

function sshEnvironment(
  keys: Readonly<Record<string, string>>,
  ssh: string,
): Record<string, string> {
  // The longest prefix comes first.
  const all = Object.entries(keys)
    .map(([url, file]) => [normal(url), file] as const)
    .toSorted(([a], [b]) => b.length - a.length);
  if (all.length === 0) return {};
  return Object.fromEntries([
    ["GIT_SSH_COMMAND", chooseKey.replace("RUN_SSH", () => ssh)],
    ...all.flatMap(([url, file], i) => [
      [`GITOPS_SYNC_INPUT_${i + 1}`, url],
      [`GITOPS_SYNC_INPUT_KEY_${i + 1}`, file],
    ]),
  ]);
}

/** `USER@HOST[:PORT]/PATH`, as the function above builds it. */
function normal(url: string): string {
  const plain = url.replace(/^git\+/, "");
  const [, rest] = /^ssh:\/\/(.*)$/.exec(plain) ?? [];
  return (rest ?? plain.replace(/:\/?/, "/")).replace(/(?:\.git)?\/*$/, "");
}

/**
 * Also a constant: it looks up a server in the netrc file (curl(1), `--netrc`),
 * as a credential helper of Git (gitcredentials(7)).
 */
const netrcHelper = '!f() { test "$1" = get || exit 0; h=; ' +
  'while IFS== read -r k v && [ -n "$k" ]; do [ "$k" = host ] && h=$v; done; ' +
  'h=${h%%:*}; set -f; s= m=0 u= p=; for w in $(cat -- "$GITOPS_SYNC_NETRC"); do ' +
  'case $s in machine) s=; m=0; [ -z "$p" ] && [ "$w" = "$h" ] && m=1 ;; ' +
  "login) s=; [ $m = 1 ] && u=$w ;; password) s=; [ $m = 1 ] && p=$w ;; " +
  "account) s= ;; *) case $w in machine | login | password | account) s=$w ;; " +
  'default) m=0; [ -z "$p" ] && m=1 ;; esac ;; esac; done; ' +
  'test -n "$p" && printf "username=%s\\npassword=%s\\n" "$u" "$p"; }; f';
