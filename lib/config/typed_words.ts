/**
 * Hints for words that people know from other tools.
 *
 * @module
 */

/** The hint for a word, by the word. */
const hints: Readonly<Record<string, string>> = {
  log: "run gitops-sync logs for the log of an attempt",
  list: "run gitops-sync history for the list of attempts",
  version: "run gitops-sync --version",
  branch: "name the branch with the option ref (--ref NAME)",
  enable:
    "set it in the NixOS module, the only place for it: services.gitops.enable = true",
  frequency:
    'set it in the NixOS module, the only place for it: services.gitops.frequency = "30m"',
  services:
    "leave out services.gitops, which is the prefix in NixOS, and begin with the name of the option",
  deploy: "run gitops-sync sync to deploy what Git names",
  switch: "run gitops-sync sync to deploy what Git names",
  update: "run gitops-sync sync to deploy what Git names",
  fetch: "run gitops-sync plan to query the remote without a deployment",
  pause: "run gitops-sync suspend to pause deployments",
  logs: "run gitops-sync logs for the log of an attempt",
  plan: "run gitops-sync plan to see what a sync would do",
  diff: "run gitops-sync plan to see what a sync would do",
};

/**
 * Returns the hint for an unknown word.
 *
 * @param word A command, a flag without its dashes, or the name of an option,
 * of which the part before the first dot counts.
 */
export function hintFor(word: string): string | undefined {
  const name = word.replace(/^-+/, "").split(/[.\s]/)[0]!;
  return Object.hasOwn(hints, name) ? hints[name] : undefined;
}
