/**
 * More URLs of the same repository, each with its own credentials.
 *
 * @module
 */
import { isOpen, type Kind, path, remote, text } from "./kinds.ts";

/** One more URL of the repository. */
export interface Mirror {
  url: string;
  sshKeyFile?: string;
  knownHosts?: string;
  tokenFile?: string;
  username?: string;
  /** As `tls.certFile` and `tls.keyFile`. */
  certFile?: string;
  keyFile?: string;
}

const keys: Readonly<Record<keyof Mirror, Kind<string>>> = {
  url: remote,
  sshKeyFile: path,
  knownHosts: path,
  tokenFile: path,
  username: text,
  certFile: path,
  keyFile: path,
};

/** Several of them; one without credentials may be written as its URL. */
export const mirrors: Kind<readonly Mirror[]> = {
  name: "list of mirrors",
  expected:
    "a list such as [{url: https://git.example.org/infra.git, tokenFile: /etc/gitops-sync/mirror-token}]",
  read: (value) => {
    if (!Array.isArray(value)) return undefined;
    const items = value.map(asMirror);
    return items.some((item) => problem(item) !== undefined)
      ? undefined
      : items.map((item) => ({ ...item, url: remote.read(item.url)! }));
  },
  explain: (value) =>
    Array.isArray(value)
      ? value.map(asMirror).map(problem).find((one) => one)
      : undefined,
};

function asMirror(item: unknown): Readonly<Record<string, unknown>> {
  return item !== null && typeof item === "object" && !Array.isArray(item)
    ? item as Record<string, unknown>
    : { url: item };
}

/** What is expected instead; never the URL, which may contain a secret. */
function problem(item: Readonly<Record<string, unknown>>): string | undefined {
  for (const [key, value] of Object.entries(item)) {
    if (!Object.hasOwn(keys, key)) {
      return `only ${Object.keys(keys).join(", ")} as keys`;
    }
    const kind = keys[key as keyof Mirror];
    if (kind.read(value) === undefined) return `${kind.expected} as ${key}`;
  }
  const { url, tokenFile } = item;
  if (typeof url !== "string") return "a url in each item";
  if (/:\/\/[^/@]*:[^/@]*@/.test(url) || /^https?:\/\/[^/]*@/i.test(url)) {
    return "a url without a user or password: set username and tokenFile in the same item";
  }
  return tokenFile !== undefined && isOpen(url)
    ? "https:// in a url with a tokenFile"
    : undefined;
}
