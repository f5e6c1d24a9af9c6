/**
 * The messages of ssh about a connection that ended before Git's first request.
 *
 * A banner is text from the server that ssh prints among its own messages. So
 * ssh runs with a log level that hides banners, and also some of its own
 * messages. It runs again only for those.
 *
 * @module
 */
import type { Command, Effects, Finished } from "../base/effects.ts";

/** What Git itself adds after ssh has failed. */
const ofGit =
  /^(?:fatal: Could not read from remote repository\.|Please make sure you have the correct access rights|and the repository exists\.|)$/;

/** What ssh writes at the level "info" as it gives up (OpenSSH, packet.c). */
const ofSsh =
  /^(?:Unable to negotiate with |Connection (?:closed|reset|timed out|corrupted)|Disconnecting |Disconnected from |Received disconnect from |Timeout, server |Bad packet length|ssh_dispatch_run_fatal|kex_exchange_identification|banner exchange)/;

/** Returns the same result, with the messages of ssh if there were none. */
export async function withSshMessages(
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
