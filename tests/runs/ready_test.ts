import { assertEquals } from "@std/assert";
import { deployed, says, syncTo, test } from "./setting.ts";

test("ready looks at the files of the repository and of its mirrors", async (world) => {
  const { repository } = await deployed(world);
  const url = world.urlOf(repository);
  const mirror = "ssh://git@mirror.example.org/infra.git";
  world.write("/etc/key", "no key\n");
  world.configure(repository, {
    mirrors: [{ url: mirror, sshKeyFile: "/etc/key", knownHosts: "/etc/none" }],
  });
  // The repository itself brings the next commit.
  const ready = await syncTo(world, 0, "ready");
  says(ready.stdout, "Ready:");
  says(
    ready.stderr,
    `Cannot query the mirror ${mirror}: /etc/key (sshKeyFile)`,
  );

  const table: [Record<string, unknown>, string][] = [
    [{ knownHosts: "/etc/none" }, "/etc/none (knownHosts) cannot be read"],
    [
      { "tls.certFile": "/etc/cert" },
      "/etc/cert (tls.certFile) cannot be read",
    ],
  ];
  for (const [changes, expected] of table) {
    world.configure(repository, changes);
    const { stderr } = await syncTo(world, 3, "ready");
    says(stderr, `Cannot query the repository: ${expected}`);
    assertEquals(stderr.includes(url), false, stderr);
  }
});
