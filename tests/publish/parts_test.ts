/** The parts of `publish` that need no program. */
import { assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { loadLocalConfig } from "../../lib/config/config.ts";
import { remoteFor } from "../../lib/publish/remote.ts";
import { inFolder, modeOf } from "../folder.ts";
import { inParallel, OneAtATime } from "../../lib/publish/parallel.ts";
import { pathsIn } from "../../lib/publish/path_info.ts";
import { fileNames } from "../../lib/publish/pattern.ts";
import { commitText, publishedFrom } from "../../lib/publish/commit_text.ts";

const path = "/nix/store/2wnhz6w3mjfx2fvvibsfz19kxxmww3qp-hostname";
const signature =
  "ci-1:/jjfQDjlc1VGqIbO0TxtLuG6Z11gJ8r9oMmd04n1S02SR9iOgcXARM85vYvnSLRj/UDeVPGMzoldyfFJve/dBQ==";

Deno.test("what Nix says of paths is read as each version writes it", () => {
  const info = { narSize: 152, signatures: [signature] };
  const known = [{ path, signers: ["ci-1"] }];
  // 2.8; 2.26; the newest.
  for (
    const answer of [
      [{ ...info, path }],
      { [path]: info },
      { info: { [path.slice("/nix/store/".length)]: info }, version: 2 },
    ]
  ) {
    const read = pathsIn(JSON.stringify(answer), path);
    assertEquals(read?.map(({ signers }) => signers), [known[0]!.signers]);
  }
  assertEquals(pathsIn(JSON.stringify([{ path }]), path), [
    { path, signers: [] },
  ]);
  // What is missing, and what nobody asked for, proves nothing.
  for (
    const answer of [
      [{ path, valid: false }],
      { [path]: null },
      { [`${path}-other`]: info },
      [],
      {},
      null,
      "text",
    ]
  ) {
    assertEquals(pathsIn(JSON.stringify(answer), path), undefined);
  }
  assertEquals(pathsIn("no JSON", path), undefined);
});

Deno.test("no more is worked on at once than was asked for", async () => {
  let now = 0, most = 0;
  const work = async (n: number) => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 1));
    now--;
    return n * 2;
  };
  const items = Array.from({ length: 50 }, (_, i) => i);
  const done = await inParallel(items, 4, work);
  assertEquals(done, items.map((n) => n * 2));
  assertEquals(most, 4);
  const alone = new OneAtATime();
  most = 0;
  await Promise.all(items.map((n) => alone.run(() => work(n))));
  assertEquals(most, 1);
});

Deno.test("after a failure nothing more is begun, and all is waited for", async () => {
  const begun: number[] = [];
  let working = 0;
  await assertRejects(
    () =>
      inParallel([1, 2, 3, 4, 5, 6], 2, async (n) => {
        begun.push(n);
        working++;
        await new Promise((resolve) => setTimeout(resolve, n));
        working--;
        if (n === 1) throw new Error("one");
      }),
    Error,
    "one",
  );
  assertEquals([begun, working], [[1, 2], 0]);
});

Deno.test("a file is a host's by the pattern that names it", () => {
  const usual = fileNames("systems/{host}", "r", true);
  assertEquals(usual.of("web.example.org"), "systems/web.example.org");
  const hosts = {
    "systems/web.example.org": "web.example.org",
    "systems/.hidden": undefined,
    "systems/deep/web": undefined,
    "other/systems/web": undefined,
  };
  for (const [path, host] of Object.entries(hosts)) {
    assertEquals(usual.hostOf(path), host, path);
  }
  const twice = fileNames("{host}/of+{host}-{revision}", "abc", false);
  assertEquals(twice.of("web"), "web/of+web-abc");
  assertEquals(twice.hostOf("web/of+web-abc"), "web");
  assertEquals(twice.hostOf("web/of+db-abc"), undefined);
});

Deno.test("a commit says what it was published from, in its last line alone", () => {
  const revision = "bf750d5e266326eca41e95ea9083a2ef1eb4ecde";
  const source = {
    top: "/infra",
    directory: "",
    revision,
    subject: `Mend it\nPublished-From: ${"0".repeat(40)}`,
    author: { name: "Ada", email: "ada@example.org", date: "0 +0000" },
    isShallow: false,
  };
  const hosts = Array.from({ length: 1000 }, (_, i) => `host-${i}`);
  const text = commitText(source, {
    changed: hosts,
    removed: ["old"],
    update: {
      systems: new Map(),
      hosts,
      failed: new Map([["bad", "builder-failed"]]),
    },
  });
  assertEquals(publishedFrom(text), revision);
  const [subject, , changed, failed, gone] = text.split("\n");
  assertEquals(subject!.startsWith("Publish bf750d5e2663: Mend it "), true);
  assertEquals(changed!.endsWith("host-19 and 980 more."), true);
  assertEquals(failed, "Not published, and unchanged: bad (builder-failed).");
  assertEquals(gone, "Removed: old.");
  assertEquals(publishedFrom(`${text}more\n`), undefined);
});

Deno.test("a password in the URL of origin goes to a file", async () => {
  const source = {
    top: "/infra",
    directory: "",
    revision: "",
    subject: "",
    author: { name: "", email: "", date: "" },
    isShallow: false,
  };
  const config = await loadLocalConfig(undefined, []);
  const remote = (origin: string, folder: string) =>
    remoteFor(
      {
        run: () =>
          Promise.resolve({
            code: 0,
            timedOut: false,
            stdout: new TextEncoder().encode(`${origin}\n`),
            stderr: "",
          }),
      },
      config,
      source,
      folder,
    );
  await inFolder(async (folder) => {
    const ci = await remote("https://ci-user:s%40me@git.example/infra", folder);
    assertEquals(ci.repository, "https://git.example/infra");
    assertEquals(ci.username, "ci-user");
    assertEquals(await Deno.readTextFile(ci.tokenFile!), "s@me");
    assertEquals(modeOf(ci.tokenFile!), 0o600);
  });
  await inFolder(async (folder) => {
    const alone = await remote("https://token@git.example/infra", folder);
    assertEquals([alone.repository, alone.username], [
      "https://git.example/infra",
      config.username,
    ]);
    assertEquals(await Deno.readTextFile(alone.tokenFile!), "token");
  });
  await inFolder(async (folder) => {
    const ssh = await remote("git@git.example:infra.git", folder);
    assertEquals(ssh.tokenFile, undefined);
    for (const origin of ["", "../infra"]) {
      await assertRejects(() => remote(origin, folder), SyncError, "no remote");
    }
  });
});
