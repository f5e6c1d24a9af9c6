/**
 * `gitops-sync init`: makes a repository that this host follows, from the
 * existing configuration.
 *
 * @module
 */
import { join, resolve } from "@std/path";
import { type Effects, say } from "../../base/effects.ts";
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { oneLine } from "../../base/text.ts";
import type { LocalConfig } from "../../config/config.ts";
import { loadLocalConfig } from "../../config/config.ts";
import type { Given } from "../../config/given.ts";
import { otherAgents } from "../../host/other_agents.ts";
import {
  type Modules,
  modulesIn,
  releaseHere,
  remarksOn,
  setIn,
} from "../../init/found.ts";
import { type InitRequest, locked, prepare } from "../../init/prepare.ts";
import { usualInputs } from "../../init/texts.ts";
import { type NewFile, writeNew } from "../../init/write.ts";
import { realEffects } from "../output/effects.ts";
import { columnsOf, wrapped } from "../output/ink.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import { keysFor } from "./init_keys.ts";
import { type Checkout, checkoutAt, nextCommands } from "./init_next.ts";
import type { Call } from "../call.ts";

const defaultModules = "/etc/nixos";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  using effects = await realEffects(call.verbose);
  const top = resolve(call.operands[0] ?? ".");
  const checkout = await checkoutAt(effects, top);
  const config = await configFor(call, checkout);
  const isHere = config.host === Deno.hostname();
  const keys = await keysFor(effects, call, config.host, isHere);
  const folder = join(top, config.directory);
  const wish = await wishOf(call, config, folder, isHere, keys);
  const { files, byHand } = await prepare(effects, wish);
  const lockTrouble = await addLock(effects, folder, files);
  if (keys.made) files.unshift(keys.made);
  if (!mayWrite(call, files)) {
    print("Nothing was written");
    return exitCodes.ok;
  }
  await writeNew(files, await Deno.stat(top));
  const next = nextCommands({
    ...wish,
    top,
    checkout,
    isHere,
    files,
    lockTrouble,
  });
  const remarks = await remarksFor(effects, wish, isHere);
  if (call.json) {
    printJson("init", exitCodes.ok, {
      result: "written",
      host: config.host,
      files: files.map(({ path }) => path),
      remarks,
      byHand,
      ...lockTrouble === undefined ? {} : { lock: lockTrouble },
      next,
    });
    return exitCodes.ok;
  }
  for (const { path } of files) print(`Wrote ${path}`);
  section("Check these first:", remarks);
  section("Do these by hand, because init overwrites nothing:", byHand);
  if (lockTrouble !== undefined) {
    section("The inputs are not pinned yet. The first command pins them:", [
      lockTrouble,
    ]);
  }
  print("");
  print("Run these commands next, in this order:");
  for (const line of next) print(`  ${line}`);
  return exitCodes.ok;
}

function section(title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  print("");
  print(title);
  const room = (columnsOf(Deno.stdout) ?? Infinity) - 2;
  for (const line of lines) {
    const [first, ...more] = line.split("\n");
    for (const part of wrapped(first!, room, "  ")) print(`  ${part}`);
    // This is the text of a file, so it is not wrapped.
    for (const part of more) print(`    ${part}`);
  }
}

/**
 * Returns the configuration from the flags. What they omit comes from the
 * checkout, or from a question to the person.
 */
async function configFor(
  call: Call,
  checkout: Checkout,
): Promise<LocalConfig & { repository: string }> {
  const isGiven = (key: string) => call.given.some((one) => one.key === key);
  const more: Given[] = [];
  const byFlag = (flag: string) => ({ from: { flag } });
  if (!isGiven("repository")) {
    const value = checkout.origin ?? askForRepository(call);
    more.push({ key: "repository", value, ...byFlag("--repository") });
  }
  if (!isGiven("ref") && checkout.branch !== undefined) {
    more.push({ key: "ref", value: checkout.branch, ...byFlag("--ref") });
  }
  const config = await loadLocalConfig(undefined, [...call.given, ...more]);
  return { ...config, repository: config.repository! };
}

function askForRepository(call: Call): string {
  const answer = canAsk(call)
    ? prompt("The URL of the repository that the hosts follow:")
    : null;
  if (answer) return answer.trim();
  throw usageError(
    "repository-missing",
    "Cannot begin: expected the URL of the repository",
    "Run `gitops-sync init --repository https://git.example.org/infra.git` with your own URL.",
  );
}

/** Returns whether a person is there to answer. */
function canAsk(call: Call): boolean {
  return !call.switches.has("yes") && !call.json && Deno.stdin.isTerminal() &&
    Deno.stdout.isTerminal();
}

function mayWrite(call: Call, files: readonly NewFile[]): boolean {
  if (!canAsk(call)) return true;
  for (const { path } of files) print(`  ${path}`);
  return confirm("Write these files?");
}

async function wishOf(
  call: Call,
  config: LocalConfig & { repository: string },
  folder: string,
  isHere: boolean,
  keys: { host: string; admin: string; file: string },
): Promise<InitRequest> {
  const { texts } = call;
  const release = isHere ? await releaseHere() : undefined;
  const from = texts["from"] ?? (isHere ? defaultModules : undefined);
  const modules = from === undefined
    ? undefined
    : await modulesIn(await Deno.realPath(from).catch(() => resolve(from)));
  if (texts["from"] !== undefined && !modules) {
    throw usageError(
      "modules-missing",
      `Cannot copy ${oneLine(from!)}: there is no configuration.nix in it`,
      "Name the folder of the host's configuration: `--from FOLDER`.",
    );
  }
  const system = systemOf(call, isHere, modules);
  return {
    host: config.host,
    ...system,
    repository: config.repository,
    ref: config.ref,
    directory: config.directory,
    inputs: {
      nixpkgs: texts["nixpkgs"] ??
        (release
          ? `github:NixOS/nixpkgs/nixos-${release}`
          : usualInputs.nixpkgs),
      gitops: texts["gitops-sync"] ?? usualInputs.gitops,
      sopsNix: texts["sops-nix"] ?? usualInputs.sopsNix,
    },
    folder: await Deno.realPath(folder).catch(() => folder),
    stateVersion: release ?? "25.05",
    modules,
    hostKey: keys.host,
    adminKey: keys.admin,
    keyFile: keys.file,
  };
}

/**
 * Returns the system of the host, from the flag, from the modules, or from this
 * machine.
 *
 * @throws {SyncError} `system-wrong`, exit 2.
 */
function systemOf(
  call: Call,
  isHere: boolean,
  modules: Modules | undefined,
): Pick<InitRequest, "system" | "isGuess"> {
  const given = call.texts["system"];
  const own = `${Deno.build.arch}-linux`;
  const platform = modules && setIn(modules.files).platform;
  if (given !== undefined) return { system: checkedSystem(given) };
  if (platform !== undefined) return { system: platform };
  if (isHere) return { system: own };
  if (!canAsk(call)) return { system: own, isGuess: true };
  const answer = prompt(
    "The system of the host, as Nix names it (for example x86_64-linux):",
    own,
  );
  return { system: checkedSystem(answer?.trim() || own) };
}

function checkedSystem(system: string): string {
  if (/^\w+-linux$/.test(system)) return system;
  throw usageError(
    "system-wrong",
    `Cannot use "${
      oneLine(system, 40)
    }" for --system: expected a system name of Nix, such as x86_64-linux`,
    "Run `nix-instantiate --eval --expr builtins.currentSystem` on the host to see its system.",
  );
}

/**
 * Adds a lock file for the inputs.
 *
 * @returns why the inputs could not be pinned, if so.
 */
async function addLock(
  effects: Effects,
  folder: string,
  files: NewFile[],
): Promise<string | undefined> {
  const flake = files.find(({ path }) => path.endsWith("/flake.nix"));
  const isThere = await Deno.lstat(join(folder, "flake.lock"))
    .then(() => true, () => false);
  if (!flake || isThere) return undefined;
  say(effects, "info", "Pinning the inputs: nix flake lock");
  const made = await locked(effects, flake.content as string);
  if ("why" in made) return made.why;
  files.push({ path: join(folder, "flake.lock"), content: made.lock });
  return undefined;
}

/** Returns what a person must check before the first commit. */
async function remarksFor(
  effects: Effects,
  { modules, folder, host, system, isGuess }: InitRequest,
  isHere: boolean,
): Promise<string[]> {
  const where = !modules || modules.folder === folder ? "" : `hosts/${host}/`;
  const ofModules = modules
    ? remarksOn(modules.files).map(({ at, text }) => `${where}${at}: ${text}`)
    : [
      `hosts/${host}.nix: it has no boot loader, disks, users or sshd yet; copy them from /etc/nixos of the host`,
    ];
  const others = modules?.others ?? [];
  const agents = isHere ? await otherAgents(effects) : [];
  return [
    ...isGuess
      ? [
        `flake.nix: the system of ${host} is set to ${system}, the system of this machine; if that is wrong, change it there, or run init with --system`,
      ]
      : [],
    ...ofModules,
    ...agents.map(({ unit, fix }) => `${unit} runs here: ${fix}`),
    ...modules?.hasFlake && modules.folder !== folder
      ? [
        `${modules.folder}/flake.nix is not copied: add what its modules use from it (specialArgs, inputs) to the new flake.nix`,
      ]
      : [],
    ...others.length === 0
      ? []
      : [`not copied from ${modules!.folder}: ${others.join(", ")}`],
  ];
}
