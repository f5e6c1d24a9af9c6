/**
 * Checks of the programs that evaluate and build.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { compareVersions, parseVersion } from "../base/version.ts";
import { daemonFolder } from "../nix/isolation.ts";
import { provenRoute, refuseUnlessEvaluates } from "../nix/probe.ts";
import { programAt } from "./programs.ts";
import { type Check, type Configured, ok, problem, warning } from "./check.ts";

/** The oldest that whole runs are tested with (docs/nixpkgs.md). */
const oldestNix = "2.8";

const { build } = exitCodes;

/** The checks, in the order in which a run needs their subjects. */
export const nixChecks: readonly Check[] = [
  { name: "nix", exit: build, look: nix },
  { name: "flakes", needs: ["nix"], exit: build, look: flakes },
  { name: "nix-daemon", needs: ["nix"], exit: build, look: daemon },
  {
    name: "nixos-rebuild",
    needs: ["configuration"],
    exit: build,
    look: nixosRebuild,
  },
];

/** The check of isolated evaluation. */
export const isolationChecks: readonly Check[] = [
  {
    name: "isolation",
    needs: ["idle", "nix", "nix-daemon"],
    exit: build,
    patience: 90_000,
    look: isolation,
  },
];

/** Returns the output of a program, or nothing if it is missing. */
export async function answerOf(
  { effects }: Pick<Configured, "effects">,
  command: Omit<Command, "timeout">,
): Promise<{ code: number; said: string; error: string } | undefined> {
  try {
    const { code, stdout, stderr } = await effects.run({
      ...command,
      timeout: 20_000,
    });
    const said = new TextDecoder().decode(stdout).trim();
    return { code, said, error: errorText(stderr) };
  } catch (error) {
    const isMissing = error instanceof SyncError &&
      error.reason === "program-missing";
    if (isMissing) return undefined;
    throw error;
  }
}

/** Returns the error message, without warnings. */
function errorText(stderr: string): string {
  const error = stderr.split("\n").find((line) => /^error\b/.test(line));
  return oneLine(error ?? stderr, 300);
}

async function nix(context: Configured) {
  const answer = await answerOf(context, {
    program: "nix",
    args: ["--version"],
  });
  const install = "install Nix, or check PATH: command -v nix";
  if (!answer) return problem("nix is not on PATH", install);
  if (answer.code !== 0) return problem(`nix fails: ${answer.error}`, install);
  // "nix (Nix) 2.28.3", "nix (Lix, like Nix) 2.93.0".
  const number = /(\d+(?:\.\d+)*)\S*$/.exec(oneLine(answer.said))?.[1] ?? "";
  const version = parseVersion(number);
  const text = oneLine(answer.said, 100);
  if (!version) return warning(`the version of Nix can't be read: ${text}`);
  return compareVersions(version, parseVersion(oldestNix)!) < 0
    ? problem(`${text} is too old: expected ${oldestNix} or newer`, install)
    : ok(text);
}

/** A run enables flakes itself; a person's own `nix` may refuse them. */
async function flakes(context: Configured) {
  const answer = await answerOf(context, {
    program: "nix",
    args: [
      ...["--extra-experimental-features", "nix-command flakes"],
      ...["eval", "--expr", "builtins ? getFlake"],
    ],
  });
  if (answer?.code === 0 && answer.said === "true") {
    return ok("Nix supports flakes, and a run enables them for itself");
  }
  return problem(
    `Nix does not support flakes: ${
      answer?.error || "builtins.getFlake is missing"
    }`,
    'follow a newer nixpkgs, or set: nix.settings.experimental-features = [ "nix-command" "flakes" ];',
  );
}

async function daemon(context: Configured) {
  const fix = "start it: systemctl restart nix-daemon.socket";
  const isThere = await Deno.stat(`${daemonFolder}/socket`)
    .then(() => true, () => false);
  if (!isThere) {
    const text = `there is no Nix daemon: ${daemonFolder}/socket is missing`;
    // Root builds without one.
    return Deno.uid() === 0 && context.config?.["build.isolate"] !== "true"
      ? warning(`${text}; root builds without it, and nothing is isolated`, fix)
      : problem(text, fix);
  }
  const answer = await answerOf(context, {
    program: "nix",
    args: [
      ...["--extra-experimental-features", "nix-command"],
      ...["--store", "daemon", "store", "ping"],
    ],
  });
  return answer?.code === 0
    ? ok("the daemon answers")
    : problem(`the daemon does not answer: ${answer?.error ?? ""}`, fix);
}

function nixosRebuild({ config }: Configured) {
  if (config["build.from"] === "cache") {
    return ok("not needed: build.from is cache");
  }
  const path = programAt("nixos-rebuild");
  return path ? ok(path) : problem(
    "nixos-rebuild is not on PATH",
    "set in the host's configuration: system.tools.nixos-rebuild.enable = true;",
    "or fetch systems that were built elsewhere: build.from: cache",
  );
}

async function isolation({ effects, config }: Configured) {
  if (config["build.from"] === "cache") {
    return ok("not needed: nothing is evaluated with build.from: cache");
  }
  if (config["build.isolate"] === "false") {
    return warning(
      "revisions are evaluated as root (build.isolate: false)",
      "set build.isolate to auto",
    );
  }
  await refuseUnlessEvaluates(effects, config);
  const route = await provenRoute(effects, config, config.stateDirectory);
  if (typeof route === "string") {
    return warning(
      `revisions are evaluated as root: ${route}`,
      "import the NixOS module, which sets this up, and set services.gitops.enable = true;",
      "or set build.isolate to true: a run then refuses to continue",
    );
  }
  return ok(
    route.how === "unit"
      ? "revisions are evaluated as a user without rights"
      : "revisions are isolated only by kernel namespaces",
  );
}
