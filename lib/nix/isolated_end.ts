/**
 * Judges how an isolated evaluation ended.
 *
 * @module
 */
import type { Finished } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { isStorePath } from "../base/names.ts";
import { lastWords, safeLines } from "../base/text.ts";
import type { UnitEnd } from "../host/systemd.ts";
import type { Run } from "../run/run.ts";
import { evaluationUnit, type Used } from "./evaluation_unit.ts";
import type { Route } from "./isolation.ts";
import { tooLarge } from "./memory.ts";
import { whyUnitFails } from "./probe.ts";

/**
 * Returns how the unit ended.
 *
 * @param isOver Whether it timed out.
 */
export async function judge(
  { effects, config, folder }: Run,
  route: Route,
  revision: string,
  used: Used,
  isOver: boolean,
): Promise<Finished> {
  const { end } = used;
  if (used.timedOut || end?.result === "timeout" && isOver) {
    return { ...used, timedOut: true };
  }
  if (end && wasStopped(end, used)) throw endedFor(revision);
  if (end?.result === "oom-kill") throw tooLarge(revision, config);
  // The evaluation must not get more power by what it prints.
  if (!end || end.code >= 200 && end.code < 250) {
    const why = await whyUnitFails(effects, config, route, folder);
    if (why !== undefined || !end) throw notStarted(revision, why, used);
  }
  return { ...used, code: end.code };
}

/** Returns whether a signal killed it that we did not send. */
function wasStopped({ code, result }: UnitEnd, { stderr }: Finished): boolean {
  return [137, 143].includes(code) || result === "timeout" || code !== 0 &&
      /"raw_msg":"interrupted by the user"|^error: interrupted by the user$/m
        .test(stderr);
}

function endedFor(revision: string): SyncError {
  return new SyncError(
    `Cannot build ${revision}: something stopped the evaluation`,
    {
      stage: "build",
      reason: "evaluation-ended",
      next: "retry",
      hints: [
        `Find out what stopped it: \`journalctl --unit ${evaluationUnit}\`. The next run tries again.`,
      ],
    },
  );
}

/**
 * Returns the resulting store path: the last line. The lines before it do not
 * count.
 */
export function pathIn(
  { stdout }: Finished,
  revision: string,
  kind: "derivation" | "output",
): string {
  const path = new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!;
  const isDrv = path.endsWith(".drv");
  if (isStorePath(path) && isDrv === (kind === "derivation")) return path;
  if (path === "") throw endedFor(revision);
  throw new SyncError(
    `Cannot use the build of ${revision}: expected one store path, but Nix printed "${
      safeLines(path.slice(0, 80))[0] ?? ""
    }"`,
    {
      stage: "build",
      reason: "not-a-system",
      next: "hold",
      hints: [
        "Define nixosConfigurations.HOST with nixpkgs.lib.nixosSystem.",
      ],
    },
  );
}

function notStarted(
  revision: string,
  why: string | undefined,
  used: Finished,
): SyncError {
  return new SyncError(
    `Cannot build ${revision}: systemd could not run the evaluation${
      why === undefined ? "" : `: ${why}`
    }`,
    {
      stage: "build",
      reason: "evaluation-not-started",
      next: "retry",
      details: lastWords(used),
      hints: [
        `Read its journal: \`journalctl --unit ${evaluationUnit}\`. With build.isolate: false, this host evaluates as root instead.`,
      ],
    },
  );
}
