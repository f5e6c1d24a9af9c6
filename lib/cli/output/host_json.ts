/**
 * What the JSON of a command says of the host that it is about.
 *
 * @module
 */
import type { LocalConfig } from "../../config/config.ts";

/** The host, and what it follows. */
export function aboutHost(config: LocalConfig): Record<string, unknown> {
  const { host, repository, ref, directory, operation } = config;
  return {
    host,
    target: {
      repository: repository ?? null,
      ref,
      directory,
      host,
      operation,
    },
  };
}
