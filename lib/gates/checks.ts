/**
 * `gates.checks`: the checks of the revision at the forge.
 *
 * @module
 */
import type { Config } from "../config/schema.ts";
import { askedForge } from "../forge/asked.ts";
import { judge } from "../forge/judge.ts";
import { type Reported, reportsOf } from "../forge/reports.ts";
import { type Answer, closed } from "./answer.ts";
import { accessOf, orClosed } from "./files.ts";

const unknownPlace =
  "the repository's URL does not name the forge: set commitStatus.url and commitStatus.project";

/** Queries the forge about a revision. */
async function found(
  config: Config,
  revision: string,
  now: Date,
): Promise<Reported> {
  const asked = askedForge(config);
  if (!asked) return { why: unknownPlace };
  const option = "gates.tokenFile";
  const access = await accessOf(config, config[option], option);
  const signal = AbortSignal.timeout(config["timeouts.gates"]);
  const { forge, place } = asked;
  return await reportsOf(forge, place, revision, { ...access, signal, now });
}

/** Returns why the forge can't be queried, or `undefined` if it can. */
export async function canAskChecks(
  config: Config,
  revision: string,
  now: Date,
): Promise<string | undefined> {
  const [answer] = await orClosed(async () => {
    const { why } = await found(config, revision, now);
    return why === undefined ? [] : [closed(`the forge: ${why}`)];
  }, 1);
  return answer?.why;
}

/** Returns one answer for each pattern, all from one query of the forge. */
export async function askChecks(
  config: Config,
  revision: string,
  now: Date,
): Promise<Answer[]> {
  const patterns = config["gates.checks"];
  return await orClosed(async () => {
    const reported = await found(config, revision, now);
    if (reported.why !== undefined) {
      const { why, after } = reported;
      return patterns.map(() => closed(`the forge: ${why}`, after));
    }
    const own = `gitops-sync/${config.host}`;
    return patterns.map((pattern) => judge(pattern, reported.reports, own));
  }, patterns.length);
}
