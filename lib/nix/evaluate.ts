/**
 * Chooses how a revision is evaluated: isolated from this host, or as root
 * where that can't be done and need not be.
 *
 * @module
 */
import { type Command, type Finished, say } from "../base/effects.ts";
import type { Run } from "../run/run.ts";
import type { Readable } from "../run/stages.ts";
import { whyNotIsolated } from "./isolation.ts";
import { inputsOf, refuseOutside } from "./lock_file.ts";
import { buildCommand, type BuildRequest } from "./nixos_rebuild.ts";
import { notIsolated } from "./probe.ts";

/** What is known of a revision that may be evaluated, and how it is. */
export interface Evaluation {
  /** Evaluates and builds what is requested; leaves `result` in its folder. */
  build(): Promise<Finished>;
  /** Runs a program that evaluates the revision, with no more power. */
  run(command: Command): Promise<Finished>;
}

/**
 * Looks what a revision may do here before it is evaluated.
 *
 * @throws {SyncError} stage `build`: `not-isolated`, `input-outside`,
 * `lock-outside`, `lock-unreadable`, and those of an isolated build.
 */
export async function evaluation(
  run: Run,
  readable: Readable,
  request: BuildRequest,
): Promise<Evaluation> {
  const { config, effects } = run;
  const isolate = config["build.isolate"];
  const why = isolate === "false"
    ? "build.isolate is false"
    : await whyNotIsolated(effects, config);
  if (why !== undefined && isolate === "true") throw notIsolated(why);
  await remember(run, why);
  const inputs = await inputsOf(run, readable);
  if (why === undefined) {
    const { buildIsolated, evaluatorFor } = await import("./isolated.ts");
    const evaluator = await evaluatorFor(run, inputs, request);
    return {
      build: () => buildIsolated(run, evaluator, request),
      run: evaluator.run,
    };
  }
  refuseOutside(readable.commit.revision, inputs, config);
  return {
    build: () => effects.run(buildCommand(request)),
    run: (command) => effects.run(command),
  };
}

/** Tells once why this host evaluates with its own power, until that changes. */
async function remember(run: Run, why: string | undefined): Promise<void> {
  const known = run.state.unisolated;
  if (known === why) return;
  const { unisolated: _, ...rest } = run.state;
  await run.replace(why === undefined ? rest : { ...rest, unisolated: why });
  if (why === undefined || run.config["build.isolate"] === "false") return;
  say(
    run.effects,
    "notice",
    `Revisions are evaluated with the power of this host: ${why}`,
  );
}
