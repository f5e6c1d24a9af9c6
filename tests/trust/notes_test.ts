/** Signed notes in the repository, by real ssh-keygen and Git in worlds. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Command } from "../../lib/base/effects.ts";
import { short } from "../../lib/base/text.ts";
import { run } from "../../lib/process/run_command.ts";
import { makeKeyring } from "../../lib/trust/keyring.ts";
import { noteSigner } from "../../lib/trust/note_signature.ts";
import {
  type Note,
  noteName,
  noteText,
  readNote,
  repositoryName,
} from "../../lib/trust/note.ts";
import {
  deployed,
  runs,
  says,
  standing,
  syncTo,
  test,
} from "../runs/setting.ts";
import { gitEnvironment, type Repository } from "../world/repository.ts";
import { output } from "../world/program.ts";
import type { World } from "../world/world.ts";

const notesRef = "refs/heads/gitops-sync/approvals";

/** A key for commits alone. */
const gitOnly = 'namespaces="git" ';

/** Keys of people, and the file of those that a host trusts. */
async function makeKeys(world: World) {
  const folder = world.path("/keys");
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["ada", "eve", "old", "git"]) {
    const args = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"];
    await output(["ssh-keygen", ...args, `${folder}/${name}`]);
  }
  const options = { ada: "", old: 'valid-before="20200101" ', git: gitOnly };
  const lines = Object.entries(options).map(([name, option]) => {
    const key = Deno.readTextFileSync(`${folder}/${name}.pub`).trim();
    return `${name}@example.org ${option}${key}\n`;
  });
  world.write("/etc/gitops-sync/approvers", lines.join(""));
  return (name: string) => `${folder}/${name}`;
}

/** A note about what a host waits for, with changes. */
function noteFor(
  world: World,
  repository: Repository,
  revision: string,
  changes: Partial<Note> = {},
): Note {
  const at = new Date(Math.floor(Date.now() / 1000) * 1000);
  const iso = (time: Date) => time.toISOString().replace(".000", "");
  return {
    version: 1,
    operation: "approve",
    repository: repositoryName(world.urlOf(repository)),
    ref: "main",
    revision,
    from: [],
    hosts: ["demo"],
    at: iso(at),
    until: iso(new Date(at.getTime() + 3_600_000)),
    reason: "",
    ...changes,
  };
}

/** Signs a text as a person with ssh-keygen does. */
async function sign(key: string, text: string, namespace: string) {
  const path = `${key}.text`;
  await Deno.writeTextFile(path, text);
  await Deno.remove(`${path}.sig`).catch(() => {});
  const args = ["-q", "-Y", "sign", "-n", namespace, "-f", key, path];
  await output(["ssh-keygen", ...args]);
  return await Deno.readTextFile(`${path}.sig`);
}

/** Puts files on the ref of the notes, in place of all that are there. */
async function putFiles(
  repository: Repository,
  files: Readonly<Record<string, string | Uint8Array>>,
) {
  const work = `${repository.folder}.notes`;
  await Deno.remove(work, { recursive: true }).catch(() => {});
  await Deno.mkdir(work);
  const git = (...args: string[]) =>
    output(["git", ...args], { cwd: work, env: gitEnvironment });
  await git("init", "--quiet");
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    await Deno.writeFile(`${work}/${name}`, bytes);
  }
  await git("add", "--all");
  await git("commit", "--quiet", "--allow-empty", "-m", `${Math.random()}`);
  await git("push", "--quiet", "--force", repository.bare, `HEAD:${notesRef}`);
}

/** Files of the ref of the notes by their names. */
async function shown(repository: Repository, names: readonly string[]) {
  const files: Record<string, string> = {};
  for (const name of names) {
    const argv = ["git", "show", `${notesRef}:${name}`];
    const text = await output(argv, {
      cwd: repository.bare,
      env: gitEnvironment,
    });
    files[name] = `${text}\n`;
  }
  return files;
}

const trusting = { "approvals.allowedSigners": "/etc/gitops-sync/approvers" };
const settings = { approval: "manual", ...trusting } as const;

/** A host on which a revision waits. */
async function waits(world: World) {
  const made = await deployed(world);
  const key = await makeKeys(world);
  world.configure(made.repository, settings);
  const revision = await made.repository.publish("Second");
  says((await syncTo(world, 0)).stdout, "it waits for approval");
  return { ...made, key, revision };
}

test("a signed note approves what waits, once on each host", async (world) => {
  const { repository, key, revision } = await waits(world);
  const env = { ...gitEnvironment, HOME: world.folder };
  const url = world.urlOf(repository);
  const argv = ["fleet", "approve", revision, "--hosts", "web-*,de?o"];
  const more = ["--key", key("ada"), "--reason", "TICKET-7", "--json"];
  const signed = await world.startSync(
    [...argv, ...more, "--repository", url],
    { env },
  ).ended;
  assertEquals(signed.code, 0, signed.stderr);
  const said = JSON.parse(signed.stdout);
  assertEquals([said.result, said.hosts], ["signed", ["web-*", "de?o"]]);
  // A second one leaves the first where it is, and takes away what is over.
  const over = noteFor(world, repository, revision, {
    until: "2026-01-01T00:00:00Z",
  });
  const listed = async () =>
    (await output(["git", "ls-tree", "--name-only", notesRef], {
      cwd: repository.bare,
      env: gitEnvironment,
    })).split("\n").filter((name) => name !== "");
  const [one] = await listed();
  await putFiles(repository, {
    [noteName(over)]: "",
    [`${noteName(over)}.sig`]: "",
    "README": "",
    ...await shown(repository, await listed()),
  });
  const other = ["fleet", "approve", revision, "--hosts", "db-*"];
  const second = await world.startSync(
    [...other, "--key", key("ada"), "--repository", url],
    { env },
  ).ended;
  says(second.stdout, "is approved on db-*");
  assertEquals((await listed()).length, 4);
  assert((await listed()).includes(one!));
  const heeded = await syncTo(world, 0);
  says(
    heeded.stderr,
    "ada@example.org (SHA256:",
    "with a signed note: TICKET-7",
  );
  runs(world, revision);
  const [approved, done] = world.history().slice(-2);
  assertEquals(
    [approved?.result, approved?.by, approved?.why, done?.by],
    ["approved", "ada@example.org", "signed note: TICKET-7", "ada@example.org"],
  );
  // A run with nothing to do is still one that compares, by one question.
  await syncTo(world, 0);
  const settled = JSON.parse(
    world.read("/var/lib/gitops-sync/settled.json")!,
  );
  assertEquals(settled.question.args, [
    ...["ls-remote", "--heads", "--tags", "--", url],
    ...["refs/heads/main", "refs/tags/main", "refs/tags/main^{}", notesRef],
  ]);
  // The same note does not count again.
  await syncTo(world, 0, "rollback");
  await syncTo(world, 0, "resume");
  says((await syncTo(world, 0, "retry")).text, "it waits for approval");
  says((await syncTo(world, 0)).text, "it waits for approval");
});

test("no other note approves what waits", async (world) => {
  const { repository, key, revision } = await waits(world);
  const before = standing(world);
  const note = (changes: Partial<Note> = {}) =>
    noteFor(world, repository, revision, changes);
  const iso = (ms: number) =>
    new Date(Date.now() + ms).toISOString().replace(/\.\d+/, "");
  const good = note();
  const own = "gitops-sync-approve";
  const cases: [what: string, says: string, Promise<[string, string]>][] = [];
  const add = (
    what: string,
    says: string,
    one: Note,
    change: { key?: string; namespace?: string; text?: string } = {},
  ) => {
    const text = change.text ?? noteText(one);
    const signature = () =>
      sign(key(change.key ?? "ada"), text, change.namespace ?? own);
    cases.push([what, says, chain(async () => [text, await signature()])]);
  };
  let last: Promise<unknown> = Promise.resolve();
  const chain = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next;
    return next;
  };
  const noKey = "is not signed by a key that may approve";
  add("a key that is not trusted", noKey, good, { key: "eve" });
  add("a signature for Git", noKey, good, { namespace: "git" });
  add("a key that has expired", noKey, good, { key: "old" });
  add("a key for Git alone", noKey, good, { key: "git" });
  add("another host", "is for other hosts", note({ hosts: ["web-*"] }));
  add("another ref", "is for another ref", note({ ref: "next" }));
  const elsewhere = note({ repository: "git.example.org/other" });
  add("another repository", "is for another repository", elsewhere);
  add("another revision", "is for another revision", {
    ...good,
    revision: "f".repeat(40),
  });
  add("another operation", "is for accept", {
    ...good,
    operation: "accept",
    from: ["f".repeat(40)],
  });
  add("a time that is over", "expired at", note({ until: iso(-60_000) }));
  add(
    "a time without end",
    "is valid for longer than 90 days",
    note({ until: iso(400 * 86_400_000) }),
  );
  add("a key twice", "has an unexpected format", good, {
    text: noteText(good).replace('"hosts"', '"hosts": ["x"],\n  "hosts"'),
  });
  add("more than there is to say", "has an unexpected format", good, {
    text: noteText(good).replace("}", ',"all": true}'),
  });
  add("no JSON", "can't be read", good, { text: "\u001b[31m{{{" });
  const tampered = chain(async (): Promise<[string, string]> => [
    noteText(note({ hosts: ["*"] })),
    await sign(key("ada"), noteText(note({ hosts: ["web-1"] })), own),
  ]);
  cases.push(["what was changed afterwards", noKey, tampered]);
  cases.push(["no signature", noKey, Promise.resolve([noteText(good), ""])]);
  for (const [what, words, files] of cases) {
    const [text, signature] = await files;
    // Its name says what the host looks for.
    const name = noteName(good);
    await putFiles(repository, { [name]: text, [`${name}.sig`]: signature });
    const ended = await syncTo(world, 0, "sync", "--verbose");
    assertStringIncludes(ended.text, words, what);
    assertStringIncludes(ended.text, "it waits for approval", what);
    assert(!ended.text.includes("\u001b"), what);
    assertEquals(standing(world), before, what);
  }
  assertEquals(world.state()!.waiting?.approved, undefined);
});

test("a hostile ref of notes stops no host", async (world) => {
  const { repository, key, revision } = await waits(world);
  const before = standing(world);
  const good = noteFor(world, repository, revision);
  const signature = await sign(
    key("ada"),
    noteText(good),
    "gitops-sync-approve",
  );
  const name = noteName(good);
  const still = async (what: string) => {
    const ended = await syncTo(world, 0);
    assertStringIncludes(ended.text, "it waits for approval", what);
    assertEquals(standing(world), before, what);
    return ended.text;
  };
  const random = new Uint8Array(12 * 2 ** 20);
  for (let i = 0; i < random.length; i += 65_536) {
    crypto.getRandomValues(random.subarray(i, i + 65_536));
  }
  await putFiles(repository, { [name]: noteText(good), huge: random });
  says(await still("a huge file"), "Cannot check signed approvals");
  const long = "x".repeat(20_000);
  await putFiles(repository, { [name]: long, [`${name}.sig`]: signature });
  await still("a long note");
  await putFiles(repository, { [name]: noteText(good) });
  await still("a note alone");
  const junk = Object.fromEntries(
    Array.from({ length: 60 }, () => noteName(good)).flatMap((name) => [
      [name, "{}"],
      [`${name}.sig`, "junk"],
    ]),
  );
  await putFiles(repository, junk);
  await still("many bad notes");
  const work = `${repository.folder}.notes`;
  const git = (...args: string[]) =>
    output(["git", ...args], { cwd: work, env: gitEnvironment });
  await Deno.symlink("/etc/gitops-sync/approvers", `${work}/${name}`);
  await Deno.symlink("/etc/gitops-sync/approvers", `${work}/${name}.sig`);
  await git("add", "--all");
  await git("commit", "--quiet", "-m", "links");
  await git("push", "--quiet", "--force", repository.bare, `HEAD:${notesRef}`);
  await still("links");
  const blob = (await git("rev-parse", `HEAD:${name}`)).trim();
  await output(
    ["git", "update-ref", "refs/tags/odd", blob],
    { cwd: repository.bare, env: gitEnvironment },
  ).catch(() => {});
  // The keys are missing, then broken: nothing passes.
  const fine = { [name]: noteText(good), [`${name}.sig`]: signature };
  await putFiles(repository, fine);
  const keys = world.read("/etc/gitops-sync/approvers")!;
  world.write(
    "/etc/gitops-sync/approvers",
    `${keys}ada ssh-ed25519 nonsense\n`,
  );
  says(await still("broken keys"), "Cannot check signed approvals");
  world.write("/etc/gitops-sync/approvers", keys);
  await syncTo(world, 0);
  runs(world, revision);
});

test("a signed note accepts one exact move", async (world) => {
  const { repository, revision: first } = await deployed(world);
  const key = await makeKeys(world);
  world.configure(repository, trusting);
  const second = await repository.publish("Second");
  await syncTo(world, 0);
  await repository.git("reset", "--quiet", "--hard", first);
  const other = await repository.commit("Another second");
  await repository.push("main", { force: true });
  await syncTo(world, 4);
  says((await syncTo(world, 9)).text, "has been blocked since");
  const own = "gitops-sync-approve";
  const put = async (changes: Partial<Note>) => {
    const note = noteFor(world, repository, other, {
      operation: "accept",
      from: [second],
      ...changes,
    });
    const name = noteName(note);
    const text = noteText(note);
    const signature = await sign(key("ada"), text, own);
    await putFiles(repository, { [name]: text, [`${name}.sig`]: signature });
  };
  await put({ from: [first] });
  says((await syncTo(world, 9)).text, "is for a move from another revision");
  runs(world, second);
  await put({});
  const moved = await syncTo(world, 0);
  says(moved.text, `accepted ${short(other)} with a signed note`);
  runs(world, other);
  assertEquals(world.state()!.accepted ?? [], []);
  // The way back is another move.
  await repository.git("reset", "--quiet", "--hard", second);
  await repository.push("main", { force: true });
  await syncTo(world, 4);
  await syncTo(world, 9);
  runs(world, other);
});

test("an OpenPGP key approves as well, and no other one", async (world) => {
  const { repository } = await deployed(world);
  const home = world.path("/gpg");
  await Deno.mkdir(home, { mode: 0o700 });
  const env = { ...gitEnvironment, GNUPGHOME: home, HOME: world.folder };
  const gpg = (...args: string[]) =>
    output(["gpg", "--batch", "--quiet", "--passphrase", "", ...args], { env });
  for (const name of ["ada", "eve"]) {
    const id = `${name} <${name}@example.org>`;
    await gpg("--quick-gen-key", id, "ed25519", "sign", "never");
  }
  const key = await gpg("--armor", "--export", "ada@example.org");
  world.write("/etc/gitops-sync/ada.asc", `${key}\n`);
  world.configure(repository, {
    approval: "manual",
    "approvals.openpgpKeys": ["/etc/gitops-sync/ada.asc"],
  });
  const revision = await repository.publish("Second");
  await syncTo(world, 0);
  const approve = async (key: string) => {
    const argv = ["fleet", "approve", revision, "--hosts", "demo"];
    const more = ["--gpg-key", key, "--repository", world.urlOf(repository)];
    const ended = await world.startSync([...argv, ...more], { env }).ended;
    assertEquals(ended.code, 0, ended.stderr);
  };
  await approve("eve@example.org");
  const refused = await syncTo(world, 0);
  says(refused.text, "is not signed by a key that may approve", "it waits");
  await approve("ada@example.org");
  says((await syncTo(world, 0)).text, "ada <ada@example.org> (");
  runs(world, revision);
  await output(["gpgconf", "--kill", "gpg-agent"], { env });
});

Deno.test("a key that was revoked signs no note", async () => {
  const folder = await Deno.makeTempDir({ prefix: "gitops-sync-note-" });
  const key = `${folder}/key`;
  const args = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key];
  await output(["ssh-keygen", ...args]);
  const file = (text: string) => ({
    where: "here",
    bytes: new TextEncoder().encode(text),
  });
  const pub = Deno.readTextFileSync(`${key}.pub`);
  const text = "anything\n";
  const signature = await sign(key, text, "gitops-sync-approve");
  const signed = {
    bytes: new TextEncoder().encode(text),
    signature: new TextEncoder().encode(signature),
  };
  const effects = {
    run: (command: Command) => run(command),
  };
  const ssh = [file(`ada ${pub}`)];
  const signer = async (name: string, revoked?: ReturnType<typeof file>) => {
    const keyring = await makeKeyring(effects, `${folder}/${name}`, {
      ssh,
      openpgp: [],
      ...revoked && { revoked },
    });
    return await noteSigner(effects, keyring, folder, signed);
  };
  const good = await signer("good");
  assertEquals(good?.name, "ada");
  assert(good?.key.startsWith("SHA256:"));
  assertEquals(await signer("revoked", file(pub)), undefined);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a note is read as it was written, and in no other way", () => {
  const note: Note = {
    version: 1,
    operation: "approve",
    repository: "git.example.org/infra",
    ref: "main",
    revision: "a".repeat(40),
    from: [],
    hosts: ["web-*"],
    at: "2026-11-27T03:00:00Z",
    until: "2026-12-04T03:00:00Z",
    reason: "",
  };
  const read = (text: string) => readNote(new TextEncoder().encode(text));
  assertEquals(read(noteText(note)), note);
  assertEquals(read(noteText(note).trimEnd()), "has an unexpected format");
  assertEquals(read(`${noteText(note)}\n`), "has an unexpected format");
  for (
    const change of [
      { version: 2 },
      { hosts: [] },
      { hosts: "web" },
      { from: ["b".repeat(40)] },
      { revision: "A".repeat(40) },
      { until: "2026-12-04" },
      { operation: "reject" },
      { reason: "x".repeat(501) },
    ]
  ) {
    const odd = { ...note, ...change } as unknown as Note;
    assertEquals(read(noteText(odd)), "has an unexpected format");
  }
});
