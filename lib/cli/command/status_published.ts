/**
 * Prints the status for people who are not root, from what runs have published.
 *
 * @module
 */
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { short } from "../../base/text.ts";
import { nextRun } from "../../host/next_run.ts";
import {
  type Published,
  publishedFile,
  readPublished,
} from "../../report/published.ts";
import type { Call } from "../call.ts";
import { realEffects } from "../output/effects.ts";
import { columnsOf, inkFor } from "../output/ink.ts";
import { printJson } from "../output/json.ts";
import { print, printColoured } from "../output/print.ts";
import { rowLines } from "../output/rows.ts";
import type { Row } from "../../report/row.ts";
import { timeAndAge, timeOf } from "../../report/times.ts";
import { fit } from "../output/width.ts";
import { exitOfState } from "./status_tell.ts";
import { nextJson } from "./status_json.ts";
import { askedClause, askedText, colours } from "../../report/status_text.ts";

/**
 * Prints the last published status.
 *
 * @returns the exit code; `undefined` if nothing was published.
 * @throws {SyncError} `root-needed`, exit 2, for a flag that waits.
 */
export async function tellPublished(
  call: Call,
): Promise<ExitCode | undefined> {
  refuseWaiting(call);
  const found = await readPublished();
  if (!found) return undefined;
  using effects = await realEffects(call.verbose);
  const next = await nextRun(effects);
  const exit = call.switches.has("exit-code")
    ? exitOfState(found.state)
    : exitCodes.ok;
  const { checked } = found;
  const asked = checked
    ? { at: new Date(checked.at), answered: checked.answered }
    : undefined;
  const facts = { asked, nextRun: next, now: new Date() };
  if (call.json) {
    printJson("status", exit, { ...found, nextRun: nextJson(next) });
  } else if (call.switches.has("oneline")) {
    const runs = found.lastGood ? short(found.lastGood.revision) : "nothing";
    const line = `${found.host}: ${found.state}, ${runs}, ${
      askedClause(facts)
    }`;
    print(fit(line, columnsOf(Deno.stdout) ?? Infinity));
  } else {
    const paper = {
      ink: inkFor(Deno.stdout),
      columns: columnsOf(Deno.stdout),
    };
    printColoured(rowLines(rowsOf(found, askedText(facts)), paper).join("\n"));
  }
  return exit;
}

/**
 * Refuses flags that wait. The published status is that of the last run: it
 * shows a new push only after the next run, so waiting is of no use.
 *
 * @throws {SyncError} `root-needed`, exit 2.
 */
function refuseWaiting({ switches, texts }: Call): void {
  const flag = switches.has("watch")
    ? "watch"
    : switches.has("wait") || texts["wait"] !== undefined
    ? "wait"
    : undefined;
  if (flag === undefined) return;
  throw usageError(
    "root-needed",
    `Cannot use --${flag} without root: only root can query the repository of this host`,
    `Run \`sudo gitops-sync status --${flag}\`.`,
  );
}

/** Returns the stage of the run, or where it was interrupted. */
function stageText({ state, stage }: Published): string {
  if (stage === null) return "";
  return state === "deploying"
    ? ` (at the ${stage} stage)`
    : ` (a run was interrupted at the ${stage} stage; the next run finishes or undoes it)`;
}

function rowsOf(found: Published, asked: string): Row[] {
  const { host, target, state, lastGood, tip, last } = found;
  const now = new Date();
  const rows: Row[] = [{
    label: "host",
    text: `${host}: ${state}${stageText(found)}`,
    colour: colours[state],
  }, {
    label: "runs",
    text: lastGood
      ? `${short(lastGood.revision)}, since ${timeAndAge(lastGood.at, now)}`
      : "nothing that gitops-sync deployed",
  }, {
    label: "git",
    text: tip
      ? `last known tip of ${target.ref}: ${short(tip)}`
      : `the tip of ${target.ref} is unknown`,
  }, { label: "checked", text: asked }];
  if (last) {
    const why = last.reason ? ` at ${last.stage}: ${last.reason}` : "";
    const what = last.revision ? ` ${short(last.revision)}` : "";
    rows.push({
      label: "last",
      text: `${last.result}${what}${why}, ${timeAndAge(last.at, now)}`,
    });
  }
  if (found.suspension) {
    const { since, until } = found.suspension;
    const end = until === null ? "" : ` until ${timeOf(until)}`;
    rows.push({
      label: "next",
      text: `suspended since ${timeAndAge(since, now)}${end}`,
    });
  }
  rows.push({
    label: "from",
    text: `${publishedFile}; run this as root to see more`,
  });
  return rows;
}
