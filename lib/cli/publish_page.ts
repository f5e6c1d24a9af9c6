/**
 * Keeps what `gitops-sync serve` shows as the host is.
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
 * Leaves the facts for the page.
 *
 * @throws {Error} where the folder can't be made or written to.
 */
export async function publishPage(local: LocalFacts): Promise<void> {
  // The page asks systemd itself: during a run nobody knows the next one.
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

/** Takes away what the page shows, where the state can't be read any more. */
export function unpublishPage({ stateDirectory }: LocalConfig): void {
  removeFacts(stateDirectory);
}
