/**
 * Plans a person's folder with that person's rights. Nothing of the folder is run
 * on this host.
 *
 * @module
 */
import { resolve } from "@std/path";
import { exists } from "@std/fs";
import type { Command, Effects } from "../base/effects.ts";
import { SyncError, usageError } from "../base/errors.ts";
import { isStorePath } from "../base/names.ts";
import { oneLine } from "../base/text.ts";
import type { LocalConfig } from "../config/config.ts";
import { contentsCommand, contentsIn } from "../git/contents.ts";
import { fieldOf, localGit } from "../git/git.ts";
import { runningSystem } from "../host/system.ts";
import { NixLog } from "../nix/log.ts";
import { toplevelOf } from "../nix/nixos_rebuild.ts";
import { isOffline } from "../nix/store.ts";
import { type Commits, commitsIn, logCommand, mostCommits } from "./commits.ts";
import type { Plan } from "./plan.ts";
import { compareSystems } from "./systems.ts";

/**
 * Plans the system of a folder, compared with another one.
 *
 * @param build Whether to evaluate and build it.
 * @param given The store path of the other system; by default the running one,
 * if there is one.
 * @throws {SyncError} `no-flake`, `no-file` and `folder-of-another`, exit 2.
 */
export async function planFolder(
  effects: Effects,
  config: LocalConfig,
  folder: string,
  build: boolean,
  given?: string,
): Promise<Plan> {
  const top = resolve(folder);
  const what = await buildArgs(config, top);
  await refuseOtherOwner(top);
  const notes: string[] = [];
  const { commits, isDirty } = await historyOf(effects, top);
  if (isDirty) {
    notes.push(
      "the folder has uncommitted changes, and the plan includes them",
    );
  }
  const draft: Partial<Plan> = {};
  if (build) {
    const before = given ?? runningSystem();
    if (before === null) {
      notes.push("no NixOS system runs here, so everything is new");
    } else {
      notes.push(
        "units: compared only by their files, because plan never runs the switch of a folder",
      );
    }
    await tryToBuild(effects, config, { top, what, before, notes }, draft);
  }
  return {
    ...draft,
    host: config.host,
    about: `the folder ${oneLine(top, 200)}`,
    would: "deploy",
    ...commits.list[0] && !isDirty
      ? { revision: commits.list[0].revision }
      : {},
    ...commits.count > 0 ? { commits } : {},
    isBuilt: build,
    stops: [],
    notes,
  };
}

interface Where {
  top: string;
  what: readonly string[];
  before: string | null;
  notes: string[];
}

async function tryToBuild(
  effects: Effects,
  config: LocalConfig,
  { top, what, before, notes }: Where,
  draft: Partial<Plan>,
): Promise<void> {
  try {
    const after = await built(effects, config, top, what);
    Object.assign(
      draft,
      await compareSystems(effects, config, before, after, notes),
    );
  } catch (error) {
    if (!(error instanceof SyncError) || error.stage !== "build") throw error;
    draft.failure = error;
  }
}

/** Returns what to build, as arguments of nix3-build(1). */
async function buildArgs(
  config: LocalConfig,
  top: string,
): Promise<readonly string[]> {
  const { host, directory } = config;
  if (config["build.file"] === "") {
    const flake = await flakeIn(top, directory);
    const system = `nixosConfigurations."${host}"`;
    return [`${flake}#${system}.config.system.build.toplevel`];
  }
  const file = [top, directory, config["build.file"]]
    .filter((part) => part !== "").join("/");
  if (!await exists(file)) {
    throw usageError(
      "no-file",
      `Cannot plan ${oneLine(top, 200)}: it has no ${
        file.slice(top.length + 1)
      }, which build.file names`,
      "name the folder that contains it, or plan a revision: gitops-sync plan REVISION",
    );
  }
  const attribute = config["build.attribute"].replaceAll("{host}", host);
  return ["--file", file, toplevelOf({ file, attribute })];
}

/** Finds the folder of flake.nix. */
async function flakeIn(top: string, directory: string): Promise<string> {
  for (const flake of [directory === "" ? top : `${top}/${directory}`, top]) {
    if (await exists(`${flake}/flake.nix`)) return flake;
  }
  throw usageError(
    "no-flake",
    `Cannot plan ${oneLine(top, 200)}: it has no flake.nix`,
    "name the folder that contains it, or plan a revision: gitops-sync plan REVISION",
  );
}

/** Refuses, for root, what another user can write: it would run as root. */
async function refuseOtherOwner(top: string): Promise<void> {
  const { uid } = await Deno.stat(top);
  if (Deno.uid() !== 0 || uid === 0) return;
  throw usageError(
    "folder-of-another",
    `Cannot plan ${
      oneLine(top, 200)
    } as root: user ${uid} owns it, and its code would run as root`,
    "run the command as that user, without sudo",
  );
}

/**
 * Builds the system, and leaves no link to it. The lock file is used unchanged,
 * as in a sync.
 */
async function built(
  effects: Effects,
  config: LocalConfig,
  top: string,
  what: readonly string[],
): Promise<string> {
  const log = new NixLog(isOffline);
  effects.tell({ kind: "start", stage: "build" });
  const start = effects.monotonic();
  const finished = await effects.run(buildCommand(config, what, (line) => {
    log.line(line);
    effects.tell({ kind: "progress", stage: "build", now: () => log.now() });
  }));
  const ms = effects.monotonic() - start;
  const system = systemIn(finished.stdout);
  if (finished.code === 0 && isStorePath(system)) {
    effects.tell({ kind: "done", stage: "build", text: system, ms });
    return system;
  }
  effects.tell({ kind: "failed", stage: "build", ms });
  const { summary, reason, details } = log.failure();
  throw new SyncError(
    finished.timedOut
      ? `Cannot build ${oneLine(top, 200)}: it took longer than timeouts.build`
      : `Cannot build ${oneLine(top, 200)}: ${summary}`,
    { stage: "build", reason, next: "stop", details },
  );
}

/** The store path that was built (nix3-build(1), "--json", from 2.4 on). */
function systemIn(stdout: Uint8Array): string {
  try {
    const [built] = JSON.parse(new TextDecoder().decode(stdout));
    return String(built.outputs.out);
  } catch {
    return "";
  }
}

function buildCommand(
  config: LocalConfig,
  what: readonly string[],
  onLine: (line: string) => void,
): Command {
  return {
    program: "nix",
    args: [
      ...["--extra-experimental-features", "nix-command flakes"],
      ...["build", "--no-link", "--json"],
      ...["--log-format", "internal-json", "--no-update-lock-file"],
      ...what,
      ...["--option", "accept-flake-config"],
      String(config["nix.acceptFlakeConfig"]),
      ...config["build.options"],
    ],
    env: { LC_ALL: "C" },
    timeout: config["timeouts.build"],
    onLine,
  };
}

/** Lists the commits that are not pushed; only the newest if that is unknown. */
async function historyOf(
  effects: Pick<Effects, "run">,
  top: string,
): Promise<{ commits: Commits; isDirty: boolean }> {
  const none = {
    commits: { list: [], count: 0, takenBack: 0 },
    isDirty: false,
  };
  const read = async (revisions: readonly string[], most: number) => {
    const { code, stdout } = await effects.run(
      logCommand(top, revisions, most),
    );
    return code === 0 ? commitsIn(new TextDecoder().decode(stdout)) : undefined;
  };
  const found = await read(["HEAD", "^@{upstream}"], mostCommits) ??
    await read(["HEAD"], 1);
  if (!found) return none;
  const contents = found.length === 0 ? [] : contentsIn(
    await effects.run(
      contentsCommand(top, found.map(({ revision }) => revision)),
    ),
  );
  const list = found.map((one, i) => ({
    ...one,
    signature: {
      state: "unchecked" as const,
      says: signatureText(contents[i]),
    },
  }));
  const status = await effects.run(
    localGit(top, ["status", "--porcelain", "--untracked-files=no"]),
  );
  return {
    commits: { list, count: list.length, takenBack: 0 },
    isDirty: status.code === 0 && status.stdout.length > 0,
  };
}

/** Describes a signature without checking it against any keys. */
function signatureText(content: Uint8Array | undefined): string {
  const text = new TextDecoder().decode(content);
  return ["gpgsig", "gpgsig-sha256"].some((name) => fieldOf(text, name))
    ? "signed, not checked"
    : "not signed";
}
