/**
 * `gitops-sync rollback`: rolls back to an earlier good system.
 *
 * @module
 */
import type { ExitCode } from "../../base/errors.ts";
import { oneLine } from "../../base/text.ts";
import { record } from "../../report/record.ts";
import { exitOf } from "../../sync/outcome.ts";
import { rollBack } from "../../sync/rollback.ts";
import { configOf } from "../config.ts";
import { realEffects } from "../output/effects.ts";
import { publishing } from "../publish.ts";
import { skipOf } from "../skip_gates.ts";
import { withMetrics } from "./metrics.ts";
import { tellOutcome } from "./outcome.ts";
import { wisherOf } from "../wisher.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await configOf(call);
  const skipped = skipOf(call);
  await using real = await realEffects(call.verbose);
  const effects = publishing(call, config, real);
  const reason = call.texts["reason"];
  const stays = {
    by: wisherOf(call),
    ...reason ? { reason: oneLine(reason) } : {},
  };
  const outcome = await withMetrics(effects, config, () =>
    rollBack(
      effects,
      config,
      call.texts["to"],
      record,
      call.switches.has("until-next-commit") ? undefined : stays,
      skipped,
    )).finally(effects.published);
  await tellOutcome(call, config, effects, outcome);
  return exitOf(outcome);
}
