/**
 * Keeps the status page of `gitops-sync serve` up to date.
 *
 * @module
 */
import type { LocalConfig } from "../config/config.ts";
import { run } from "../process/run_command.ts";
import { type Behind, behind } from "../report/behind.ts";
import type { LocalFacts } from "../report/host_facts.ts";
import { removeFacts, writeFacts } from "../report/page_facts.ts";
import { factsOf, lastAnswer } from "./command/status_facts.ts";

/**
 * Writes the facts for the page.
 *
 * @throws {Error} if the folder cannot be made or written to.
 */
export async function publishPage(local: LocalFacts): Promise<void> {
  // The page queries systemd itself: during a run the next one is not known.
  const facts = factsOf(local, lastAnswer(local), { why: "not queried" });
  writeFacts(local.config.stateDirectory, facts, await behindOf(local));
}

async function behindOf(
  { config, state, tip }: LocalFacts,
): Promise<Behind | undefined> {
  const done = config.operation === "build" ? state.built : state.lastGood;
  if (!tip || !done || tip.revision === done.revision) return undefined;
  const { stateDirectory } = config;
  return await behind({ run }, stateDirectory, tip.revision, done.revision);
}

/** Removes the facts of the page if the state can no longer be read. */
export function unpublishPage({ stateDirectory }: LocalConfig): void {
  removeFacts(stateDirectory);
}
