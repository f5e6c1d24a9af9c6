/**
 * Loads the configuration of a call from its file and its flags.
 *
 * @module
 */
import {
  defaultConfigPath,
  loadConfig,
  loadLocalConfig,
  type LocalConfig,
} from "../config/config.ts";
import type { Config } from "../config/schema.ts";
import { checkStateFolder } from "../state/folder_check.ts";
import type { Call } from "./call.ts";

/**
 * Loads the configuration for commands that use the repository, and checks the
 * state folder.
 */
export async function configOf(call: Call): Promise<Config> {
  const config = await loadConfig(
    pathOf(call, hasRepositoryFlag(call)),
    call.given,
  );
  checkStateFolder(config.stateDirectory);
  return config;
}

/** Loads the same for a command that checks the state folder itself. */
export async function loadConfigOf(call: Call): Promise<Config> {
  return await loadConfig(pathOf(call, hasRepositoryFlag(call)), call.given);
}

/**
 * Loads the configuration for commands that use only what this host stores, and
 * checks the state folder.
 */
export async function localConfigOf(call: Call): Promise<LocalConfig> {
  const config = await readConfig(call);
  checkStateFolder(config.stateDirectory);
  return config;
}

/** Loads the configuration for commands that do not use the state folder. */
export async function readConfig(call: Call): Promise<LocalConfig> {
  return await loadLocalConfig(pathOf(call, true), call.given);
}

/** Returns whether the flags name the repository; then no file is needed. */
function hasRepositoryFlag({ given }: Call): boolean {
  return given.some(({ key }) => key === "repository");
}

/** Returns the file to read; `undefined` if it may be missing and is missing. */
function pathOf(call: Call, mayBeMissing: boolean): string | undefined {
  if (call.configPath !== undefined) return call.configPath;
  return mayBeMissing && !exists(defaultConfigPath)
    ? undefined
    : defaultConfigPath;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
