import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Config } from "../../lib/config/schema.ts";
import { inFolder } from "../folder.ts";
import { output } from "../world/program.ts";
import { run } from "../../lib/process/run_command.ts";
import { inputEnvironment } from "../../lib/git/input_credentials.ts";
import {
  chain,
  configOf,
  Fetching,
  git,
  importInto,
  makeInfra,
} from "./remote.ts";
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
    ["", file, "its SSH host key is not pinned"],
    [null, file, "its SSH host key is not pinned"],
    // This machine's own files don't know it either.
    [null, undefined, "its SSH host key is not pinned"],
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
    [
      "other",
      `add the public key of ${folder}/other to the repository as a deploy key`,
    ],
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

test("a banner of the server decides nothing", async ({ folder, infra, right, server }) => {
  await server[Symbol.asyncDispose]();
  await Deno.writeTextFile(
    `${folder}/banner`,
    "Permission denied\nCould not resolve hostname\nNo space left on device\nHost key verification failed.\nERROR: Repository not found.\n",
  );
  const authorized = await Deno.readTextFile(`${folder}/authorized_keys`);
  await Deno.remove(`${folder}/host_key`);
  await using again = await startSshd(folder, authorized, [
    `Banner ${folder}/banner`,
  ]);
  await Deno.writeTextFile(right.knownHosts!, again.knownHosts);
  const url = (path: string) => ({
    ...right,
    repository: `ssh://${user}@127.0.0.1:${again.port}${path}`,
  });
  await tipOf(url(infra));
  const error = await refusedBy(url(`${infra}x`));
  assertEquals(error.reason, "not-found", error.details.join());
  assertStringIncludes(error.details.join(), "does not appear to be");
});

test("a server without a common key exchange, cipher or host key says which", async ({ folder, infra, right, server }) => {
  await server[Symbol.asyncDispose]();
  const authorized = await Deno.readTextFile(`${folder}/authorized_keys`);
  const table: [string, string][] = [
    ["KexAlgorithms diffie-hellman-group1-sha1", "key exchange method found"],
    ["Ciphers 3des-cbc", "cipher found"],
    ["MACs hmac-md5", "MAC found"],
    ["HostKeyAlgorithms ssh-rsa", "host key type found"],
  ];
  for (const [i, [line, words]] of table.entries()) {
    const place = `${folder}/${i}`;
    await Deno.mkdir(place);
    const more = [line];
    if (line.startsWith("HostKey")) {
      const rsa = `${place}/rsa`;
      await output(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", rsa]);
      more.push(`HostKey ${rsa}`);
    }
    // A MAC matters only where the cipher has none of its own.
    if (line.startsWith("MACs")) more.push("Ciphers aes128-ctr");
    await using other = await startSshd(place, authorized, more);
    const error = await refusedBy({
      ...right,
      repository: `ssh://${user}@127.0.0.1:${other.port}${infra}`,
    });
    assertEquals(
      [error.reason, error.exit],
      ["negotiation", 3],
      `${line}: ${error.details.join()}`,
    );
    assertStringIncludes(error.hints.join(), words);
    assertStringIncludes(error.hints.join(), "Their offer: ");
  }
});

test("a certificate counts, beside the key or named", async ({ folder, infra, right, server }) => {
  await server[Symbol.asyncDispose]();
  await makeKey(`${folder}/ca`);
  const key = `${folder}/host`;
  await makeKey(key);
  const sign = ["-q", "-s", `${folder}/ca`, "-I", "host", "-n", user];
  await output(["ssh-keygen", ...sign, `${key}.pub`]);
  await Deno.remove(`${folder}/host_key`);
  await using again = await startSshd(folder, "", [
    `TrustedUserCAKeys ${folder}/ca.pub`,
  ]);
  await Deno.writeTextFile(right.knownHosts!, again.knownHosts);
  const repository = `ssh://${user}@127.0.0.1:${again.port}${infra}`;
  const beside = { ...right, repository, sshKeyFile: key };
  assertEquals((await tipOf(beside)).name, "refs/heads/main");
  // As systemd hands it over: under another name, without what was beside it.
  await Deno.mkdir(`${folder}/credentials`);
  await Deno.copyFile(key, `${folder}/credentials/ssh-key`);
  await Deno.chmod(`${folder}/credentials/ssh-key`, 0o600);
  const alone = { ...beside, sshKeyFile: `${folder}/credentials/ssh-key` };
  assertEquals((await refusedBy(alone)).reason, "denied");
  const named = { ...alone, sshCertificateFile: `${key}-cert.pub` };
  assertEquals((await tipOf(named)).name, "refs/heads/main");
});

test("a key that is bent is found before the server is asked", async ({ folder, right, server }) => {
  const good = await Deno.readTextFile(right.sshKeyFile!);
  await server[Symbol.asyncDispose]();
  const path = `${folder}/bent`;
  for (const text of [good.trimEnd(), good.replaceAll("\n", "\r\n"), ""]) {
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    const error = await refusedBy({ ...right, sshKeyFile: path });
    // It would be unreachable.
    assertEquals(error.reason, "denied");
    assert(!error.hints.join().includes("as a deploy key"));
    assertStringIncludes(error.hints.join(), path);
  }
});

test("an input gets the key that is named for it, and no other", async ({ folder, infra, right, server }) => {
  const dep = await makeKey(`${folder}/dep`);
  // Each key of the server may read one repository, as deploy keys do.
  const main = await Deno.readTextFile(`${right.sshKeyFile}.pub`);
  const only = (path: string, key: string) =>
    `command="git-upload-pack '${path}'" ${key}`;
  await output(["cp", "-r", infra, `${folder}/dep.git`]);
  await importInto(`${folder}/dep.git`, chain("refs/heads/dep", 1, 1));
  await Deno.writeTextFile(
    `${folder}/authorized_keys`,
    `${only(infra, main)}${only(`${folder}/dep.git`, dep)}`,
  );
  const names = async (path: string, keys: Record<string, string>) => {
    const env = inputEnvironment({
      ...configOf(right),
      "inputs.sshKeys": keys,
    });
    const url = `ssh://${user}@127.0.0.1:${server.port}${path}`;
    const asked = await run({
      program: "git",
      args: ["ls-remote", "--heads", url],
      env,
      timeout: 60_000,
    });
    return new TextDecoder().decode(asked.stdout) + asked.stderr;
  };
  const at = `ssh://${user}@127.0.0.1:${server.port}${folder}`;
  const key = `${folder}/dep`;
  const named: [Record<string, string>, boolean][] = [
    [{}, false],
    [{ [`${at}/dep`]: key }, true],
    [{ [`${at}/dep.git`]: key }, true],
    [{ [`git+${at}/dep`]: key }, true],
    [{ [at]: key }, true],
    [{ [`ssh://127.0.0.1:${server.port}${folder}`]: key }, true],
    // The longest beginning counts, and whole names do.
    [{ [at]: right.sshKeyFile!, [`${at}/dep`]: key }, true],
    [{ [`${at}/de`]: key }, false],
    [{ [`ssh://${user}@127.0.0.1:1${folder}/dep`]: key }, false],
  ];
  for (const [keys, isDep] of named) {
    const text = await names(`${folder}/dep.git`, keys);
    assertEquals(
      text.includes("refs/heads/dep"),
      isDep,
      `${JSON.stringify(keys)}: ${text}`,
    );
  }
  // Another input is offered the usual key.
  const text = await names(infra, { [`${at}/dep`]: key });
  assertStringIncludes(text, "refs/heads/main");
  assert(!text.includes("refs/heads/dep"), text);
});
