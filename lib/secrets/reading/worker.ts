/**
 * Reads content of a repository in a worker without permissions, which can be
 * ended. lib/secrets/reading/reader.ts starts it.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type Asked, factsOf } from "./facts.ts";
import { readRules } from "../sops/rules.ts";
import { type RulesFile, treeRules } from "./rules_for.ts";

/** A request to the worker. */
export type Job =
  | { kind: "facts"; asked: Asked }
  | { kind: "text"; text: string }
  | { kind: "rules"; files: readonly RulesFile[]; paths: readonly string[] };

self.onmessage = ({ data }: MessageEvent<Job>) => {
  let answer: unknown;
  try {
    answer = answerTo(data);
  } catch {
    // The text needs too much stack: this counts as taking too long.
  }
  self.postMessage(answer);
};

function answerTo(job: Job): unknown {
  switch (job.kind) {
    case "facts":
      return factsOf(job.asked);
    case "text":
      return readRules(job.text);
    case "rules":
      return treeRules(job.files, job.paths);
  }
}
