/**
 * Reads the routes of this machine. `cat` reads the tables of the kernel,
 * because they are in /proc, which this program may not read.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";

/** An address family. */
export type Family = "IPv4" | "IPv6";

/** The flag of a route that rejects packets (`RTF_REJECT` of route.h). */
const reject = 0x200;

/** Returns the address families that have a default route. */
export async function defaultRoutes(
  effects: Pick<Effects, "run">,
): Promise<Family[]> {
  // One table may be missing; `cat` still prints the other.
  const finished = await effects.run({
    program: "cat",
    args: ["/proc/net/route", "/proc/net/ipv6_route"],
    timeout: 10_000,
  });
  return routesIn(new TextDecoder().decode(finished.stdout));
}

/**
 * Reads the default routes from the lines of both tables. They differ: one has
 * the interface first, the other the destination (`fib_route_seq_show` and
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
