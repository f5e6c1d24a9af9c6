/**
 * The options of how much and how long: a part of the list in schema.ts.
 *
 * @module
 */
import { duration, number, size } from "./kinds.ts";
import type { Option } from "./option.ts";

/** The options, in the order of the documentation. */
export const limitOptions = {
  keep: {
    kind: number,
    preset: 5,
    text:
      "How many earlier good systems stay protected from garbage collection, so that `rollback --to` can reach them.",
  } as Option<number>,
  retries: {
    kind: number,
    preset: 2,
    text:
      "How often a run asks the remote again, with a growing pause, before it gives up until the next run.",
  } as Option<number>,
  "limits.fetch": {
    kind: size,
    preset: "8G",
    text:
      "How large the mirror of the repository may grow while something is fetched into it, and how large all files of a revision together may be, which Nix copies to the store.",
  } as Option<number>,
  "limits.secrets": {
    kind: size,
    preset: "256M",
    text:
      "How large an encrypted file may be that the check opens. A larger one is left out and told; a system that installs it is not switched to.",
  } as Option<number>,
  "preflight.freeSpace": {
    kind: size,
    preset: "1G",
    text:
      "The free space that the file system of `/nix` must have, and must keep beside the files of a revision and all that Nix says it will fetch (Nix 2.26 and newer do), or nothing is fetched and built.",
  } as Option<number>,
  "preflight.battery": {
    kind: number,
    preset: 20,
    text:
      "The charge in percent below which nothing is deployed while the machine runs on its battery; `0`: whatever the charge.",
  } as Option<number>,
  "timeouts.remote": {
    kind: duration,
    preset: "1m",
    text: "The longest that asking the remote may take.",
  } as Option<number>,
  "timeouts.fetch": {
    kind: duration,
    preset: "30m",
    text: "The longest that fetching may take.",
  } as Option<number>,
  "timeouts.secrets": {
    kind: duration,
    preset: "5m",
    text: "The longest that the check of all secrets may take.",
  } as Option<number>,
  "timeouts.vault": {
    kind: duration,
    preset: "15s",
    text:
      "How long `vault-agent` asks a server again that is sealed, busy or out of reach, before a decrypt call fails.",
  } as Option<number>,
  "timeouts.build": {
    kind: duration,
    preset: "6h",
    text: "The longest that evaluating and building may take.",
  } as Option<number>,
  "timeouts.activate": {
    kind: duration,
    preset: "15m",
    text: "The longest that one activation may take before it is rolled back.",
  } as Option<number>,
  "timeouts.health": {
    kind: duration,
    preset: "2m",
    text:
      "How long after an activation units may take to start, and everything else that is looked at to be well.",
  } as Option<number>,
  "timeouts.hooks": {
    kind: duration,
    preset: "5m",
    text: "The longest that one command of a hook may take.",
  } as Option<number>,
  "timeouts.gates": {
    kind: duration,
    preset: "30s",
    text:
      "The longest that asking one gate may take. What has not answered by then is closed.",
  } as Option<number>,
} as const;
