/**
 * The kinds of options about the buttons of the status page.
 *
 * @module
 */
import { isOpen, type Kind, texts } from "./kinds.ts";

/**
 * Whether a text is a valid user name for signing in. Names contain no space and
 * no comma: a program sees two headers of one name as one with a comma.
 */
export function isUserName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.@+\\-]{0,79}$/.test(text);
}

/** Several names of people. */
export const userNames: Kind<readonly string[]> = {
  name: "list of names",
  expected: "a list of names such as [ada, grace@example.org], without spaces",
  read: (value) => {
    const names = texts.read(value);
    return names?.every(isUserName) ? names : undefined;
  },
  isList: true,
};

/** The name of a header (RFC 9110, 5.1) that no program sets by itself. */
export const headerName: Kind<string> = {
  name: "name of a header",
  expected: "the name of a header such as X-Remote-User",
  read: (value) =>
    typeof value === "string" && /^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(value) &&
      !/^(?:cookie|host|origin|referer|user-agent|content-.*|sec-.*|accept.*)$/i
        .test(value)
      ? value
      : undefined,
};

/** The origin of a web page (RFC 6454), as a browser writes it. */
export const webOrigin: Kind<string> = {
  name: "origin of a web page",
  expected:
    "https:// and a host such as https://web-1.example.org, without a path (http:// only for this machine: localhost, 127.0.0.1, [::1])",
  read: (value) => {
    if (typeof value !== "string") return undefined;
    const url = URL.parse(value);
    const isSafe = url?.protocol === "https:" ||
      url?.protocol === "http:" && !isOpen(value);
    return isSafe && [url.origin, `${url.origin}/`].includes(value)
      ? url.origin
      : undefined;
  },
};

/** Whether a configuration enables buttons. */
export function hasButtons(
  config: {
    readonly "serve.auth.passwordFile": string | undefined;
    readonly "serve.auth.header": string | undefined;
  },
): boolean {
  return config["serve.auth.passwordFile"] !== undefined ||
    config["serve.auth.header"] !== undefined;
}

/**
 * The kinds of button requests. Runs take long and may change the host. Words
 * (decisions of a person) are stored at once, even while a run is in progress.
 * Each kind has its own folder and unit.
 */
export type ButtonKind = "runs" | "words";

/**
 * Returns the folder for requests of a kind, beside the file that requests a run.
 *
 * @param wanted The file of `serve.wanted`.
 */
export function folderOf(wanted: string, kind: ButtonKind): string {
  return `${wanted.slice(0, wanted.lastIndexOf("/"))}/${kind}`;
}
