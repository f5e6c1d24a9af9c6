/**
 * The check of a repository's secrets, without the run around it.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Effects, Event } from "../../lib/base/effects.ts";
import { SyncError } from "../../lib/base/errors.ts";
import { type Config, options } from "../../lib/config/schema.ts";
import { Run } from "../../lib/run/run.ts";
import { checkSecrets } from "../../lib/secrets/check.ts";
import { effects } from "./keys.ts";
import type { Repository } from "../world/repository.ts";
import type { Readable, Verified } from "../../lib/run/stages.ts";

/** What a check did and said. */
export interface Checked {
  result: Readable | SyncError;
  /** The programs that decrypt, as often as they ran. */
  decrypted: string[];
  messages: string[];
}

/** Checks what main names, with the state folder of the test. */
export async function check(
  folder: string,
  repository: Repository,
  config: Partial<Config>,
): Promise<Checked> {
  const decrypted: string[] = [];
  const messages: string[] = [];
  const watched: Effects = {
    ...effects,
    run: (command) => {
      const { program, args, env = {} } = command;
      const shown = [...args, ...Object.values(env)].join();
      assert(!shown.includes("AGE-SECRET-KEY"), `a key is shown to ${program}`);
      if (program === "sops" || (program === "age" && args[0] !== "-y")) {
        decrypted.push(program);
      }
      return effects.run(command);
    },
    tell: (event: Event) => {
      if (event.kind !== "message") return;
      messages.push(event.text, ...event.details ?? []);
    },
  };
  await Deno.mkdir(`${folder}/state`, { recursive: true });
  const run = new Run(
    watched,
    {
      "secrets.check": true,
      "secrets.ignore": [],
      "secrets.identities": undefined,
      "vault.address": undefined,
      "vault.socket": options["vault.socket"].preset,
      "timeouts.secrets": 60_000,
      "limits.secrets": 2 ** 28,
      stateDirectory: `${folder}/state`,
      ...config,
    } as Config,
    { version: 1, earlier: [], holds: [] },
  );
  const revision = await repository.head();
  const verified = { mirror: repository.bare, commit: { revision } };
  const result = await checkSecrets(run, verified as unknown as Verified)
    .catch((error) => {
      if (error instanceof SyncError) return error;
      throw error;
    });
  return { result, decrypted, messages };
}

/** How many files opened, and how many are for others. */
export function numbers({ result }: Checked): [number, number] {
  if (result instanceof Error) throw result;
  return [result.opened, result.foreign];
}

/** How a check failed that must have. */
export function failure({ result }: Checked): SyncError {
  assert(result instanceof SyncError, Deno.inspect(result));
  return result;
}
