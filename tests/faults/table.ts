/**
 * The results of a campaign as a table in Markdown.
 *
 * @module
 */
import { points } from "./points.ts";
import type { Result } from "./trial.ts";
import { type Bad, badness } from "./verdict.ts";

/** The table and what it sums up to: only what really came is counted. */
export function tableOf(results: readonly Result[]): string {
  const injected = results.filter(({ wasInjected }) => wasInjected);
  const inRuns = injected.filter(({ fault }) => fault.point !== "candidate");
  const ofRevisions = injected.filter(({ fault }) =>
    fault.point === "candidate"
  );
  const late = results.length - injected.length;
  const on = (place: string) =>
    injected.filter(({ fault }) => fault.place === place).length;
  return [
    `Injected: ${injected.length} faults, ${
      on("machine")
    } on the systemd host and ${
      on("world")
    } in worlds (${late} more did not come: the run was over, or made no such call).`,
    "",
    "| bad | hosts | meaning |",
    "| --- | ---: | --- |",
    ...Object.entries(badness).map(([name, meaning]) =>
      `| ${name} | ${countBad(results, name as Bad)} | ${meaning} |`
    ),
    "",
    `| fault (bad / injected) | ${points.join(" | ")} |`,
    `| --- | ${points.map(() => "---:").join(" | ")} |`,
    ...namesIn(inRuns).map((name) =>
      `| ${name} | ${
        points.map((point) =>
          cell(inRuns.filter(({ fault }) =>
            fault.name === name && fault.point === point
          ))
        ).join(" | ")
      } |`
    ),
    "",
    "| bad revision | bad / tried |",
    "| --- | ---: |",
    ...namesIn(ofRevisions).map((name) =>
      `| ${name} | ${
        cell(ofRevisions.filter(({ fault }) => fault.name === name))
      } |`
    ),
  ].join("\n");
}

function namesIn(results: readonly Result[]): string[] {
  return [...new Set(results.map(({ fault }) => fault.name))].sort();
}

function countBad(results: readonly Result[], name: Bad): number {
  return results.filter(({ bad }) => bad.includes(name)).length;
}

function cell(results: readonly Result[]): string {
  if (results.length === 0) return "";
  const bad = results.filter((result) => result.bad.length > 0);
  return `${bad.length} / ${results.length}`;
}
