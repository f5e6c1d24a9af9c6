import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  foreignProblem,
  keyProblem,
} from "../../lib/secrets/installed_problems.ts";
import { factsOf } from "../../lib/secrets/reading/facts.ts";
import { unreadAnswer } from "../../lib/secrets/reading/installed_keys.ts";
import { agenixSecrets, announcedIn } from "../../lib/secrets/agenix.ts";
import {
  callsIn,
  callsInScript,
  callsInUnit,
  readManifest,
} from "../../lib/secrets/sops_nix.ts";

const text = (name: string) =>
  Deno.readTextFileSync(new URL(`./installed/${name}`, import.meta.url));
const store = "/nix/store";

Deno.test("the calls of sops-nix are found in an activation script", () => {
  assertEquals(callsInScript(text("activate-sops-nix.sh")), [
    {
      manifest:
        `${store}/9w0s2c3q6d0ib5xh5lzprlf4mp6vzq0k-manifest-for-users.json`,
      environment: {
        SOPS_GPG_EXEC:
          `${store}/5q1dvxzc3jlb1y9hq2kz2rrppw1zgcch-gnupg-2.4.7/bin/gpg`,
        VAULT_AGENT_ADDR: "unix:///run/gitops-sync/vault.sock",
      },
    },
    {
      manifest: `${store}/c8b3p1yl7ywrk8bbq4jsdv3bb9w3q4dn-manifest.json`,
      environment: {
        IT: "it's quoted",
        SOPS_AGE_SSH_PRIVATE_KEY_FILE: "/etc/ssh/ssh_host_ed25519_key",
      },
    },
  ]);
  assertEquals(callsInScript(text("activate-agenix.sh")), []);
});

Deno.test("the call of sops-nix is found in a unit", () => {
  const [call, ...others] = callsInUnit(text("sops-install-secrets.service"));
  assertEquals(others, []);
  assertEquals(
    call?.manifest,
    `${store}/c8b3p1yl7ywrk8bbq4jsdv3bb9w3q4dn-manifest.json`,
  );
  assertEquals(
    call?.environment.VAULT_AGENT_ADDR,
    "unix:///run/gitops-sync/vault.sock",
  );
  assertEquals(callsInUnit("[Service]\nExecStart=/bin/true\n"), []);
});

Deno.test("a manifest tells its secrets and its keys", () => {
  const source = `${store}/g5dlvmj0sgwlbsl7zy5cfb29n0c7p4xx-source/secrets`;
  assertEquals(readManifest(text("manifest.json")), {
    secrets: [
      {
        name: "db/password",
        key: "db/password",
        file: `${source}/web.yaml`,
        format: "yaml",
      },
      {
        name: "tls.key",
        key: "",
        file: `${source}/tls.key`,
        format: "binary",
      },
    ],
    ageKeyFile: "/var/lib/sops-nix/key.txt",
    ageSshKeyPaths: ["/etc/ssh/ssh_host_ed25519_key"],
    sshKeyPaths: ["/etc/ssh/ssh_host_rsa_key"],
  });
  assertEquals(readManifest('{"secrets": []}'), {
    secrets: [],
    ageSshKeyPaths: [],
    sshKeyPaths: [],
  });
  for (const bad of ["", "{", "[]", "{}", '{"secrets": [{"name": "x"}]}']) {
    assert(assertThrows(() => readManifest(bad)) instanceof SyntaxError, bad);
  }
});

Deno.test("the secrets of agenix are found in an activation script", () => {
  const identities = [
    "/etc/ssh/ssh_host_rsa_key",
    "/etc/ssh/ssh_host_ed25519_key",
  ];
  const source = `${store}/g5dlvmj0sgwlbsl7zy5cfb29n0c7p4xx-source/secrets`;
  const opener = {
    path: `${store}/0wnx5xnh7pxyh6hpfkm6kpn8cr0kfd2x-age-1.2.1/bin/age`,
    plugins: [],
  };
  assertEquals(agenixSecrets(text("activate-agenix.sh")), [
    { name: "wifi", file: `${source}/wifi.age`, identities, opener },
    {
      name: "token",
      file: `${store}/2p4nl05kzi2hdvgrcwyzgbqrjqzbzcdl-token.age`,
      identities,
      opener,
    },
  ]);
  assertEquals(agenixSecrets(text("activate-sops-nix.sh")), []);
});

Deno.test("an older agenix names the identities in each call", () => {
  const file = `${store}/2p4nl05kzi2hdvgrcwyzgbqrjqzbzcdl-token.age`;
  const script =
    `  LANG=C.UTF-8 ${store}/0wnx5xnh7pxyh6hpfkm6kpn8cr0kfd2x-rage-0.9/bin/rage --decrypt -i /etc/ssh/a -i "/etc/ssh/b" \\\n    -o "$TMP_FILE" "${file}"\n`;
  assertEquals(agenixSecrets(script), [
    {
      name: "token",
      file,
      identities: ["/etc/ssh/a", "/etc/ssh/b"],
      opener: {
        path: `${store}/0wnx5xnh7pxyh6hpfkm6kpn8cr0kfd2x-rage-0.9/bin/rage`,
        plugins: [],
      },
    },
  ]);
  // As its documentation has it for plugins.
  const plugins = [1, 2].map((n) => `${store}/${`${n}`.repeat(32)}-x/bin`);
  const other = script.replace(
    "C.UTF-8 ",
    (word) => `${word}PATH="$PATH:${plugins.join(":")}" `,
  );
  assertEquals(agenixSecrets(other)[0]?.opener?.plugins, plugins);
  const elsewhere = script.replace(/\/nix\/store\/\S+\/bin\/rage/, "rage");
  assertEquals(agenixSecrets(elsewhere)[0]?.opener, undefined);
});

Deno.test("what is installed in a form that is not known is counted", () => {
  const script = text("activate-agenix.sh");
  assertEquals(announcedIn(script), 2);
  assertEquals(announcedIn(text("activate-sops-nix.sh")), 0);
  const newer = script.replaceAll("--decrypt", "decrypt");
  assertEquals([agenixSecrets(newer).length, announcedIn(newer)], [0, 2]);
  const calls = text("activate-sops-nix.sh");
  assertEquals(callsIn(calls), callsInScript(calls).length);
  assertEquals(callsIn(text("sops-install-secrets.service")), 1);
  const other = calls.replaceAll(/ \/nix\/store\/(\S*)\.json/g, " --from $1");
  assertEquals([callsInScript(other).length, callsIn(other)], [0, 2]);
});

Deno.test("a file for a cloud key alone is told who could open it", () => {
  const sops = { kms: [{ arn: "arn:aws:kms:x:1:key/2", enc: "x" }], mac: "x" };
  const text = JSON.stringify({ data: "x", sops });
  const bytes = new TextEncoder().encode(text);
  const facts = factsOf({ name: "a.bin", bytes });
  const { why, fix, recipients } = foreignProblem("a.bin", "secret a", facts);
  assertEquals(recipients, ["arn:aws:kms:x:1:key/2"]);
  assert(why.includes("only those who may use that key of AWS KMS"), why);
  assert(!fix.includes("public key"), fix);
});

// What sops-install-secrets of 2026-06 says to such files.
Deno.test("what sops-nix would refuse has a reason of its own", () => {
  const of = (type: string) =>
    `ENC[AES256_GCM,data:abc=,iv:x=,tag:y=,type:${type}]`;
  const yaml = ["str", "int", "float", "bool", "bytes", "time"]
    .map((type) => `${type}: ${of(type)}\n`).join("") +
    `nothing: null\nempty: ""\nmap:\n    a: ${of("str")}\n    b: ${
      of("int")
    }\nlist:\n    - ${of("str")}\n`;
  const tail = `sops:\n    mac: ${of("str")}\n`;
  const json = `{"a": "${of("str")}", "n": "${of("int")}", "m": {"x": "${
    of("str")
  }"}, "sops": {"mac": "${of("str")}"}}`;
  const dotenv = (name: string) =>
    `${name}=${of("str")}\nsops_mac=${of("str")}`;
  const found = "found";
  const table: ["yaml" | "json" | "dotenv", string, string, string][] = [
    ...["str", "bytes", "time", "empty", "map/a", ""].map((
      key,
    ): ["yaml", string, string, string] => ["yaml", yaml + tail, key, found]),
    ...["int", "float", "bool", "nothing", "map/b"].map((
      key,
    ): ["yaml", string, string, string] => [
      "yaml",
      yaml + tail,
      key,
      "no-text",
    ]),
    ["yaml", yaml + tail, "map", "not-a-value"],
    ["yaml", yaml + tail, "list", "not-a-value"],
    ["yaml", yaml + tail, "list/0", "no-key"],
    ["yaml", yaml + tail, "str/x", "no-key"],
    ["yaml", yaml + tail, "none", "no-key"],
    ["yaml", `{x: !odd y\n${tail}`, "x", "key-unread"],
    ["yaml", `{x: !odd y\n${tail}`, "", found],
    ["json", json, "a", found],
    ["json", json, "n", "no-text"],
    ["json", json, "m/x", "json-map"],
    ["dotenv", dotenv("A.B"), "", found],
    ["dotenv", dotenv("A-B"), "", "sops-nix-refuses"],
    ["dotenv", dotenv("\u00e4"), "", "sops-nix-refuses"],
    ["dotenv", `${dotenv("A")}\nB_unencrypted="x\n`, "", "sops-nix-refuses"],
  ];
  for (const [format, text, key, reason] of table) {
    const bytes = new TextEncoder().encode(text);
    const facts = factsOf({ name: "a", bytes, format, keys: [key] });
    assert(facts.kind === "sops", text);
    const [problem] = keyProblem("a", { name: "a", key }, facts.keys[0]!);
    assertEquals(problem?.reason ?? found, reason, `${key} of ${text}`);
  }
});

Deno.test("a key of a file that can't be read here is not taken for good", () => {
  const of = (...asked: Parameters<typeof unreadAnswer>) =>
    unreadAnswer(...asked).kind;
  assertEquals(of("yaml", "a", "x"), "unknown");
  assertEquals(of("json", "a", "x"), "unknown");
  // sops-install-secrets reads the names of a dotenv file itself.
  assertEquals(of("dotenv", "", "x"), "unknown");
  for (const format of ["yaml", "json", "ini", "binary"] as const) {
    assertEquals(of(format, "", "x"), "found");
  }
});
