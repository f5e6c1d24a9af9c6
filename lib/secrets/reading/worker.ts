/**
 * Reads what a repository holds where it may do nothing else and can be ended:
 * lib/secrets/reading/reader.ts starts it, without any permission.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type Asked, factsOf } from "./facts.ts";
import { type RulesFile, treeRules } from "./rules_for.ts";

/** What the worker is asked. */
export type Job =
  | { kind: "facts"; asked: Asked }
  | { kind: "rules"; files: readonly RulesFile[]; paths: readonly string[] };

self.onmessage = ({ data }: MessageEvent<Job>) => {
  let answer: unknown;
  try {
    answer = data.kind === "facts"
      ? factsOf(data.asked)
      : treeRules(data.files, data.paths);
  } catch {
    // What no stack is large enough for: as if it had taken too long.
  }
  self.postMessage(answer);
};
