import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Config } from "../../lib/config/schema.ts";
import { inFolder } from "../folder.ts";
import { output } from "../world/program.ts";
import { chain, Fetching, git, importInto, makeInfra } from "./remote.ts";
import { refusedBy, tipOf } from "./remote.ts";
import { makeKey, type Sshd, sshdRefusal, startSshd } from "./servers.ts";

const refusal = await sshdRefusal();
if (refusal) console.log(`SSH is not tested here: ${refusal}`);

const user = await output(["id", "-un"]);

/** What a test of SSH works with. */
interface Place {
  folder: string;
  server: Sshd;
  /** The bare repository's folder. */
  infra: string;
  /** A configuration that works. */
  right: Partial<Config>;
}

/** A test with a server of SSH, a key that may enter, and a repository. */
function test(name: string, body: (place: Place) => Promise<void>) {
  const fn = () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/my keys`);
      const key = `${folder}/my keys/deploy key`;
      const authorized = await makeKey(key);
      await using server = await startSshd(folder, authorized);
      const infra = await makeInfra(folder, 3);
      const knownHosts = `${folder}/my keys/known hosts`;
      await Deno.writeTextFile(knownHosts, server.knownHosts);
      const repository = `ssh://${user}@127.0.0.1:${server.port}${infra}`;
      const right = { repository, sshKeyFile: key, knownHosts };
      await body({ folder, server, infra, right });
    });
  Deno.test({ name, ignore: refusal !== null, fn });
}

test("a revision comes over SSH, with blanks in the paths of the keys", async ({ folder, infra, right }) => {
  const fetching = new Fetching(folder, right);
  const { commit, tip } = await fetching.fetch();
  assertEquals(commit.revision, await git(infra, "rev-parse", "main"));
  assertEquals(tip.name, "refs/heads/main");
  assertEquals(await fetching.commits(commit.revision), 1);
});

test("a host key that is not the pinned one is refused, and so is an unknown one", async ({ folder, right, server }) => {
  const other = await makeKey(`${folder}/other`);
  const file = `${folder}/hosts`;
  const scan = `ssh-keyscan -p ${server.port} 127.0.0.1`;
  const wrong = server.knownHosts.replace(/AAAA\S+/, other.split(" ")[1]!);
  const table: [string | null, string | undefined, string][] = [
    [wrong, file, "its SSH host key is not the pinned one"],
    ["", file, "no SSH host key of it is pinned"],
    [null, file, "no SSH host key of it is pinned"],
    // This machine's own files don't know it either.
    [null, undefined, "no SSH host key of it is pinned"],
  ];
  for (const [text, knownHosts, says] of table) {
    if (text !== null) await Deno.writeTextFile(file, text);
    else await Deno.remove(file).catch(() => {});
    const error = await refusedBy({ ...right, knownHosts });
    assertEquals([error.reason, error.exit], ["host-key", 3], String(text));
    assertStringIncludes(error.message, says);
    assertStringIncludes(error.hints.join(), scan);
    assertStringIncludes(error.hints.join(), knownHosts ?? "knownHosts");
  }
});

test("a key that can't work is told with what to do about it", async ({ folder, right }) => {
  await makeKey(`${folder}/other`);
  await makeKey(`${folder}/open`);
  await Deno.chmod(`${folder}/open`, 0o644);
  await makeKey(`${folder}/locked`, "a passphrase");
  await output([
    ..."ssh-keygen -q -t rsa -b 2048 -m PEM -N passphrase -f".split(" "),
    `${folder}/pem`,
  ]);
  await Deno.chmod(`${folder}/other.pub`, 0o600);
  const table: [string, string][] = [
    ["other", `add the public half of ${folder}/other as a deploy key`],
    ["other.pub", "is a public key"],
    ["open", `chmod 600 ${folder}/open`],
    ["locked", `ssh-keygen -p -f ${folder}/locked`],
    ["pem", `ssh-keygen -p -f ${folder}/pem`],
    ["missing", `ssh-keygen -t ed25519 -N "" -f ${folder}/missing`],
  ];
  for (const [name, hint] of table) {
    const error = await refusedBy({
      ...right,
      sshKeyFile: `${folder}/${name}`,
    });
    assertEquals([error.reason, error.exit], ["denied", 3], name);
    assertStringIncludes(error.hints.join(), hint);
  }
});

test("a key with a passphrase that the server would take is not asked for", async ({ folder, right }) => {
  await Deno.writeTextFile(
    `${folder}/authorized_keys`,
    await makeKey(`${folder}/locked`, "a passphrase"),
  );
  const error = await refusedBy({ ...right, sshKeyFile: `${folder}/locked` });
  assertEquals(error.reason, "denied");
  assertStringIncludes(error.hints.join(), "has a passphrase");
});

test("no repository, no server and no such name on it are told apart", async ({ infra, right, server }) => {
  const url = (path: string) => ({
    ...right,
    repository: `ssh://${user}@127.0.0.1:${server.port}${path}`,
  });
  assertEquals((await refusedBy(url(`${infra}x`))).reason, "not-found");
  await server[Symbol.asyncDispose]();
  assertEquals((await refusedBy(right)).reason, "unreachable");
});

test("a server that speaks the old protocol alone serves a lost mirror too", async ({ folder, infra, right }) => {
  // Without AcceptEnv GIT_PROTOCOL, which Debian's sshd_config has not, Git
  // speaks version 0: it gives nothing but what a name points to.
  const fetching = new Fetching(folder, right);
  await fetching.deploy();
  await importInto(infra, chain("refs/heads/main", 4, 9, "refs/heads/main^0"));
  await Deno.remove(fetching.mirror, { recursive: true });
  const { forward, commit } = await fetching.fetch();
  assertEquals(forward, "yes");
  assertEquals(commit.subject, "Commit 9");
});

test("a commit that no name points to is told with its way out", async ({ infra, folder, right }) => {
  const ref = await git(infra, "rev-parse", "main~1");
  const { kind } = await tipOf({ ...right, ref });
  assertEquals(kind, "commit");
  const fetching = new Fetching(folder, right);
  const error = await fetching.fetch({ ref }).then(() => null, (e) => e);
  assertEquals([error?.reason, error?.exit], ["revision-hidden", 3]);
  assert(error.hints.join().includes("uploadpack.allowReachableSHA1InWant"));
});
