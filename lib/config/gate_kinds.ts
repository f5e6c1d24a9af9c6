/**
 * The kinds of values that the options of gates have.
 *
 * @module
 */
import { parseDuration } from "../base/duration.ts";
import { type Argv } from "./checks.ts";
import { duration, type Kind, path, text, texts } from "./kinds.ts";
import { receiver } from "./notify_kinds.ts";

/** A query that must be true at a Prometheus. */
export interface PrometheusGate {
  /** The address of the server, without `/api/v1`. */
  url: string;
  /** PromQL; `{revision}` and `{host}` are replaced. */
  query: string;
  /** How long it must have been true, in milliseconds. */
  for?: number;
  /** A file with a token (`Authorization: Bearer`). */
  tokenFile?: string;
}

/** The longest query; it is sent as a part of a URL. */
const longestQuery = 4000;

const query: Kind<string> = {
  name: "query",
  expected:
    `a query of at most ${longestQuery} characters; the fields are {revision}, {host}`,
  read: (value) =>
    typeof value === "string" && value.trim() !== "" &&
      value.length <= longestQuery && !value.includes("\0")
      ? value
      : undefined,
};

const keys: Readonly<Record<keyof PrometheusGate, Kind<unknown>>> = {
  url: {
    ...receiver,
    read: (value) => {
      const url = receiver.read(value);
      // A query of its own would take the place of ours.
      return url === undefined || url.includes("?") ? undefined : url;
    },
  },
  query,
  for: duration,
  tokenFile: path,
};

/** Several queries. */
export const prometheusGates: Kind<readonly PrometheusGate[]> = {
  name: "list of queries",
  expected:
    "a list such as [{url: https://prometheus.example.org, query: 'min(up{job=\"web\"}) == bool 1', for: 30m}]",
  read: (value) => {
    if (!Array.isArray(value)) return undefined;
    if (value.some((item) => problem(item) !== undefined)) return undefined;
    return value.map((item) => ({
      ...item,
      ...item.for === undefined ? {} : { for: parseDuration(item.for)! },
    }));
  },
  explain: (value) =>
    Array.isArray(value) ? value.map(problem).find((one) => one) : undefined,
};

function problem(item: unknown): string | undefined {
  if (item === null || typeof item !== "object" || Array.isArray(item)) {
    return "keys and values in each item";
  }
  for (const [key, value] of Object.entries(item)) {
    if (!Object.hasOwn(keys, key)) {
      return `only ${Object.keys(keys).join(", ")} as keys`;
    }
    const kind = keys[key as keyof PrometheusGate];
    if (kind.read(value) === undefined) return `${kind.expected} as ${key}`;
  }
  const missing = ["url", "query"].find((key) => !(key in item));
  return missing && `a ${missing} in each item`;
}

/** Names of checks; `*` stands for any characters. */
export const checkPatterns: Kind<readonly string[]> = {
  name: "list of names",
  expected:
    "a list of names of checks such as [ci/*, gitops-sync/canary-*], each of at most 255 characters",
  read: (value) => {
    const names = texts.read(value);
    const isGood = names?.every((name) => name.length <= 255);
    return isGood ? [...new Set(names)] : undefined;
  },
  isList: true,
};

/** One argument list; an empty list means no command. */
export const command: Kind<Argv> = {
  name: "command",
  expected:
    "a list of the words of a command such as [/run/current-system/sw/bin/may-deploy, web]; no shell is used",
  read: (value) => {
    if (!Array.isArray(value)) return undefined;
    const isArgv = value.every((word) =>
      typeof word === "string" && !word.includes("\0")
    );
    const isNamed = value.length === 0 || text.read(value[0]) !== undefined;
    return isArgv && isNamed ? value : undefined;
  },
};
