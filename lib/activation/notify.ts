/**
 * Reports the result of a run with the commands and the units that the
 * configuration names.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { hasSystemd } from "../host/system.ts";
import { beginUnits } from "../host/systemd.ts";
import { runHostCommand } from "./host_command.ts";
import type { Run } from "../run/run.ts";

/** The environment variables of a command. */
export type Environment = Readonly<Record<string, string>>;

/**
 * Runs the commands of a hook, one after another. A failure is only reported.
 */
export async function runHooks(
  run: Run,
  hook: "postDeploy" | "onFailure" | "onRecovered",
  env: Environment,
): Promise<void> {
  for (const argv of run.config[`hooks.${hook}`]) {
    const all = { ...env, GITOPS_SYNC_HOOK: hook };
    const timeout = run.config["timeouts.hooks"];
    const failure = await runHostCommand(run, argv, all, timeout);
    if (!failure) continue;
    run.effects.tell({
      kind: "message",
      level: "warning",
      text: `hooks.${hook}: ${failure.text}`,
      details: failure.details,
    });
  }
}

/** Starts the units that an option names, without waiting for them. */
export async function startUnitsOf(
  { effects, config }: Pick<Run, "effects" | "config">,
  option: "onFailure" | "onSuccess" | "onRecovered",
): Promise<void> {
  const units = config[option];
  if (units.length === 0) return;
  if (!hasSystemd()) {
    return say(
      effects,
      "warning",
      `${option}: systemd does not run here, so no unit is started`,
    );
  }
  // One by one, so that a missing unit does not stop the others.
  for (const unit of units) {
    const started = await effects.run(beginUnits(unit));
    if (started.code === 0) continue;
    say(effects, "warning", `${option}: ${started.stderr.trim()}`);
  }
}
