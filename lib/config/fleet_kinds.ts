/**
 * The kinds of values of the options for fleets.
 *
 * @module
 */
import { type Kind } from "./kinds.ts";

/** The full name of a ref. */
export const fullRef: Kind<string> = {
  name: "full name of a ref",
  expected:
    "the full name of a branch or another ref such as refs/heads/gitops-sync/approvals",
  read: (value) =>
    typeof value === "string" && value.length <= 200 &&
      /^refs(\/[\w+=][\w.+=-]*)+$/.test(value) &&
      !/\.\.|\.lock(\/|$)|\.(\/|$)/.test(value)
      ? value
      : undefined,
};

/** A word that names a group of hosts. */
export const ring: Kind<string> = {
  name: "name",
  expected: "a name of letters, digits, _, . and - such as canary",
  read: (value) => {
    const text = typeof value === "number" ? String(value) : value;
    return typeof text === "string" && /^\w[\w.-]{0,63}$/.test(text)
      ? text
      : undefined;
  },
};

/** The address of a server that is only queried. */
export const server: Kind<string> = {
  name: "URL of a server",
  expected:
    "a URL such as https://prometheus.example.org, without a user, a password or a question mark",
  read: (value) => {
    if (typeof value !== "string" || /\s/.test(value)) return undefined;
    const url = URL.parse(value);
    const isPlain = url && /^https?:$/.test(url.protocol) &&
      url.username === "" && url.password === "" && url.hash === "" &&
      url.search === "";
    return isPlain ? value : undefined;
  },
};
