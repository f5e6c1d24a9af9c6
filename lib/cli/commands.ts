/**
 * The only list of commands: arguments, help and completions come from it.
 *
 * @module
 */
import { CommandSpec, Flag } from "./call.ts";

/** Flags of every command. */
export const globalFlags: readonly Flag[] = [
  {
    name: "config",
    value: "FILE",
    text: "the configuration (default: /etc/gitops-sync/config.yaml)",
  },
  { name: "json", text: "write the result as JSON (docs/json.md)" },
  { name: "verbose", text: "tell every program that is run" },
  { name: "help", text: "show this help" },
  { name: "version", text: "show the version" },
];

/** Every command, in the order of the help. The first is the default. */
export const commands: readonly CommandSpec[] = [
  {
    name: "sync",
    summary: "bring this host to what Git says",
    text:
      "Does one reconciliation: fetches what the ref names, checks it, builds it,\nactivates it, checks the host's health, and goes back if it is not well.",
    flags: [{
      name: "now",
      text:
        "do not wait out the pause after a failure, nor for a window to open",
    }],
    reach: "host",
  },
  {
    name: "status",
    summary: "what runs, what Git says, and what comes next",
    text:
      "Says what this host runs and since when, where Git is, whether they agree\nand why not, how the last attempt ended, when the next run is, and what to do.\nWho is not root is told what runs have published, which has no texts.",
    flags: [
      {
        name: "offline",
        text: "do not ask the remote; what it said last counts",
      },
      { name: "oneline", text: "one line" },
      { name: "watch", text: "go on showing it, until q or Ctrl-C" },
      {
        name: "wait",
        value: "TIMEOUT",
        optional: true,
        text:
          "wait until the tip is deployed or has failed, e.g. --wait=10m; exits like --exit-code",
      },
      {
        name: "exit-code",
        text:
          "exit with 0 in sync, 12 out of sync, 10 deploying, 9 held, 13 waiting, 14 suspended, 15 rolled back, 3 unknown",
      },
    ],
    reach: "state",
  },
  {
    name: "history",
    summary: "every attempt, with its stages and result",
    text:
      "One line for each attempt to change this host, the newest last. A terminal\nshows as much of it as fits.",
    flags: [{
      name: "limit",
      value: "N",
      text: "how many attempts to show, 0 for all (default: 20)",
    }, {
      name: "ids",
      text: "only the ids, the newest first, for logs and history show",
    }],
    reach: "state",
  },
  {
    name: "history show",
    summary: "everything of one attempt",
    text:
      "Who asked for what, how it ended and why, how long each stage took, and the\nwhole log. ATTEMPT is an id, the beginning of an id or of a revision, or a\nnumber back: -1 is the last attempt (the default), -2 the one before it.",
    operand: "[ATTEMPT]",
    flags: [],
    reach: "state",
  },
  {
    name: "logs",
    summary: "the whole log of one attempt",
    text:
      "Stages with their times, messages, and every line that the build and the\nswitch wrote. ATTEMPT is named as for history show; without it the last one.\nThe last 32 attempts have a log; a long one is kept without its middle.",
    operand: "[ATTEMPT]",
    flags: [{
      name: "follow",
      text: "go on until the attempt is over (also -f)",
    }],
    reach: "state",
  },
  {
    name: "watch",
    summary: "the run under way, live",
    text:
      "Shows the run that goes on, whoever began it: its stages, what it builds and\nfetches, and how it ends. Ends with the exit code of the run. Ctrl-C ends the\nwatching alone (130). Where none goes on it says when the last one was and\nwhen the next one is.",
    flags: [{
      name: "wait",
      text: "wait for the next run where none goes on",
    }],
    reach: "state",
  },
  {
    name: "rollback",
    summary: "go back to an earlier good system",
    text:
      "Activates an earlier system that was confirmed here and makes it the boot\ndefault. What it leaves is held until the branch moves or retry.",
    flags: [{
      name: "to",
      value: "REVISION",
      text: "which one (default: the one before the last good)",
    }],
    reach: "host",
  },
  {
    name: "retry",
    summary: "try a held revision again",
    text: "Forgets every hold and pause, and syncs.",
    flags: [],
    reach: "host",
  },
  {
    name: "accept",
    summary: "allow a branch or tag to move where it may not by itself",
    text:
      "Back to an older revision, to a rewritten history, to another repository, or\na signed tag to another commit: each is refused until a person accepts the\nrevision it was moved to. Counts for that revision and what is built on it,\nonce, until it is deployed; signatures are asked for all the same.",
    operand: "REVISION",
    flags: [{
      name: "for",
      value: "DURATION",
      text: "how long it counts, e.g. 12h (default: 7d)",
    }, {
      name: "unfollow",
      text:
        "deploy it although no later commit arrives: the host follows nothing then",
    }],
    reach: "state",
  },
  {
    name: "suspend",
    summary: "leave this host as it is for now",
    text: "Until resume, or until the time is over, a sync does nothing.",
    flags: [
      {
        name: "for",
        value: "DURATION",
        text: "end by itself after, e.g., 2h (default: only with resume)",
      },
      { name: "reason", value: "TEXT", text: "why, for those who ask status" },
    ],
    reach: "state",
  },
  {
    name: "resume",
    summary: "end a suspension",
    text: "The next sync works again as configured.",
    flags: [],
    reach: "state",
  },
  {
    name: "notify",
    summary: "deliver messages that wait, or test the receivers",
    text:
      "Delivers what runs had to tell and what could not be delivered so far. A\nunit of the NixOS module calls it. What fails waits for the next time.",
    flags: [{ name: "test", text: "send a test to every receiver instead" }],
    reach: "notify",
  },
  {
    name: "vault-agent",
    summary: "let sops decrypt with Vault, without a token",
    text:
      "Logs in to Vault and listens on a Unix socket (vault.socket), through which\nsops decrypts with VAULT_AGENT_ADDR=unix://SOCKET. Runs until it is stopped,\nthen revokes its login. docs/secrets.md tells how to use it.",
    flags: [],
    reach: "vault",
  },
  {
    name: "secrets keygen",
    summary: "make this host's age key",
    text:
      "Makes a key in FILE (default: /etc/ssh/age.key), readable by root alone, and\nprints its public key and what to do with it. Never overwrites anything.",
    operand: "[FILE]",
    flags: [],
  },
  {
    name: "secrets recipients",
    summary: "this host's public keys",
    text: "One line for each public key that this host can decrypt for.",
    flags: [],
  },
  {
    name: "secrets check",
    summary: "who can open what, in a checkout",
    text:
      "Reads the encrypted files of the checkout (or those in PATH…), and tells for\neach host of .sops.yaml and secrets.nix whether it can open them: yes, part\n(with others), - (no), MISSING (it should), extra (it should not any more).\nA key of this machine also decrypts what names it. Ends with 5 if something is\nwrong; --host NAME looks at one host alone.",
    operand: "[PATH…]",
    most: Infinity,
    flags: [],
  },
  {
    name: "secrets encrypt",
    summary: "encrypt files in place",
    text:
      "Encrypts files for those whom .sops.yaml names, or secrets.nix for files that\nend in .age. Each is replaced at once or not at all.",
    operand: "FILE…",
    most: Infinity,
    flags: [],
  },
  {
    name: "secrets edit",
    summary: "edit an encrypted file",
    text:
      "Opens a file decrypted in $EDITOR, in a folder in memory that is removed\nafterwards, and encrypts what was changed. Makes the file if there is none.",
    operand: "FILE",
    flags: [],
  },
  {
    name: "secrets rotate",
    summary: "new data keys for files",
    text:
      "Encrypts files with a new data key: those of sops for the same people as\nbefore, those of age for the people of secrets.nix.",
    operand: "FILE…",
    most: Infinity,
    flags: [],
  },
  {
    name: "secrets updatekeys",
    summary: "re-key files after .sops.yaml or secrets.nix changed",
    text:
      "Makes files readable for those whom .sops.yaml or secrets.nix names now, and\nfor nobody else.",
    operand: "FILE…",
    most: Infinity,
    flags: [],
  },
  {
    name: "secrets add-host",
    summary: "let a new host open files",
    text:
      "Adds the public key KEY to .sops.yaml, in the rules that the FILEs fall under\n(there may be none if there is one rule alone), or to secrets.nix for FILEs that\nend in .age, and re-keys all files that this concerns. All of it or nothing.",
    operand: "NAME KEY [FILE…]",
    most: Infinity,
    flags: [],
  },
  {
    name: "config check",
    summary: "check the configuration",
    text:
      "Reads the configuration as every command does, and says what is wrong with\nit or what each option is. Changes nothing and asks nobody.",
    flags: [],
  },
  {
    name: "ready",
    summary: "whether the next commit can arrive",
    text:
      "Asks the remote, and checks that the credentials, the trusted keys and the\nsecrets of this configuration work for a revision that was fetched here\n(default: the one deployed last). A sync runs it with the configuration of\neach new system before that system is confirmed. Changes nothing.",
    operand: "[REVISION]",
    flags: [{
      name: "from",
      value: "FOLDER",
      text: "the state folder that has the revision (default: stateDirectory)",
    }],
    reach: "host",
  },
  {
    name: "completions",
    summary: "completions for a shell",
    text:
      "Writes what the shell needs to complete the commands and flags:\n  source <(gitops-sync completions bash)",
    operand: "bash|zsh|fish",
    choices: ["bash", "zsh", "fish"],
    flags: [],
  },
];
