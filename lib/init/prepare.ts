/**
 * Makes the files of `init`. All of them are complete before any is written.
 *
 * @module
 */
import { join } from "@std/path";
import type { Effects } from "../base/effects.ts";
import { SyncError, usageError } from "../base/errors.ts";
import { lastWords, oneLine } from "../base/text.ts";
import { privateFolder } from "../host/private_folder.ts";
import { sopsCommand } from "../secrets/people/own_sops.ts";
import { type Modules, setIn } from "./found.ts";
import {
  flakeText,
  hostEntry,
  hostText,
  type Plan,
  type Reader,
  rulesText,
} from "./texts.ts";
import type { NewFile } from "./write.ts";

/** The request of a person, and the facts of the host. */
export interface InitRequest extends
  Pick<
    Plan,
    "host" | "system" | "repository" | "ref" | "directory" | "inputs"
  > {
  /** The folder of the flake: an absolute path. */
  folder: string;
  stateVersion: string;
  modules: Modules | undefined;
  /** The system of the host is unknown, and that of this machine is assumed. */
  isGuess?: true;
  /** The public keys of the host and of the person who writes its secrets. */
  hostKey: string;
  adminKey: string;
  /** Where the host keeps its key. */
  keyFile: string;
}

/** The files to write, and what is left for a person to do. */
export interface Prepared {
  files: NewFile[];
  /** Sentences about what init can't do without overwriting a file. */
  byHand: string[];
}

const secretName = "example";

/**
 * Makes all files as texts.
 *
 * @throws {SyncError} exit 2 `host-there`, or 5 if sops can't encrypt.
 */
export async function prepare(
  effects: Effects,
  request: InitRequest,
): Promise<Prepared> {
  const { folder, host, modules, hostKey, adminKey } = request;
  const at = (path: string) => join(folder, path);
  if (await isThere(at(`hosts/${host}.nix`))) {
    throw usageError(
      "host-there",
      `Cannot add ${host}: ${at(`hosts/${host}.nix`)} already exists`,
      "name another host with --host NAME, or edit that file",
    );
  }
  const byHand: string[] = [];
  const files: NewFile[] = [];
  const isInPlace = modules?.folder === folder;
  if (modules && !isInPlace) {
    for (const [path, content] of modules.files) {
      files.push({ path: at(`hosts/${host}/${path}`), content });
    }
  }
  const readers: Reader[] = [
    { name: adminName(host), key: adminKey },
    { name: host.replace(/[^\w-]/g, "_"), key: hostKey },
  ];
  const rules = rulesText(host, readers);
  const hasRules = await isThere(at(".sops.yaml"));
  const secret = `secrets/${host}.yaml`;
  const hasSecret = await isThere(at(secret));
  if (hasRules) {
    byHand.push(
      `.sops.yaml already exists. Add a rule for ${secret} to it, then run: gitops-sync secrets add-host ${
        readers[1]!.name
      } ${hostKey} ${secret}`,
    );
  } else files.push({ path: at(".sops.yaml"), content: rules });
  const isEncrypted = !hasRules && !hasSecret;
  if (isEncrypted) {
    const content = await encrypted(effects, secret, rules);
    files.push({ path: at(secret), content });
  }
  const plan: Plan = {
    ...request,
    imports: !modules
      ? []
      : [isInPlace ? "../configuration.nix" : `./${host}/configuration.nix`],
    sets: modules ? setIn(modules.files) : { stateVersion: false },
    secret: isEncrypted ? secretName : undefined,
  };
  files.push({ path: at(`hosts/${host}.nix`), content: hostText(plan) });
  if (await isThere(at("flake.nix"))) {
    byHand.push(
      `flake.nix already exists. Add the inputs gitops (${plan.inputs.gitops}) and sops-nix (${plan.inputs.sopsNix}) to it, and add this to its outputs:\n${
        hostEntry(plan)
      }`,
    );
  } else files.push({ path: at("flake.nix"), content: flakeText(plan) });
  return { files, byHand };
}

/** The host itself may be called admin. */
const adminName = (host: string) => host === "admin" ? "me" : "admin";

/** Encrypts the first secret, which shows that everything works. */
async function encrypted(
  effects: Effects,
  name: string,
  rules: string,
): Promise<Uint8Array> {
  await using memory = await privateFolder();
  const write = (path: string, text: string) =>
    memory.write(path, new TextEncoder().encode(text));
  await write(".sops.yaml", rules);
  await memory.prepare(name);
  await write(name, `${secretName}: ${crypto.randomUUID()}\n`);
  const copy = {
    name,
    file: join(memory.path, name),
    config: join(memory.path, ".sops.yaml"),
  };
  const finished = await effects.run(
    sopsCommand(copy, [], memory.path, "encrypt"),
  );
  if (finished.code === 0) return finished.stdout;
  throw new SyncError(
    `Cannot encrypt the first secret: ${
      oneLine(lastWords(finished)[0] ?? "sops failed", 200)
    }`,
    {
      stage: "secrets",
      reason: "sops-failed",
      next: "stop",
      details: lastWords(finished),
      hints: ["check --host-key and --admin-key; nothing was changed"],
    },
  );
}

/**
 * Pins the inputs of the flake, in a copy of it.
 *
 * @param flake The text of `flake.nix`.
 * @returns `flake.lock`, or the reason why it could not be made.
 */
export async function locked(
  effects: Effects,
  flake: string,
): Promise<{ lock: Uint8Array } | { why: string }> {
  await using beside = await privateFolder();
  await beside.write("flake.nix", new TextEncoder().encode(flake));
  const finished = await effects.run({
    program: "nix",
    args: [
      ...["--extra-experimental-features", "nix-command flakes"],
      ...["flake", "lock", `path:${encodeURI(beside.path)}`],
    ],
    timeout: 5 * 60_000,
  });
  if (finished.code !== 0) {
    const lines = finished.stderr.split("\n");
    const error = lines.find((line) => /^error/.test(line));
    return { why: oneLine(error ?? lastWords(finished).at(-1) ?? "", 300) };
  }
  return { lock: await beside.read("flake.lock") };
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
