/**
 * What people type who know another tool, and what it is called here.
 *
 * @module
 */

/** The hint for a word, by the word. */
const hints: Readonly<Record<string, string>> = {
  log: "the log of an attempt: gitops-sync logs",
  list: "all attempts: gitops-sync history",
  version: "the version: gitops-sync --version",
  branch: "the branch is the option ref: --ref NAME",
  enable:
    "that is an option of the NixOS module alone: services.gitops.enable = true",
  frequency:
    'that is an option of the NixOS module alone: services.gitops.frequency = "30m"',
  services:
    "services.gitops is the name in NixOS; leave it out, and begin with the name of the option",
  deploy: "bring this host to what Git says: gitops-sync sync",
  switch: "bring this host to what Git says: gitops-sync sync",
  update: "bring this host to what Git says: gitops-sync sync",
  fetch: "ask the remote without a deployment: gitops-sync plan",
  pause: "leave this host as it is: gitops-sync suspend",
  logs: "the log of an attempt: gitops-sync logs",
  plan: "what a sync would do: gitops-sync plan",
  diff: "what a sync would do: gitops-sync plan",
};

/**
 * The hint for a word that is not known here.
 *
 * @param word A command, a flag without its dashes, or the name of an option,
 * of which the part before the first dot counts.
 */
export function hintFor(word: string): string | undefined {
  const name = word.replace(/^-+/, "").split(/[.\s]/)[0]!;
  return Object.hasOwn(hints, name) ? hints[name] : undefined;
}
