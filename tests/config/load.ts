/**
 * Loads configurations from texts.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { loadConfig } from "../../lib/config/config.ts";
import type { Config } from "../../lib/config/schema.ts";
import type { Given } from "../../lib/config/given.ts";
import { recordError } from "../messages/record.ts";

/** Loads a file of this text; its path reads `FILE` in what comes back. */
export async function load(text: string, flags: Given[] = []): Promise<Config> {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(path, text);
    return await loadConfig(path, flags);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    assertEquals(error.exit, 2);
    throw new SyncError(error.message.replaceAll(path, "FILE"), error);
  } finally {
    await Deno.remove(path);
  }
}

/** Loads a file of this text, which must fail. */
export async function refused(
  text: string,
  flags: Given[] = [],
): Promise<SyncError> {
  const error = await assertRejects(
    () => load(text, flags),
    SyncError,
  ) as SyncError;
  recordError(error);
  return error;
}

/** A value given on the command line. */
export const flag = (
  key: string,
  value: unknown,
  typed = `--${key}`,
): Given => ({
  key,
  value,
  from: { flag: typed },
});
