/**
 * Proves that what the built system decrypts when it is activated can be
 * decrypted here, before anything on the host changes: each file is there, has
 * the key that is wanted of it, and opens with the keys that this system names.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { short } from "../base/text.ts";
import { readAtMost } from "../host/files.ts";
import { asAge, endAgents, type Identity } from "./identities.ts";
import { Reader } from "./reading/reader.ts";
import { type Keys } from "./sops/sops.ts";
import type { SopsNixManifest, SopsNixSecret } from "./sops_nix.ts";
import { type Installed, installedSecrets } from "./installed.ts";
import { KeyFiles } from "./key_files.ts";
import type { Run } from "../run/run.ts";
import { blobName, entryOf, fingerprintOf, SecretMemory } from "./memory.ts";
import { judgeFile, type SecretFile } from "./opening.ts";
import {
  foreignProblem,
  keyProblem,
  noFile,
  noSocket,
  notEncrypted,
  shownPath,
  twoFormats,
  unreadable,
} from "./installed_problems.ts";
import { type Problem, problemsFailure } from "./problems.ts";
import { deadlineOf, inParallel, readKeys } from "./check.ts";
import { type Built, Proven } from "../run/stages.ts";

/** Secrets of one file that are opened with the same keys. */
interface Wanted {
  file: string;
  format: NonNullable<SecretFile["format"]>;
  secrets: { name: string; key: string }[];
  keys: Keys;
  /** Whether it hands sops the socket that asks Vault. */
  hasSocket: boolean;
  /** Whether sops-nix also makes OpenPGP keys of SSH ones, which we do not. */
  makesPgp: boolean;
}

/**
 * Opens every file that the system of `built` installs.
 *
 * @throws {SyncError} exit 5, with every problem: `secrets-unreadable`, or
 * `vault-…` where a later run may find Vault at work again.
 */
export async function prove(run: Run, built: Built): Promise<Proven> {
  const result = { ...built, done: "proven" as const };
  if (!run.config["secrets.check"]) return { ...result, secrets: 0 };
  const installed = await installedSecrets(built.system);
  const problems: Problem[] = installed.unread.map(({ path, why }) => ({
    file: path,
    reason: "manifest-unreadable",
    why: `what it installs can't be read: ${why}`,
    mend:
      "report it with the version of sops-nix or agenix; secrets.check: false goes on without",
  }));
  problems.push(...formatProblems(installed));
  const wanted = await filesOf(run, installed, problems);
  const memory = new SecretMemory(run.folder);
  const deadline = deadlineOf(run);
  await using keyFiles = new KeyFiles();
  using reader = new Reader(deadline);
  const tools = { memory, keyFiles, reader };
  const found = await inParallel(
    wanted,
    (one) => proveFile(run, one, tools, deadline()),
  );
  problems.push(...found.flat());
  const identities = distinct(wanted.flatMap(({ keys }) => keys.identities));
  await endAgents(run.effects, identities);
  await memory.save();
  if (problems.length > 0) {
    const what = `the system of ${short(built.commit.revision)}`;
    throw problemsFailure(problems, identities, "prove", what);
  }
  const secrets = wanted.flatMap(({ secrets }) => secrets).length;
  return { ...result, secrets };
}

/** The files of all manifests and lists, each once for each set of keys. */
async function filesOf(
  run: Run,
  { sops, agenix }: Installed,
  problems: Problem[],
): Promise<Wanted[]> {
  const wanted = new Map<string, Wanted>();
  const add = (
    one: Omit<Wanted, "secrets">,
    secret: SopsNixSecret | {
      name: string;
      key: string;
    },
  ) => {
    const by = [one.file, one.format, fingerprintOf(one.keys)].join("\0");
    const known = wanted.get(by) ?? { ...one, secrets: [] };
    known.secrets.push({ name: secret.name, key: secret.key });
    wanted.set(by, known);
  };
  for (const { content, environment } of sops) {
    const keys = await sopsNixKeys(run, content, environment, problems);
    const hasSocket =
      environment.VAULT_AGENT_ADDR === `unix://${run.config["vault.socket"]}`;
    for (const secret of content.secrets) {
      const { file, format } = secret;
      const makesPgp = content.sshKeyPaths.length > 0;
      add({ file, format, keys, hasSocket, makesPgp }, secret);
    }
  }
  for (const [paths, secrets] of byIdentities(agenix)) {
    // agenix passes over identities that are not there.
    const named = run.config["secrets.identities"];
    const keys = named
      ? (await readKeys(run, named)).keys
      : await agenixKeys(run, await readable(paths.split("\0")));
    for (const { name, file } of secrets) {
      const one = { file, format: "age" as const, keys };
      add({ ...one, hasSocket: false, makesPgp: false }, { name, key: "" });
    }
  }
  return [...wanted.values()];
}

function byIdentities(agenix: Installed["agenix"]) {
  return Map.groupBy(agenix, ({ identities }) => identities.join("\0"));
}

/**
 * All that agenix hands to age, in its order, whether it is of use or not: one
 * bad file may keep age from trying the others.
 */
async function agenixKeys(run: Run, paths: readonly string[]): Promise<Keys> {
  const { keys } = await readKeys(run, paths);
  const read = new Map(keys.identities.map((one) => [one.path, one]));
  const identities = paths.map((path): Identity =>
    read.get(path) ?? { path, kind: "age", recipients: [] }
  );
  return { ...keys, identities };
}

/** The keys that sops-install-secrets will have, and no others. */
async function sopsNixKeys(
  run: Run,
  manifest: SopsNixManifest,
  environment: Readonly<Record<string, string>>,
  problems: Problem[],
): Promise<Keys> {
  const named = run.config["secrets.identities"];
  if (named) return (await readKeys(run, named)).keys;
  const { ageKeyFile, ageSshKeyPaths, gnupgHome } = manifest;
  const own = await readKeys(run, [
    ...(ageKeyFile ? [ageKeyFile] : []),
    ...(gnupgHome ? [gnupgHome] : []),
  ]);
  for (const one of own.unusable) {
    // sops-install-secrets ends where the age key file is missing, and copies
    // whatever is in it otherwise.
    const isThere = one.file === ageKeyFile && await isReadable(one.file);
    if (!isThere) problems.push(one);
  }
  // sops-nix passes over SSH keys that it can't read or convert.
  const converted = await readKeys(run, ageSshKeyPaths);
  const sshKey = environment.SOPS_AGE_SSH_PRIVATE_KEY_FILE;
  const ssh = sshKey ? await readKeys(run, [sshKey]) : undefined;
  const identities = [
    ...own.keys.identities,
    ...converted.keys.identities.filter(({ kind }) => kind === "ssh").map(
      asAge,
    ),
    ...ssh?.keys.identities ?? [],
  ];
  return { ...own.keys, identities };
}

async function isReadable(path: string): Promise<boolean> {
  try {
    using _ = await Deno.open(path);
    return true;
  } catch {
    return false;
  }
}

/** sops-install-secrets refuses a file that is named with two formats. */
function formatProblems({ sops }: Installed): Problem[] {
  return sops.flatMap(({ content: { secrets } }) => {
    const first = new Map<string, SopsNixSecret>();
    for (const secret of secrets) {
      if (!first.has(secret.file)) first.set(secret.file, secret);
    }
    return secrets.flatMap((secret) => {
      const other = first.get(secret.file)!;
      return other.format === secret.format
        ? []
        : [twoFormats(shownPath(secret.file), secret, other)];
    });
  });
}

/** What the proof of all files has in common. */
interface Tools {
  memory: SecretMemory;
  keyFiles: KeyFiles;
  reader: Reader;
}

async function proveFile(
  run: Run,
  wanted: Wanted,
  tools: Tools,
  timeout: number,
): Promise<Problem[]> {
  const { file, secrets } = wanted;
  const name = shownPath(file);
  const forWhat = `secret ${secrets.map(({ name }) => name).join(", ")}`;
  const bytes = await readAtMost(file, run.config["limits.secrets"]).catch(
    (error) => error instanceof RangeError ? error.message : undefined,
  );
  if (bytes === undefined) return [noFile(name, forWhat)];
  if (typeof bytes === "string") {
    return [unreadable(name, forWhat, `${bytes} (limits.secrets)`)];
  }
  return [
    ...await openProblems(run, wanted, bytes, tools, timeout),
    ...await keyProblems(wanted, bytes, tools.reader),
  ];
}

/** What keeps a file from being opened. */
async function openProblems(
  run: Run,
  { file, format, secrets, keys, hasSocket, makesPgp }: Wanted,
  bytes: Uint8Array,
  { memory, keyFiles, reader }: Tools,
  timeout: number,
): Promise<Problem[]> {
  const name = shownPath(file);
  const forWhat = `secret ${secrets.map(({ name }) => name).join(", ")}`;
  const by = fingerprintOf(keys);
  const entry = await entryOf("content", await blobName(bytes), format, by);
  if (memory.get(entry) === "opened") return [];
  const given = { name, bytes, format };
  const withFile = await keyFiles.with(keys);
  const ways = [given, timeout, reader.facts] as const;
  const answer = await judgeFile(run.effects, withFile, ...ways);
  switch (answer.kind) {
    case "opened":
      if (answer.remember) memory.add(entry, "opened");
      else if (!hasSocket && keys.vault) {
        return [noSocket(name, run.config["vault.socket"])];
      }
      return [];
    case "problem":
      return [answer.problem];
    case "plain":
      return [notEncrypted(name, forWhat, format)];
    case "foreign": {
      if (answer.note) return [answer.note];
      const problem = foreignProblem(name, forWhat, format, bytes, answer.why);
      const isPgp = problem.recipients?.some((one) => /^[0-9A-F]+$/.test(one));
      if (!makesPgp || !isPgp) return [problem];
      tellUnproven(run, name);
      return [];
    }
  }
}

/** What keeps sops-nix from installing a key of a file. */
async function keyProblems(
  { file, format, secrets }: Wanted,
  bytes: Uint8Array,
  reader: Reader,
): Promise<Problem[]> {
  if (format === "age") return [];
  const name = shownPath(file);
  const keys = secrets.map(({ key }) => key);
  const facts = await reader.facts({ name, bytes, format, keys });
  // That it does not open is told already.
  if (facts.kind !== "sops") return [];
  return facts.keys.flatMap((answer, i) =>
    keyProblem(name, secrets[i]!, answer)
  );
}

function tellUnproven(run: Run, file: string): void {
  say(
    run.effects,
    "warning",
    `Cannot prove that ${file} opens here: it is for an OpenPGP key, and the system makes one of an SSH RSA key`,
    [
      "use age: sops.age.sshKeyPaths with the ed25519 key of the host, and sops updatekeys",
    ],
  );
}

async function readable(paths: readonly string[]): Promise<string[]> {
  const sizes = await Promise.all(
    paths.map((path) => Deno.stat(path).then(({ size }) => size, () => 0)),
  );
  return paths.filter((_, i) => sizes[i]! > 0);
}

function distinct(identities: readonly Identity[]): Identity[] {
  return [...new Map(identities.map((one) => [one.path, one])).values()];
}
