/**
 * The routes of this machine. The kernel's tables are read by `cat`, because
 * they are in /proc, which this program may not read by itself.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";

/** A family of addresses. */
export type Family = "IPv4" | "IPv6";

/** A route that leads nowhere (`RTF_REJECT` of route.h). */
const reject = 0x200;

/** The families of addresses for which there is a default route. */
export async function defaultRoutes(
  effects: Pick<Effects, "run">,
): Promise<Family[]> {
  // One of them may be missing; the other is shown all the same.
  const finished = await effects.run({
    program: "cat",
    args: ["/proc/net/route", "/proc/net/ipv6_route"],
    timeout: 10_000,
  });
  return routesIn(new TextDecoder().decode(finished.stdout));
}

/**
 * The same from the lines of both tables, which can be told apart: one has the
 * interface first and one the destination (`fib_route_seq_show` and
 * `rt6_info_route` of Linux).
 */
export function routesIn(tables: string): Family[] {
  const rows = tables.split("\n").map((line) => line.trim().split(/\s+/));
  const leads = (flags: string | undefined) =>
    (parseInt(flags ?? "", 16) & reject) === 0;
  const has4 = rows.some((row) =>
    row[1] === "00000000" && row[7] === "00000000" && leads(row[3])
  );
  const has6 = rows.some((row) =>
    row[0] === "0".repeat(32) && row[1] === "00" && leads(row[8])
  );
  return [...has4 ? ["IPv4" as const] : [], ...has6 ? ["IPv6" as const] : []];
}
