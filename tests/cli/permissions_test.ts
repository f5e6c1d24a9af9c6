import { assertEquals, assertNotEquals } from "@std/assert";
import { commands } from "../../lib/cli/commands.ts";
import {
  namesSockets,
  permissionsFor,
  type Reach,
} from "../../lib/cli/permissions.ts";
import { load } from "../config/load.ts";
import { mayRun } from "../nix/package.ts";

const always = "cat git head kill ls stat";
const nix = "nix nix-env nix-instantiate nix-store";
const systemd = "journalctl logger systemctl systemd-run";
const build = "nixos-rebuild";
const keys = "gpg gpgconf ssh-keygen";
const secrets = `age age-keygen sops ${keys}`;

/** What a configuration beside the repository's name leads to. */
async function permissions(
  reach: Reach,
  text: string,
  { hasSystemd = true, netNamesSockets = true } = {},
) {
  const config = await load(`repository: /srv/infra\n${text}`);
  return permissionsFor(reach, config, {
    hasSystemd,
    privatePlaces: ["/run/private"],
    // The package may run a fixed list.
    mayRun: (program) => program !== undefined,
    netNamesSockets,
  });
}

Deno.test("the programs are those that the configuration needs", async () => {
  const table: [Reach, text: string, programs: string][] = [
    ["host", "", `${always} ${nix} ${systemd} ${build} ${secrets}`],
    [
      "host",
      "secrets: {check: false}",
      `${always} ${nix} ${systemd} ${build}`,
    ],
    [
      "host",
      "secrets: {check: false}\nbuild: {from: cache}",
      `${always} ${nix} ${systemd}`,
    ],
    [
      "host",
      "secrets: {check: false}\nverify: {mode: head, allowedSigners: /a}",
      `${always} ${nix} ${systemd} ${build} ${keys}`,
    ],
    ["state", "", `${always} systemctl`],
    ["state", "sshKeyFile: /key", `${always} systemctl ssh-keygen`],
    [
      "state",
      "mirrors: [{url: 'ssh://host/x', sshKeyFile: /key}]",
      `${always} systemctl ssh-keygen`,
    ],
    ["looks", "", `${always} ${nix} ${systemd} ${build} ${secrets}`],
    ["vault", "", "kill stat systemd-notify"],
    ["serve", "", "stat"],
    ["serve", "serve: {page: true}", "stat kill systemctl"],
    ["locks", "", always],
    ["notify", "notify: {webhook: {url: 'https://a.example'}}", always],
    ["notify", "notify: {apprise: {urlsFile: /a}}", `${always} apprise`],
    // What changes the host reaches no receiver.
    [
      "host",
      "notify: {apprise: {urlsFile: /a}}",
      `${always} ${nix} ${systemd} ${build} ${secrets}`,
    ],
  ];
  for (const [reach, text, programs] of table) {
    const { run } = await permissions(reach, text);
    assertEquals(run, programs.split(" "), `${reach} ${text}`);
    const beyond = programs.split(" ").filter((one) => !mayRun.includes(one));
    assertEquals(beyond, [], "the package does not let it run these");
  }
});

Deno.test("no program is left out that a command runs", async () => {
  const { run } = await permissions("host", "");
  const { run: ofAgent } = await permissions("vault", "");
  const { run: elsewhere } = await permissions("host", "", {
    hasSystemd: false,
  });
  const { run: telling } = await permissions(
    "notify",
    "notify: {apprise: {urlsFile: /a}}",
  );
  const known = [run, ofAgent, telling, elsewhere].flatMap((some) =>
    some as string[]
  );
  // The package's list is held to what the code runs (tests/nix).
  const others = mayRun.filter((program) => !known.includes(program));
  assertEquals(
    others,
    ["mkdir", "rm", "tee"],
    "only the commands for a person's own secrets run these",
  );
});

Deno.test("the servers are those that the configuration names", async () => {
  const http = "health: {http: [https://a.example/x, 'http://[::1]:8080/']}";
  const locks =
    "lock: {etcd: {endpoints: ['https://e.example:2379', 'http://localhost:2379']}}";
  const table: [Reach, text: string, net: false | string[]][] = [
    ["host", "", false],
    ["host", http, ["a.example:443", "[::1]:8080"]],
    ["host", "health: {tcp: ['localhost:22']}", ["localhost:22"]],
    ["host", "build: {prebuilt: 'https://c.example/{host}'}", false],
    [
      "host",
      "build: {from: cache, prebuilt: 'https://c.example/{host}'}",
      ["c.example:443"],
    ],
    ["host", "build: {from: cache}", false],
    ["state", http, false],
    ["looks", http, false],
    [
      "looks",
      "build: {from: cache, prebuilt: 'https://c.example/{host}'}",
      ["c.example:443"],
    ],
    [
      "looks",
      "vault: {address: 'https://v.example', socket: /run/v/s}",
      ["unix:/run/v/s", "v.example:443"],
    ],
    ["host", "notify: {webhook: {url: 'https://h.example/x'}}", false],
    [
      "host",
      "gates: {checks: [ci], forge: gitea, prometheus: [{url: 'https://p.example/x', query: up}, {url: 'https://p.example', query: up}]}\ncommitStatus: {url: 'https://f.example/api/v1', project: a/b}",
      ["f.example:443", "p.example:443"],
    ],
    // Doctor asks them too; a forge that is not asked is not reached.
    [
      "looks",
      "gates: {prometheus: [{url: 'http://localhost:9090', query: up}]}\ncommitStatus: {forge: gitea, url: 'https://f.example/api/v1', project: a/b}",
      ["localhost:9090"],
    ],
    ["state", "gates: {checks: [ci], forge: github}", false],
    ["notify", http, false],
    [
      "notify",
      "notify: {webhook: {url: 'https://h.example/x'}, alertmanager: {url: 'http://localhost:9093'}}\ncommitStatus: {forge: gitea, url: 'https://f.example/api/v1', project: a/b}",
      ["h.example:443", "localhost:9093", "f.example:443"],
    ],
    ["vault", "", ["unix:/run/gitops-sync-vault/agent.sock"]],
    [
      "vault",
      "vault: {address: 'https://v.example:8200', socket: /run/v/s}",
      ["unix:/run/v/s", "v.example:8200"],
    ],
    ["state", locks, false],
    ["host", locks, ["e.example:2379", "localhost:2379"]],
    ["looks", locks, ["e.example:2379", "localhost:2379"]],
    ["locks", `${locks}\n${http}`, ["e.example:2379", "localhost:2379"]],
    ["locks", "lock: {fleetlock: {url: 'https://f.example/x'}}", [
      "f.example:443",
    ]],
    ["serve", http, ["127.0.0.1:9480"]],
    ["serve", "serve: {listen: 'unix:/run/s/http'}", ["unix:/run/s/http"]],
  ];
  for (const [reach, text, net] of table) {
    assertEquals((await permissions(reach, text)).net, net, `${reach} ${text}`);
  }
});

Deno.test("an older Deno is not told of sockets as of servers", async () => {
  const vault = "vault: {address: 'https://v.example:8200', socket: /run/v/s}";
  const { net, write } = await permissions("vault", vault, {
    netNamesSockets: false,
  });
  assertEquals(net, ["v.example:8200"]);
  assertEquals(write, ["/run/v"], "the file of the socket is made there");
  const table: [string, boolean][] = [
    ["2.2.0", false],
    ["2.4.5", false],
    ["2.8.3", false],
    ["2.9.0", true],
    ["2.10.1", true],
    ["3.0.0-rc.1", true],
  ];
  for (const [version, expected] of table) {
    assertEquals(namesSockets(version), expected, version);
  }
});

Deno.test("the places to write to are our own", async () => {
  const published = "/run/gitops-sync-status";
  const table: [Reach, text: string, write: string[]][] = [
    [
      "host",
      "stateDirectory: /srv/state",
      ["/srv/state", published, "/run/private", "/nix/var/nix/profiles/system"],
    ],
    ["state", "", ["/var/lib/gitops-sync", published]],
    ["state", "publishStatus: false", ["/var/lib/gitops-sync"]],
    [
      "state",
      "metrics: {textfile: /srv/metrics/g.prom}",
      ["/var/lib/gitops-sync", published, "/srv/metrics"],
    ],
    ["locks", "", ["/var/lib/gitops-sync"]],
    ["vault", "vault: {socket: /run/v/s}", ["/run/v"]],
    ["serve", "", ["/run/gitops-sync-serve/wanted"]],
    [
      "serve",
      "serve: {wanted: /run/s/w, auth: {header: X-A}}",
      ["/run/s/w", "/run/s/runs", "/run/s/words"],
    ],
    [
      "serve",
      "serve: {listen: 'unix:/run/s/http', wanted: /run/w}",
      ["/run/w", "/run/s"],
    ],
  ];
  for (const [reach, text, write] of table) {
    assertEquals((await permissions(reach, text)).write, write);
  }
});

Deno.test("without systemd a run may start the system's own programs, where we may", async () => {
  const config = await load("repository: /srv/infra");
  const surroundings = {
    hasSystemd: false,
    privatePlaces: [],
    netNamesSockets: true,
  };
  const may = (mayRun: (program?: string) => boolean) =>
    permissionsFor("host", config, { ...surroundings, mayRun }).run;
  assertEquals(may(() => true), true);
  assertEquals(may((program) => program === "git"), ["git"]);
});

Deno.test("all but a person's own files and plain texts is confined", () => {
  const free = commands.filter(({ reach }) => reach === undefined)
    .map(({ name }) => name)
    .filter((name) => !name.startsWith("secrets "));
  assertEquals(free, [
    "fleet approve",
    "fleet accept",
    "config check",
    "init",
    "publish",
    "completions",
  ]);
  assertNotEquals(commands[0]!.reach, undefined);
});

Deno.test("a look at the fleet reaches whom it asks, and nothing else", async () => {
  const prometheus = "fleet: {prometheus: 'https://prom.example.org/x'}";
  const forge =
    "commitStatus: {forge: github, url: 'https://git.example.org', project: a/b}";
  const table: [text: string, net: false | string[]][] = [
    ["", false],
    [prometheus, ["prom.example.org:443"]],
    [`${forge}`, ["git.example.org:443"]],
    [`${prometheus}\n${forge}`, ["prom.example.org:443"]],
  ];
  for (const [text, net] of table) {
    const { run, write, ...may } = await permissions("fleet", text);
    assertEquals([may.net, run, write], [net, false, false], text);
  }
});
