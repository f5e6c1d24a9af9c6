/**
 * What ssh has to say of a connection that ended before anything was asked.
 *
 * A banner is a text of the server's, which ssh shows among its own words. So
 * ssh runs at a level at which it shows no banner, and some of its own words
 * are not shown either: it is asked again for those alone.
 *
 * @module
 */
import type { Command, Effects, Finished } from "../base/effects.ts";

/** What Git itself adds where ssh has failed. */
const ofGit =
  /^(?:fatal: Could not read from remote repository\.|Please make sure you have the correct access rights|and the repository exists\.|)$/;

/** What ssh writes at the level "info" as it gives up (OpenSSH, packet.c). */
const ofSsh =
  /^(?:Unable to negotiate with |Connection (?:closed|reset|timed out|corrupted)|Disconnecting |Disconnected from |Received disconnect from |Timeout, server |Bad packet length|ssh_dispatch_run_fatal|kex_exchange_identification|banner exchange)/;

/** The same end, with the words of ssh if it said nothing so far. */
export async function withSshWords(
  effects: Pick<Effects, "run">,
  question: Command,
  finished: Finished,
): Promise<Finished> {
  const lines = finished.stderr.split(/\r?\n/);
  if (finished.timedOut || !lines.every((line) => ofGit.test(line))) {
    return finished;
  }
  const env = { ...question.env, GITOPS_SYNC_SSH_LOG: "INFO" };
  const again = await effects.run({ ...question, env });
  const words = again.stderr.split(/\r?\n/).filter((line) => ofSsh.test(line));
  return { ...finished, stderr: [...words, ...lines].join("\n") };
}
