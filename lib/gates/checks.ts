/**
 * `gates.checks`: what the forge says of the revision.
 *
 * @module
 */
import type { Config } from "../config/schema.ts";
import { askedForge } from "../forge/asked.ts";
import { judge } from "../forge/judge.ts";
import { reportsOf } from "../forge/reports.ts";
import { type Answer, closed } from "./answer.ts";
import { accessOf, orClosed } from "./files.ts";

/** What to do where nobody knows which forge it is. */
export const unknownPlace =
  "the repository's URL does not tell where the forge is: set commitStatus.url and commitStatus.project";

/** One answer for each pattern: all of them from one look at the forge. */
export async function askChecks(
  config: Config,
  revision: string,
  now: Date,
): Promise<Answer[]> {
  const patterns = config["gates.checks"];
  const asked = askedForge(config);
  if (!asked) return patterns.map(() => closed(unknownPlace));
  return await orClosed(async () => {
    const option = "gates.tokenFile";
    const access = await accessOf(config, config[option], option);
    const signal = AbortSignal.timeout(config["timeouts.gates"]);
    const { forge, place } = asked;
    const asking = { ...access, signal, now };
    const found = await reportsOf(forge, place, revision, asking);
    if (found.why !== undefined) {
      const { why, after } = found;
      return patterns.map(() => closed(`the forge: ${why}`, after));
    }
    const own = `gitops-sync/${config.host}`;
    return patterns.map((pattern) => judge(pattern, found.reports, own));
  }, patterns.length);
}
