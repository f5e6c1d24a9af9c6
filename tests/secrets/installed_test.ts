import { assert, assertEquals, assertThrows } from "@std/assert";
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
  assertEquals(agenixSecrets(text("activate-agenix.sh")), [
    { name: "wifi", file: `${source}/wifi.age`, identities },
    {
      name: "token",
      file: `${store}/2p4nl05kzi2hdvgrcwyzgbqrjqzbzcdl-token.age`,
      identities,
    },
  ]);
  assertEquals(agenixSecrets(text("activate-sops-nix.sh")), []);
});

Deno.test("an older agenix names the identities in each call", () => {
  const file = `${store}/2p4nl05kzi2hdvgrcwyzgbqrjqzbzcdl-token.age`;
  const script =
    `  LANG=C.UTF-8 ${store}/0wnx5xnh7pxyh6hpfkm6kpn8cr0kfd2x-rage-0.9/bin/rage --decrypt -i /etc/ssh/a -i "/etc/ssh/b" \\\n    -o "$TMP_FILE" "${file}"\n`;
  assertEquals(agenixSecrets(script), [
    { name: "token", file, identities: ["/etc/ssh/a", "/etc/ssh/b"] },
  ]);
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
