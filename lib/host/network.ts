/**
 * The routes of this machine, read from the kernel.
 *
 * @module
 */
import { readIfThere } from "./files.ts";

/** A family of addresses. */
export type Family = "IPv4" | "IPv6";

/** A route that leads nowhere (`RTF_REJECT` of route.h). */
const reject = 0x200;

/** The families of addresses for which there is a default route. */
export function defaultRoutes(): Family[] {
  return routesIn(
    readIfThere("/proc/net/route") ?? "",
    readIfThere("/proc/net/ipv6_route") ?? "",
  );
}

/** The same from the two files' texts (`fib_route_seq_show` and `rt6_info_route` of Linux). */
export function routesIn(ipv4: string, ipv6: string): Family[] {
  const rows = (text: string) =>
    text.split("\n").map((line) => line.trim().split(/\s+/));
  const leads = (flags: string | undefined) =>
    (parseInt(flags ?? "", 16) & reject) === 0;
  const has4 = rows(ipv4).some((row) =>
    row[1] === "00000000" && row[7] === "00000000" && leads(row[3])
  );
  const has6 = rows(ipv6).some((row) =>
    row[0] === "0".repeat(32) && row[1] === "00" && leads(row[8])
  );
  return [...has4 ? ["IPv4" as const] : [], ...has6 ? ["IPv6" as const] : []];
}
