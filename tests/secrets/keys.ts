/**
 * Real keys for the tests of age and sops.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Effects } from "../../lib/base/effects.ts";
import { type Identity, readIdentity } from "../../lib/secrets/identities.ts";
import { run } from "../../lib/process/run_command.ts";

/** Real programs, and nobody who watches. */
export const effects: Effects = {
  run,
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: () => Promise.resolve(),
  tell: () => {},
};
/** The bytes of a text. */
export const bytes = (text: string) => new TextEncoder().encode(text);

/** Runs a program that must succeed. */
export async function must(
  program: string,
  args: string[],
  input?: Uint8Array,
) {
  const finished = await run({
    program,
    args,
    timeout: 60_000,
    ...(input ? { input } : {}),
  });
  assertEquals(finished.code, 0, finished.stderr);
  return finished.stdout;
}

/** Runs `work` with a folder of real keys: age, SSH, and a stranger's. */
export async function withKeys(
  work: (keys: {
    folder: string;
    age: Identity;
    ssh: Identity;
    stranger: Identity;
  }) => Promise<void>,
) {
  const folder = await Deno.makeTempDir();
  try {
    await must("age-keygen", ["-o", `${folder}/age.key`]);
    await must("age-keygen", ["-o", `${folder}/stranger.key`]);
    const ssh = ["-q", "-t", "ed25519", "-N", "", "-C", "root@web 1"];
    await must("ssh-keygen", [...ssh, "-f", `${folder}/ssh`]);
    await work({
      folder,
      age: await readIdentity(effects, `${folder}/age.key`),
      ssh: await readIdentity(effects, `${folder}/ssh`),
      stranger: await readIdentity(effects, `${folder}/stranger.key`),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
