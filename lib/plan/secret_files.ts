/**
 * Finds the encrypted files that differ between two revisions.
 *
 * @module
 */
import type { Run } from "../run/run.ts";
import type { Verified } from "../run/stages.ts";
import { readBlobs, secretTree, type TreeFile } from "../secrets/tree.ts";
import { Reader } from "../secrets/reading/reader.ts";
import { sealsOf, type SecretChanges } from "./secrets.ts";

/**
 * Compares the encrypted files of two revisions, by path.
 *
 * @param base The earlier revision; none: every file is new.
 */
export async function compareSecretFiles(
  run: Run,
  { mirror, commit }: Pick<Verified, "mirror" | "commit">,
  base: string | undefined,
): Promise<SecretChanges> {
  using reader = new Reader();
  const treeOf = async (revision: string) => {
    const one = { mirror, commit: { ...commit, revision } };
    const { files } = await secretTree(run, one, reader);
    return new Map(files.map((file) => [file.path, file]));
  };
  const after = await treeOf(commit.revision);
  const before = base === undefined
    ? new Map<string, TreeFile>()
    : await treeOf(base);
  const isBoth = [...after.values()].filter(({ path, blob }) =>
    before.has(path) && before.get(path)!.blob !== blob
  );
  const small = isBoth.filter(({ path, size }) =>
    Math.max(size, before.get(path)!.size) <= run.config["limits.secrets"]
  );
  const rekeyed = new Set<string>();
  for (const file of small) {
    const pair = [before.get(file.path)!, file];
    const [a, b] = await readBlobs(run, mirror, pair);
    const seals = sealsOf(a!);
    if (seals !== "" && seals === sealsOf(b!)) rekeyed.add(file.path);
  }
  const paths = (files: readonly TreeFile[]) =>
    files.map(({ path }) => path).sort();
  const missing = (from: Map<string, TreeFile>, to: Map<string, TreeFile>) =>
    paths([...from.values()].filter(({ path }) => !to.has(path)));
  return {
    added: missing(after, before),
    removed: missing(before, after),
    changed: paths(isBoth).filter((path) => !rekeyed.has(path)),
    rekeyed: [...rekeyed].sort(),
  };
}
