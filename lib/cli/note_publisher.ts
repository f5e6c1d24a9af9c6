/**
 * Signs a note with a person's key and pushes it with the person's Git: their
 * settings, credentials and agents apply, as in a shell.
 *
 * @module
 */
import type { Effects, Finished } from "../base/effects.ts";
import { type SyncError, usageError } from "../base/errors.ts";
import { isRevision } from "../base/names.ts";
import { lastWords, oneLine } from "../base/text.ts";
import { attend } from "../process/attended.ts";
import { noteNamespace, noteOfName } from "../trust/note.ts";
import { Interruption } from "./output/interruption.ts";

/** The person's own programs. */
export interface Person {
  /** Runs Git in a folder, and returns its output. */
  git(folder: string, args: string[], input?: string): Promise<Finished>;
  /** Runs a program that may ask the person something, and returns its code. */
  attended(program: string, args: string[]): Promise<number>;
  /** Returns the push URL of the checkout in this folder. */
  origin(): Promise<string>;
  /** Returns the full hash of a revision, named as in a checkout. */
  revision(word: string): Promise<string>;
  /** Returns the key that Git signs with. */
  signingKey(): Promise<SigningKey>;
}

/** A person's own key: an SSH key file, or the ID of a key in gpg. */
export interface SigningKey {
  kind: "ssh" | "openpgp";
  key: string;
}

/** Returns the programs of the person who runs the command. */
export function asPerson(effects: Pick<Effects, "run">): Person {
  const env = () => ({ ...Deno.env.toObject(), LC_ALL: "C" });
  const git = (folder: string, args: string[], input?: string) =>
    effects.run({
      program: "git",
      args: ["-C", folder, ...args],
      env: env(),
      timeout: 60_000,
      ...input === undefined ? {} : { input: new TextEncoder().encode(input) },
    });
  const asked = async (...args: string[]) => {
    const { code, stdout } = await git(".", args);
    return code === 0 ? new TextDecoder().decode(stdout).trim() : "";
  };
  return {
    git,
    async attended(program, args) {
      using interruption = new Interruption(["SIGTERM", "SIGHUP"]);
      const command = { program, args, env: env() };
      return await attend(command, interruption.signal);
    },
    async origin() {
      const url = await asked("remote", "get-url", "origin");
      if (url !== "") return url;
      throw usageError(
        "repository-missing",
        "Cannot find the repository: there is no checkout with a remote origin here",
        "Run the command in a checkout, or name the repository that the hosts follow: `--repository URL`.",
      );
    },
    async revision(word) {
      if (isRevision(word)) return word;
      const args = ["rev-parse", "--verify", "--end-of-options"];
      const found = await asked(...args, `${word}^{commit}`);
      if (isRevision(found)) return found;
      throw usageError(
        "not-a-revision",
        `Cannot find ${
          oneLine(word, 80)
        }: expected a full commit hash, or a name in this checkout`,
        "Run the command in a checkout that has the commit, or type the full hash.",
      );
    },
    async signingKey() {
      const key = await asked("config", "--path", "user.signingKey");
      const format = await asked("config", "gpg.format");
      const isKnown = key !== "" && !key.startsWith("key::");
      if (isKnown && format === "ssh") return { kind: "ssh", key };
      if (isKnown && ["", "openpgp"].includes(format)) {
        return { kind: "openpgp", key };
      }
      throw usageError(
        "key-missing",
        "Cannot sign the note: user.signingKey of Git names no SSH key file and no OpenPGP key",
        "Name your key: `--key ~/.ssh/id_ed25519`, or `--gpg-key ID`.",
      );
    },
  };
}

/** How often a push is tried if other pushes were faster. */
const maxTries = 4;

/** The ref of the notes in the temporary repository. */
const ownRef = "refs/note/tip";

/** Makes and pushes the commit with a note, in a temporary folder. */
export class NotePublisher implements AsyncDisposable {
  private constructor(
    readonly person: Person,
    readonly url: string,
    readonly folder: string,
    readonly format: "sha1" | "sha256",
  ) {}

  /**
   * Makes a publisher for a repository, with a temporary folder.
   *
   * @param revision Any revision of that repository, in full.
   */
  static async make(
    person: Person,
    url: string,
    revision: string,
  ): Promise<NotePublisher> {
    const format = revision.length === 64 ? "sha256" : "sha1";
    const folder = await Deno.makeTempDir({ prefix: "gitops-sync-note-" });
    return new NotePublisher(person, url, folder, format);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }

  get #repository(): string {
    return `${this.folder}/repo`;
  }

  /**
   * Signs a note and pushes it beside the valid ones. Expired notes are
   * removed.
   *
   * @param ref The full name of the ref at the remote.
   * @throws {SyncError} exit 2, if it cannot be signed or pushed.
   */
  async publish(
    name: string,
    text: string,
    key: SigningKey,
    ref: string,
    now: Date,
  ): Promise<void> {
    const signature = await this.#sign(text, key);
    let tip = await this.#begin(ref);
    for (let tries = 1;; tries++) {
      const commit = await this.#commit(name, text, signature, tip, now);
      const args = ["push", "--quiet", "--", this.url, `${commit}:${ref}`];
      const code = await this.#attended(args);
      if (code === 0) return;
      const before = tip;
      tip = await this.#begin(ref);
      // Another push was faster. Try again, so that both notes are kept.
      if (tries < maxTries && tip !== before) continue;
      throw failed(
        `Cannot push the note to ${ref}: git push exited with code ${code}`,
        "Read the error of Git above. You need permission to push to this ref.",
      );
    }
  }

  async #sign(text: string, { kind, key }: SigningKey): Promise<string> {
    const path = `${this.folder}/note`;
    await Deno.writeTextFile(path, text);
    const [program, args] = kind === "ssh"
      ? ["ssh-keygen", ["-q", "-Y", "sign", "-n", noteNamespace, "-f", key]]
      : ["gpg", gpgArgs(key, `${path}.sig`)];
    const code = await this.person.attended(program, [...args, path]);
    if (code === 0) return await Deno.readTextFile(`${path}.sig`);
    throw failed(
      `Cannot sign with ${key}: ${program} exited with code ${code}`,
      "Name your own key with `--key FILE` or `--gpg-key ID`. A public SSH key works if an agent has the private key.",
    );
  }

  #attended(args: string[]): Promise<number> {
    return this.person.attended("git", ["-C", this.#repository, ...args]);
  }

  async #git(args: string[], input?: string): Promise<string> {
    const finished = await this.person.git(this.#repository, args, input);
    if (finished.code === 0) return new TextDecoder().decode(finished.stdout);
    throw failed(
      `Cannot write the note: git ${args[0]} failed`,
      ...lastWords(finished),
    );
  }

  /**
   * Makes a new repository and fetches the ref.
   *
   * @returns the commit of the ref; `undefined` if the ref does not exist yet.
   */
  async #begin(ref: string): Promise<string | undefined> {
    await Deno.remove(this.#repository, { recursive: true }).catch(() => {});
    await Deno.mkdir(this.#repository);
    const format = `--object-format=${this.format}`;
    await this.#git(["init", "--quiet", "--bare", format]);
    // A pattern may match no ref; a plain name would be an error.
    const what = `+${ref.slice(0, -1)}*:${ownRef}/*`;
    const args = ["fetch", "--quiet", "--no-tags", "--"];
    const code = await this.#attended([...args, this.url, what]);
    if (code !== 0) {
      throw failed(
        `Cannot read the notes of ${this.url}: git fetch exited with code ${code}`,
        "Read the error of Git above.",
      );
    }
    const own = `${ownRef}/${ref.at(-1)}`;
    const each = ["for-each-ref", "--format=%(objectname) %(refname)"];
    const lines = (await this.#git(each)).split("\n");
    return lines.map((line) => line.split(" "))
      .find(([, name]) => name === own)?.[0];
  }

  /** Makes a commit with the notes that are still valid, and this one. */
  async #commit(
    name: string,
    text: string,
    signature: string,
    tip: string | undefined,
    now: Date,
  ): Promise<string> {
    const before = tip === undefined
      ? ""
      : await this.#git(["ls-tree", "-z", tip]);
    const kept = before.split("\0").filter((entry) =>
      isFresh(entry.split("\t")[1] ?? "", now)
    );
    const blob = async (content: string) =>
      (await this.#git(["hash-object", "-w", "--stdin"], content)).trim();
    const own = [
      `100644 blob ${await blob(text)}\t${name}`,
      `100644 blob ${await blob(signature)}\t${name}.sig`,
    ];
    const entries = [...kept, ...own].map((entry) => `${entry}\0`).join("");
    const tree = await this.#git(["mktree", "-z"], entries);
    const parents = tip === undefined ? [] : ["-p", tip];
    const message = `${name.replace(/-.*$/, "")} ${JSON.parse(text).revision}`;
    const args = ["commit-tree", ...parents, "-m", message, tree.trim()];
    return (await this.#git(args)).trim();
  }
}

const gpgArgs = (key: string, to: string) => [
  ...["--quiet", "--armor", "--detach-sign", "--local-user", key],
  ...["--output", to],
];

/** Returns whether a file is a note that has not expired, or its signature. */
function isFresh(name: string, now: Date): boolean {
  const note = noteOfName(name.replace(/\.sig$/, ""));
  return note !== undefined && Date.parse(note.until) > now.getTime();
}

function failed(message: string, ...hints: string[]): SyncError {
  return usageError("note-failed", message, ...hints);
}
