import { assertEquals } from "@std/assert";
import { run } from "../../lib/process/run_command.ts";
import { defaultRoutes, routesIn } from "../../lib/host/routes.ts";
import { output } from "../world/program.ts";

const head =
  "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n";
const none = "0".repeat(32);

Deno.test("a default route is one to everywhere that leads somewhere", () => {
  const table: [what: string, ipv4: string, ipv6: string, string[]][] = [
    ["nothing", "", "", []],
    ["a head alone", head, "", []],
    [
      "a default",
      `${head}eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0`,
      "",
      [
        "IPv4",
      ],
    ],
    [
      "a network that begins with zeros",
      `${head}tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0`,
      "",
      [],
    ],
    [
      "a network",
      `${head}eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0`,
      "",
      [],
    ],
    [
      "unreachable",
      `${head}*\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0`,
      `${none} 00 ${none} 00 ${none} ffffffff 00000001 00000000 00200200 lo`,
      [],
    ],
    [
      "both",
      `${head}eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0`,
      `${none} 40 ${none} 00 ${none} 00000400 00000002 00000000 00000003 eth0\n` +
      `${none} 00 ${none} 00 ${none} 00000400 00000002 00000000 00000003 eth0`,
      ["IPv4", "IPv6"],
    ],
  ];
  for (const [what, ipv4, ipv6, expected] of table) {
    assertEquals(routesIn(`${ipv4}\n${ipv6}`) as string[], expected, what);
  }
});

Deno.test("the kernel's own tables are read", async () => {
  const found: string[] = await defaultRoutes({ run });
  // By another way: iproute2 says what there is to be found.
  for (const [family, flag] of [["IPv4", "-4"], ["IPv6", "-6"]] as const) {
    const shown = await output(["ip", flag, "route", "show", "default"]);
    const leads = shown.split("\n").some((line) => line.startsWith("default"));
    assertEquals(found.includes(family), leads, family);
  }
});
