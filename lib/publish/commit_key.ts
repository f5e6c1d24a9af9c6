/**
 * Signs the commits of the branch, and checks who signed the last one.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { usageError } from "../base/errors.ts";
import { lastWords, oneLine, short } from "../base/text.ts";
import type { LocalConfig } from "../config/config.ts";
import { localGit } from "../git/git.ts";
import { privateKeyProblem } from "../keys/private_key.ts";

/** An SSH key, and the other trusted signers. */
export class CommitKey {
  private constructor(
    private readonly effects: Pick<Effects, "run">,
    private readonly file: string,
    private readonly signers: string,
  ) {}

  /**
   * Reads the key and checks that it can sign.
   *
   * @param file A private key, or a public key whose private key is in an
   * agent.
   * @param folder A folder that nobody else may enter.
   * @throws {SyncError} `commit-key`, exit 2.
   */
  static async read(
    effects: Pick<Effects, "run">,
    config: Pick<LocalConfig, "verify.allowedSigners">,
    file: string,
    folder: string,
  ): Promise<CommitKey> {
    const path = await Deno.realPath(file).catch((error) => {
      throw badKey(file, (error as Error).message);
    });
    const key = await publicKey(effects, path);
    const allowed = config["verify.allowedSigners"];
    if (allowed !== undefined) return new CommitKey(effects, path, allowed);
    const signers = `${folder}/allowed_signers`;
    await Deno.writeTextFile(signers, `publish namespaces="git" ${key}\n`);
    return new CommitKey(effects, path, signers);
  }

  /** Git's settings for signing. */
  get settings(): [string, string][] {
    return [["gpg.format", "ssh"], ["user.signingKey", this.file]];
  }

  /**
   * Refuses a commit that no trusted key signed: the files of other hosts are
   * carried over from it, and our key would then sign them.
   *
   * @throws {SyncError} `branch-not-signed`, exit 2.
   */
  async check(repository: string, commit: string): Promise<void> {
    const args = ["verify-commit", "--raw", commit];
    const finished = await this.effects.run(localGit(repository, args, {}, [
      ["gpg.ssh.allowedSignersFile", this.signers],
    ]));
    // An exit code alone may be that of another program.
    const isGood = /^Good "git" signature for /m.test(finished.stderr);
    if (finished.code === 0 && isGood) return;
    throw usageError(
      "branch-not-signed",
      `Cannot write on top of ${
        short(commit)
      }: no trusted key has signed it, and your key would sign its files`,
      "check who pushed it; after a change of keys, list every trusted key: --verify-allowed-signers FILE",
      "to start over, delete the branch; then run gitops-sync accept on each host",
      ...lastWords(finished).slice(-2),
    );
  }
}

async function publicKey(
  effects: Pick<Effects, "run">,
  path: string,
): Promise<string> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw badKey(path, (error as Error).message);
  });
  if (/^(?:ssh|ecdsa|sk)-\S+ \S+/.test(text)) {
    return text.trim().split(" ").slice(0, 2).join(" ");
  }
  const trouble = await privateKeyProblem(effects, path, "--commit-key");
  if (trouble !== undefined) throw badKey(path, trouble);
  const { code, stdout, stderr } = await effects.run({
    program: "ssh-keygen",
    args: ["-y", "-P", "", "-f", path],
    timeout: 30_000,
  });
  if (code !== 0) throw badKey(path, oneLine(stderr, 200));
  return new TextDecoder().decode(stdout).trim().split(" ").slice(0, 2)
    .join(" ");
}

function badKey(file: string, why: string) {
  return usageError(
    "commit-key",
    `Cannot sign commits with ${oneLine(file, 200)}: ${oneLine(why, 300)}`,
    "use an SSH private key without a passphrase, or the public key of a key in the agent (SSH_AUTH_SOCK)",
  );
}
