/**
 * The kinds of values that the options of locks have.
 *
 * @module
 */
import type { Kind } from "./kinds.ts";
import { receiver } from "./notify_kinds.ts";

/** The address of a lock server, without a slash at its end. */
export const lockServer: Kind<string> = {
  ...receiver,
  read: (value) => {
    const url = receiver.read(value);
    return url === undefined || url.includes("?")
      ? undefined
      : url.replace(/\/+$/, "");
  },
};

/** Several lock servers. */
export const lockServers: Kind<readonly string[]> = {
  name: "list of URLs",
  expected: `a list in which each is ${lockServer.expected}`,
  read: (value) => {
    const items = typeof value === "string" ? [value] : value;
    if (!Array.isArray(items)) return undefined;
    const read = items.map((item) => lockServer.read(item));
    return read.every((item) => item !== undefined) ? read : undefined;
  },
  isList: true,
};

/** A name of a group or of a host in it, as the FleetLock protocol has it. */
export const groupName: Kind<string> = {
  name: "name",
  expected: "a name of letters, digits, _, - and . such as web",
  read: (value) =>
    typeof value === "string" && /^[A-Za-z0-9_][\w.-]*$/.test(value)
      ? value
      : undefined,
};

/** Where keys of etcd are, without a slash at the end. */
export const etcdPrefix: Kind<string> = {
  name: "prefix of keys",
  expected: "a prefix of letters, digits, _ - . and / such as /gitops-sync",
  read: (value) => {
    if (typeof value !== "string") return undefined;
    const prefix = value.replace(/\/+$/, "");
    return /^\/?[\w.-]+(?:\/[\w.-]+)*$/.test(prefix) ? prefix : undefined;
  },
};
