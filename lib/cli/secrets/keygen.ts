/**
 * `gitops-sync secrets keygen`: makes a key for this host or a person.
 *
 * @module
 */
import { dirname, join, resolve } from "@std/path";
import { type ExitCode, exitCodes, SyncError } from "../../base/errors.ts";
import { oneLine } from "../../base/text.ts";
import { syncFolder, writeAll } from "../../host/files.ts";
import { realEffects } from "../output/effects.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import type { Call } from "../call.ts";
import { ofPeople } from "./identities.ts";

/** The default file of a host's key. */
export const usualKey = "/etc/ssh/age.key";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const path = resolve(call.operands[0] ?? usualKey);
  using effects = await realEffects(call.verbose);
  const made = await effects.run({
    program: "age-keygen",
    args: [],
    timeout: 60_000,
  });
  const text = new TextDecoder().decode(made.stdout);
  const recipient = /^# public key: (age1\S+)$/m.exec(text)?.[1];
  if (made.code !== 0 || recipient === undefined) {
    throw cannotMake(path, oneLine(made.stderr, 200) || "age-keygen failed");
  }
  await writeKey(path, made.stdout);
  if (call.json) {
    const result = { result: "made", path, recipient };
    printJson("secrets keygen", exitCodes.ok, result);
    return exitCodes.ok;
  }
  const isOwnKey = ofPeople.some((one) =>
    path === join(Deno.env.get("HOME") ?? "/", one)
  );
  print(
    isOwnKey
      ? `Your key is in ${path}; only you can read it.`
      : `The host's key is in ${path}; only root can read it.`,
  );
  print(`Its public key: ${recipient}`);
  if (isOwnKey) return exitCodes.ok;
  print("");
  print("Next, in a checkout of the repository:");
  print(`  gitops-sync secrets add-host ${Deno.hostname()} ${recipient} FILE…`);
  print("and in the host's configuration:");
  print(`  sops.age.keyFile = "${path}";`);
  print(`  age.identityPaths = [ "${path}" ];`);
  return exitCodes.ok;
}

/** Writes the key. It never overwrites a file, and never follows a link. */
async function writeKey(path: string, key: Uint8Array): Promise<void> {
  let file: Deno.FsFile;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    file = await Deno.open(path, { write: true, createNew: true, mode: 0o400 });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw cannotMake(
        path,
        "the file exists, and a key is never overwritten",
        "Run `sudo gitops-sync secrets recipients` to print the public keys of this host.",
      );
    }
    throw cannotMake(
      path,
      (error as Error).message,
      "Run the command as root, or name another FILE.",
    );
  }
  try {
    await writeAll(file, key);
    await file.sync();
  } catch (error) {
    await Deno.remove(path);
    throw cannotMake(path, (error as Error).message);
  } finally {
    file.close();
  }
  await syncFolder(dirname(path));
}

function cannotMake(path: string, why: string, ...hints: string[]): SyncError {
  return new SyncError(`Cannot make the key ${path}: ${why}`, {
    stage: "config",
    reason: "key-unmade",
    next: "stop",
    hints,
  });
}
