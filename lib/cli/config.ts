/**
 * The configuration of a call: its file and its flags.
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

/** For commands that deal with the repository. */
export async function configOf(call: Call): Promise<Config> {
  const config = await loadConfig(
    pathOf(call, isAboutFlags(call)),
    call.given,
  );
  checkStateFolder(config.stateDirectory);
  return config;
}

/** For what says itself whether the state folder can be trusted. */
export async function loadConfigOf(call: Call): Promise<Config> {
  return await loadConfig(pathOf(call, isAboutFlags(call)), call.given);
}

/** For commands that only look at what this host keeps. */
export async function localConfigOf(call: Call): Promise<LocalConfig> {
  const config = await readConfig(call);
  checkStateFolder(config.stateDirectory);
  return config;
}

/** For what does not touch the state folder. */
export async function readConfig(call: Call): Promise<LocalConfig> {
  return await loadLocalConfig(pathOf(call, true), call.given);
}

/** Flags that name the repository are enough without a file. */
function isAboutFlags({ given }: Call): boolean {
  return given.some(({ key }) => key === "repository");
}

/** The file to read; the usual one may be missing where flags are enough. */
function pathOf(call: Call, mayBeMissing: boolean): string | undefined {
  if (call.configPath !== undefined) return call.configPath;
  return mayBeMissing && !isThere(defaultConfigPath)
    ? undefined
    : defaultConfigPath;
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
