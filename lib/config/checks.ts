/**
 * The kinds of options for checks and commands: lists of objects and of argument
 * lists, which only fit in a file.
 *
 * @module
 */
import { parseWindow, windowForm } from "../base/window.ts";
import { type Kind, number, path, text } from "./kinds.ts";

/** An HTTP request and its expected response. */
export interface HttpCheck {
  url: string;
  /** The only accepted status; without it, 200 to 299 are accepted. */
  status?: number;
  /** A text that the body must contain. */
  body?: string;
  /** More certificate authorities to trust, as PEM. */
  caFile?: string;
}

/** An argument list, program first. */
export type Argv = readonly string[];

const url: Kind<string> = {
  name: "URL",
  expected: "a URL that begins with http:// or https://",
  read: (value) =>
    typeof value === "string" && /^https?:\/\/./.test(value) &&
      URL.canParse(value) && new URL(value).password === ""
      ? value
      : undefined,
};

const status: Kind<number> = {
  ...number,
  expected: "a status from 100 to 599",
  read: (value) => {
    const code = number.read(value);
    return code !== undefined && code >= 100 && code <= 599 ? code : undefined;
  },
};

/** The keys of an {@linkcode HttpCheck}. */
const httpKeys: Readonly<Record<keyof HttpCheck, Kind<unknown>>> = {
  url,
  status,
  body: text,
  caFile: path,
};

/** Several HTTP requests; one that is only a URL may be written as such. */
export const httpChecks: Kind<readonly HttpCheck[]> = {
  name: "list of HTTP checks",
  expected:
    "a list such as [{url: https://localhost/health, status: 200, body: ok, caFile: /etc/ssl/own.pem}]",
  read: (value) => {
    const items = listed(value).map(asHttpCheck);
    return items.some((item) => httpProblem(item) !== undefined)
      ? undefined
      : items as unknown as HttpCheck[];
  },
  explain: (value) =>
    Array.isArray(value)
      ? value.map(asHttpCheck).map(httpProblem).find((one) => one)
      : undefined,
};

function asHttpCheck(item: unknown): Readonly<Record<string, unknown>> {
  return item !== null && typeof item === "object" && !Array.isArray(item)
    ? item as Record<string, unknown>
    : { url: item };
}

function httpProblem(
  item: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const [key, value] of Object.entries(item)) {
    if (!Object.hasOwn(httpKeys, key)) {
      return `only ${Object.keys(httpKeys).join(", ")} as keys, not ${key}`;
    }
    const kind = httpKeys[key as keyof HttpCheck];
    if (kind.read(value) === undefined) return `${kind.expected} as ${key}`;
  }
  return "url" in item ? undefined : "a url in each item";
}

/** Several argument lists. */
export const commands: Kind<readonly Argv[]> = {
  name: "list of commands",
  expected:
    "a list of commands, each a list of its words such as [[systemctl, is-active, nginx]]; no shell is used",
  read: (value) => {
    const items = listed(value);
    return items.every(isArgv) ? items : undefined;
  },
};

function isArgv(item: unknown): item is Argv {
  return Array.isArray(item) && item.length > 0 &&
    item.every((word) => typeof word === "string" && !word.includes("\0")) &&
    text.read(item[0]) !== undefined;
}

/** Several TCP ports. */
export const ports: Kind<readonly string[]> = {
  name: "list of HOST:PORT",
  expected: "a list such as [localhost:22, 192.0.2.1:443, [::1]:53]",
  read: (value) => {
    const items = typeof value === "string" ? [value] : listed(value);
    return items.every(isPort) ? items : undefined;
  },
  isList: true,
};

function isPort(item: unknown): item is string {
  if (typeof item !== "string") return false;
  const [, port] = /^(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/.exec(item) ??
    [];
  return Number(port) >= 1 && Number(port) <= 65_535;
}

/** Where a server of ours listens: on this machine, or on a Unix socket. */
export const listening: Kind<string> = {
  name: "HOST:PORT or unix:PATH",
  expected:
    "an address and a port such as 127.0.0.1:9480, or unix: and an absolute path such as unix:/run/gitops-sync-serve/http.sock",
  read: (value) => {
    if (typeof value !== "string") return undefined;
    if (value.startsWith("unix:")) {
      return path.read(value.slice("unix:".length)) && value;
    }
    return isPort(value) ? value : undefined;
  },
};

/** The host and the port of a text that {@linkcode ports} has read. */
export function addressOf(text: string): { hostname: string; port: number } {
  const colon = text.lastIndexOf(":");
  return {
    hostname: text.slice(0, colon).replace(/^\[|\]$/g, ""),
    port: Number(text.slice(colon + 1)),
  };
}

/** Several windows of time, as {@linkcode parseWindow} reads them. */
export const windows: Kind<readonly string[]> = {
  name: "list of windows",
  expected: windowForm,
  read: (value) => {
    const items = typeof value === "string" ? [value] : listed(value);
    const isWindow = (item: unknown): item is string =>
      typeof item === "string" && !("wrong" in parseWindow(item));
    return items.every(isWindow) ? items : undefined;
  },
  explain: (value) => {
    const items = typeof value === "string" ? [value] : listed(value);
    for (const item of items) {
      if (typeof item !== "string") continue;
      const window = parseWindow(item);
      if ("wrong" in window) {
        return `days, times or a time zone instead of "${window.wrong}": ${windowForm}`;
      }
    }
    return undefined;
  },
  isList: true,
};

/** Where the store path of a prebuilt system is written. */
export const prebuilt: Kind<string> = {
  name: "file in the repository or URL",
  expected:
    "a file in the repository such as systems/{host}, or a URL such as https://ci.example.org/{host}/{revision} (http:// only for this machine)",
  read: (value) => {
    const place = text.read(value);
    if (place === undefined || /\s/.test(place)) return undefined;
    if (/\{(?!host\}|revision\})/.test(place)) return undefined;
    if (!place.includes("://")) {
      const parts = place.split("/");
      return parts.includes("..") || parts.includes("") ? undefined : place;
    }
    // Anybody who can change the response could name an old system.
    const isSafe = place.startsWith("https://") ||
      /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?\//.test(place);
    return isSafe ? url.read(place) : undefined;
  },
};

/** Returns the items of a list, or an invalid item if it is not a list. */
function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [undefined];
}
