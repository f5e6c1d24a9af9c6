/**
 * Reads the files that gates need: tokens and certificates.
 *
 * @module
 */
import type { Config } from "../config/schema.ts";
import { BadFile, certificatesIn, tokenIn } from "../notify/secret.ts";
import { type Answer, closed } from "./answer.ts";

/** The credentials for a server of a gate. */
export interface Access {
  token: string | undefined;
  ca: string | undefined;
}

/**
 * Reads both files again, because they may have been renewed.
 *
 * @param option The option that names the token's file.
 * @throws {BadFile}
 */
export async function accessOf(
  config: Pick<Config, "gates.caFile">,
  tokenFile: string | undefined,
  option: string,
): Promise<Access> {
  return {
    token: tokenFile === undefined
      ? undefined
      : await tokenIn(tokenFile, option),
    ca: await certificatesIn(config["gates.caFile"], "gates.caFile"),
  };
}

/** Closes the gates if a file can't be used. */
export async function orClosed(
  ask: () => Promise<Answer[]>,
  many: number,
): Promise<Answer[]> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof BadFile)) throw error;
    return Array.from({ length: many }, () => closed(error.message));
  }
}
