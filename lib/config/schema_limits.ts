/**
 * The options of limits and timeouts: a part of the list in schema.ts.
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
      "How many earlier good systems to protect from garbage collection, so that `rollback --to` can return to them.",
  } as Option<number>,
  retries: {
    kind: number,
    preset: 2,
    text:
      "How often a run repeats a failed query of the remote, with a growing pause, before it gives up until the next run.",
  } as Option<number>,
  "limits.fetch": {
    kind: size,
    preset: "8G",
    text:
      "How large the mirror of the repository may grow during a fetch. It also limits the total size of all files of a revision, which Nix copies to the store.",
  } as Option<number>,
  "limits.secrets": {
    kind: size,
    preset: "256M",
    text:
      "How large an encrypted file may be for the check to open it. A larger file is skipped and reported. A system that installs such a file is not activated.",
  } as Option<number>,
  "preflight.freeSpace": {
    kind: size,
    preset: "1G",
    text:
      "The free space that the file system of `/nix` must have, or nothing is fetched and built. The space must also remain free after the files of a revision and all that Nix reports it will fetch (Nix 2.26 and newer report it).",
  } as Option<number>,
  "preflight.battery": {
    kind: number,
    preset: 20,
    text:
      "The charge in percent below which nothing is deployed while the machine runs on its battery. `0` deploys at any charge.",
  } as Option<number>,
  "timeouts.remote": {
    kind: duration,
    preset: "1m",
    text: "The longest time that a query of the remote may take.",
  } as Option<number>,
  "timeouts.fetch": {
    kind: duration,
    preset: "30m",
    text: "The longest time that a fetch may take.",
  } as Option<number>,
  "timeouts.secrets": {
    kind: duration,
    preset: "5m",
    text: "The longest time that the check of all secrets may take.",
  } as Option<number>,
  "timeouts.vault": {
    kind: duration,
    preset: "15s",
    text:
      "How long `vault-agent` retries a server that is sealed, busy or unreachable, before a decrypt call fails.",
  } as Option<number>,
  "timeouts.build": {
    kind: duration,
    preset: "6h",
    text: "The longest time that evaluation and build may take.",
  } as Option<number>,
  "timeouts.activate": {
    kind: duration,
    preset: "15m",
    text:
      "The longest time that one activation may take. After that, it is rolled back.",
  } as Option<number>,
  "timeouts.health": {
    kind: duration,
    preset: "2m",
    text:
      "How long after an activation units may take to start, and all other health checks to succeed.",
  } as Option<number>,
  "timeouts.hooks": {
    kind: duration,
    preset: "5m",
    text: "The longest time that one command of a hook may take.",
  } as Option<number>,
  "timeouts.gates": {
    kind: duration,
    preset: "30s",
    text:
      "The longest time that the query of one gate may take. A gate that has not answered by then is closed.",
  } as Option<number>,
} as const;
