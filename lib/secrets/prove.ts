/**
 * Proves that this host can decrypt all secrets of the built system, before
 * anything on the host changes: each file exists, has the needed key, and opens
 * with the keys that the system names.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { short } from "../base/text.ts";
import { endAgents, type Identity } from "./identities.ts";
import type { Facts, SopsFacts } from "./reading/facts.ts";
import { unreadAnswer } from "./reading/installed_keys.ts";
import { Reader } from "./reading/reader.ts";
import { readSecret } from "./reading/secret_bytes.ts";
import { installedSecrets } from "./installed.ts";
import { KeyFiles } from "./key_files.ts";
import type { Run } from "../run/run.ts";
import { blobName, entryOf, fingerprintOf, SecretMemory } from "./memory.ts";
import { judgeFile } from "./opening.ts";
import {
  foreignProblem,
  formatProblems,
  keyProblem,
  noFile,
  noSocket,
  notEncrypted,
  shownPath,
  unreadable,
} from "./installed_problems.ts";
import { type Problem, problemsFailure } from "./problems.ts";
import { deadlineOf, inParallel } from "./check.ts";
import { openerText, type Wanted, wantedFiles } from "./wanted.ts";
import { type Built, Proven } from "../run/stages.ts";

/**
 * Opens every file that the system of `built` installs.
 *
 * @throws {SyncError} exit 5, with every problem: `secrets-unreadable`, or
 * `vault-…` if Vault may be available in a later run.
 */
export async function prove(run: Run, built: Built): Promise<Proven> {
  const result = { ...built, done: "proven" as const };
  if (!run.config["secrets.check"]) return { ...result, secrets: 0 };
  const installed = await installedSecrets(built.system);
  const problems: Problem[] = installed.unread.map(({ path, why }) => ({
    file: path,
    reason: "manifest-unreadable",
    why: `the list of secrets that it installs can't be read: ${why}`,
    fix:
      "report this with the version of sops-nix or agenix; to deploy without this check, set secrets.check: false",
  }));
  problems.push(
    ...installed.sops.flatMap(({ content }) => formatProblems(content.secrets)),
  );
  const { wanted, lacksKey } = await wantedFiles(run, installed, problems);
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
    throw problemsFailure(problems, { identities, lacksKey }, "prove", what);
  }
  const secrets = wanted.flatMap(({ secrets }) => secrets).length;
  return { ...result, secrets };
}

/** What the checks of all files share. */
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
  const bytes = await readSecret(file, run.config["limits.secrets"]);
  if (bytes === undefined) return [noFile(name, forWhat)];
  if (typeof bytes === "string") {
    return [unreadable(name, forWhat, bytes)];
  }
  const found = await openProblems(run, wanted, bytes, tools, timeout);
  return [
    ...found,
    ...await keyProblems(wanted, bytes, tools.reader, found.length > 0),
  ];
}

/** Returns why a file can't be opened. */
async function openProblems(
  run: Run,
  { file, format, secrets, keys, hasSocket, makesPgp, opener }: Wanted,
  bytes: Uint8Array,
  { memory, keyFiles, reader }: Tools,
  timeout: number,
): Promise<Problem[]> {
  const name = shownPath(file);
  const forWhat = `secret ${secrets.map(({ name }) => name).join(", ")}`;
  const by = fingerprintOf(keys) + openerText(opener);
  const entry = await entryOf("content", await blobName(bytes), format, by);
  if (memory.get(entry) === "opened") return [];
  const own = opener ? { opener: { program: opener, file } } : {};
  const given = { name, bytes, format, ...own };
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
      const read = format === "age"
        ? { kind: format, bytes }
        : await reader.facts({ name, bytes, format });
      const { why, byPlugin } = answer;
      const problem = foreignProblem(name, forWhat, read, why, byPlugin);
      const isPgp = problem.recipients?.some((one) => /^[0-9A-F]+$/.test(one));
      if (!makesPgp || !isPgp) return [problem];
      warnUnproven(run, name);
      return [];
    }
  }
}

/**
 * Returns why sops-nix can't install keys of a file.
 *
 * @param isTold Whether the file has another problem already.
 */
async function keyProblems(
  { file, format, secrets }: Wanted,
  bytes: Uint8Array,
  reader: Reader,
  isTold: boolean,
): Promise<Problem[]> {
  if (format === "age") return [];
  const name = shownPath(file);
  const keys = secrets.map(({ key }) => key);
  const facts = await reader.facts({ name, bytes, format, keys });
  if (facts.kind !== "sops" && isTold) return [];
  // sops may open a file that this program can't read, but this program must
  // check the keys.
  const answers = facts.kind === "sops"
    ? facts.keys
    : keys.map((key) => unreadAnswer(format, key, whyUnread(facts)));
  return answers.flatMap((answer, i) => keyProblem(name, secrets[i]!, answer));
}

const whyUnread = (facts: Exclude<Facts, SopsFacts>) =>
  "why" in facts ? facts.why : "its metadata can't be read";

function warnUnproven(run: Run, file: string): void {
  say(
    run.effects,
    "warning",
    `Cannot prove that ${file} opens here: it is encrypted for an OpenPGP key, and the system makes one from an SSH RSA key`,
    [
      "use age: sops.age.sshKeyPaths with the ed25519 key of the host, and sops updatekeys",
    ],
  );
}

function distinct(identities: readonly Identity[]): Identity[] {
  return [...new Map(identities.map((one) => [one.path, one])).values()];
}
