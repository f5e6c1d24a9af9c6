/**
 * The check of gates: whether each can be queried, not whether it is open.
 *
 * @module
 */
import { exitCodes } from "../base/errors.ts";
import { count } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { canAskChecks } from "../gates/checks.ts";
import { canAskPrometheus } from "../gates/prometheus.ts";
import { gateNames } from "../run/gates.ts";
import {
  type Check,
  type Configured,
  type Finding,
  ok,
  problem,
} from "./check.ts";

/** The files of tokens, which only root can read. */
function tokens(config: Config): string | undefined {
  const files = [
    config["gates.tokenFile"],
    ...config["gates.prometheus"].map(({ tokenFile }) => tokenFile),
  ].filter((file) => file !== undefined);
  return files.length === 0 ? undefined : files.join(" and ");
}

/** The one check. */
export const gateChecks: readonly Check[] = [
  {
    name: "gates",
    needs: ["configuration", "ref"],
    root: tokens,
    exit: exitCodes.build,
    patience: 3 * 60_000,
    look: gates,
  },
];

async function gates(
  { effects, config, known }: Configured,
): Promise<Finding> {
  const names = gateNames(config);
  if (names.length === 0) return ok("no gates are configured");
  const revision = known.tip!.revision;
  const now = effects.now();
  const wrong = await Promise.all([
    config["gates.checks"].length === 0
      ? undefined
      : canAskChecks(config, revision, now),
    ...config["gates.prometheus"].map((gate) =>
      canAskPrometheus(config, gate, now)
    ),
    missingCommand(config),
  ]);
  const [first, ...others] = wrong.filter((one) => one !== undefined);
  if (first === undefined) {
    return ok(`${count(names.length, "gate")} can be queried`);
  }
  return {
    ...problem(first, "fix this: a gate that can't be queried stays closed"),
    details: others,
  };
}

/** A name without a slash is searched only when it is run. */
function missingCommand(config: Config): string | undefined {
  const [program] = config["gates.command"];
  if (!program?.startsWith("/")) return undefined;
  try {
    const { isFile, mode } = Deno.statSync(program);
    if (isFile && (mode! & 0o111) !== 0) return undefined;
    return `${program} (gates.command) is not an executable file`;
  } catch (error) {
    return `${program} (gates.command) can't be run: ${
      error instanceof Deno.errors.NotFound
        ? "there is no such file"
        : (error as Error).message
    }`;
  }
}
