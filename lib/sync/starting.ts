/**
 * Defers a run on a host that is still starting: a switch waits for the end of
 * the boot (as in NixOS 24.11), and the boot waits for our own service.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { hasSystemd } from "../host/system.ts";
import { armTimer, isStarting, startSoon } from "../host/systemd.ts";

/** Seconds until another run of our service is started. */
const pause = 20;

/**
 * Whether the host is still starting. If a service runs this, it schedules another
 * start of the service.
 */
export async function isDeferred(effects: Effects): Promise<boolean> {
  if (!hasSystemd() || !await isStarting(effects)) return false;
  if (Deno.env.has("JOURNAL_STREAM")) await comeAgain(effects);
  return true;
}

async function comeAgain(effects: Effects): Promise<void> {
  const argv = startSoon("gitops-sync.service");
  const finished = await effects.run(
    armTimer("gitops-sync-again", argv, pause),
  );
  if (finished.code === 0) return;
  say(
    effects,
    "warning",
    `Cannot schedule another run: ${finished.stderr.trim()}`,
    ["Wait for the next run of the timer, or run `gitops-sync sync`."],
  );
}
