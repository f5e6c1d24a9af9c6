/**
 * When systemd starts us the next time.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";

const timer = "gitops-sync.timer";

/**
 * When the next run is.
 *
 * @returns `undefined` where there is no timer, or it has no next run.
 */
export async function nextRun(
  effects: Pick<Effects, "run">,
): Promise<Date | undefined> {
  try {
    const { code, stdout } = await effects.run({
      program: "systemctl",
      args: ["list-timers", "--output=json", "--", timer],
      timeout: 10_000,
    });
    if (code !== 0) return undefined;
    const [found] = JSON.parse(new TextDecoder().decode(stdout));
    // Microseconds since 1970; 0 or null where there is none.
    const next = Number(found?.next ?? 0) / 1000;
    return next > 0 ? new Date(next) : undefined;
  } catch {
    // No systemd, or one that is too old to say.
    return undefined;
  }
}
