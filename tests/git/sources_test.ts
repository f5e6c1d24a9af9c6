/** What each URL of a repository is reached with. */
import { assertEquals } from "@std/assert";
import { gitEnvironment } from "../../lib/git/git.ts";
import { remoteOf } from "../../lib/git/sources.ts";
import { load } from "../config/load.ts";

const text = `
repository: https://one.example/infra.git
tokenFile: /run/token
sshKeyFile: /run/key
sshCertificateFile: /run/key-cert.pub
tls: {certFile: /run/tls.pem, keyFile: /run/tls.key}
mirrors:
  - https://two.example/infra.git
  - {url: https://three.example/infra.git, certFile: /run/three.pem}
  - ssh://git@four.example/infra.git
  - {url: ssh://git@five.example/infra.git, sshKeyFile: /run/key}
`;

Deno.test("a mirror gets no credentials but its own", async () => {
  const config = await load(text);
  const table: [string, string[]][] = [
    ["https://one.example/infra.git", [
      "/run/key",
      "/run/key-cert.pub",
      "/run/tls.key",
      "/run/tls.pem",
      "/run/token",
    ]],
    ["https://two.example/infra.git", []],
    ["https://three.example/infra.git", ["/run/three.pem"]],
    ["ssh://git@four.example/infra.git", []],
    ["ssh://git@five.example/infra.git", ["/run/key", "/run/key-cert.pub"]],
  ];
  for (const [url, files] of table) {
    const env = gitEnvironment(remoteOf(config, url));
    const offered = Object.values(env).filter((one) => one.startsWith("/run/"));
    assertEquals([...new Set(offered)].sort(), files, url);
  }
});
