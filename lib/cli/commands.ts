/**
 * The only list of commands: arguments, help and completions come from it.
 *
 * @module
 */
import { CommandSpec, Flag } from "./call.ts";
import { reachOfPlan } from "./plan_operand.ts";

/** Flags of every command. */
export const globalFlags: readonly Flag[] = [
  {
    name: "config",
    value: "FILE",
    text: "the configuration (default: /etc/gitops-sync/config.yaml)",
  },
  { name: "json", text: "write the result as JSON" },
  { name: "verbose", text: "tell every program that is run" },
  { name: "help", text: "show this help" },
  { name: "version", text: "show the version" },
];

/** Flags of the commands that pass gates. */
const gateFlags: readonly Flag[] = [
  {
    name: "skip-gates",
    text: "ask no gate; --reason says why, and it is recorded and told",
  },
  {
    name: "reason",
    value: "TEXT",
    text: "why, for those who ask status",
  },
];

/** Flags that say which hosts of a fleet are meant. */
const fleetFlags: readonly Flag[] = [
  {
    name: "hosts",
    value: "PATTERNS",
    text: "names or patterns of hosts, with commas between",
  },
  { name: "ring", value: "NAME", text: "the hosts of one ring (fleet.ring)" },
];

/** Flags of the commands that write a signed note. */
const noteFlags: readonly Flag[] = [
  {
    name: "hosts",
    value: "PATTERNS",
    text: "names or patterns of hosts, with commas between",
  },
  {
    name: "for",
    value: "DURATION",
    text: "how long it counts, at most 90d (default: 7d)",
  },
  { name: "reason", value: "TEXT", text: "why, for those who ask history" },
  {
    name: "key",
    value: "FILE",
    text: "your SSH key (default: the key that Git signs with)",
  },
  { name: "gpg-key", value: "ID", text: "your OpenPGP key in place of it" },
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
        "do not wait out the pause after a failure, nor for a window to open or a revision to soak",
    }, {
      name: "wait",
      text: "wait for another run to end, in place of exit code 10",
    }, ...gateFlags],
    examples: [
      ["gitops-sync", "deploy what is new"],
      ["gitops-sync sync --now", "at once, in spite of a window or a pause"],
      [
        "gitops-sync sync --skip-gates --reason TICKET-12",
        "in an emergency, whatever the gates say",
      ],
    ],
    reach: "host",
  },
  {
    name: "plan",
    alias: "diff",
    summary: "what a sync would do, without doing it",
    text:
      "Shows the commits with their signatures, and the packages, units and secrets\nthat would change, whether a reboot is needed, and what would stop a sync.\nREVISION is a commit, branch or tag, as if the ref named it. A FOLDER begins\nwith . or /: it is evaluated as you, and needs no root. Changes nothing. Ends\nwith 0 whether or not something would change, and as the sync would end where\nthat would fail.",
    operand: "[REVISION|FOLDER]",
    flags: [
      {
        name: "no-build",
        text: "only the commits, secrets files, and what would stop a sync",
      },
      {
        name: "format",
        value: "FORMAT",
        choices: ["text", "markdown"],
        text: "text (the default), or markdown for a comment at a review",
      },
      {
        name: "before",
        value: "SYSTEM",
        text: "the system to compare a FOLDER with (default: what runs here)",
      },
      {
        name: "exit-code",
        text: "end with 16 if something would change, or may",
      },
    ],
    examples: [
      ["gitops-sync plan", "what the next sync does"],
      [
        "gitops-sync plan ./infra --host web --no-build",
        "a checkout, without root",
      ],
      [
        "gitops-sync plan testing --format markdown",
        "another branch, for a review",
      ],
    ],
    reach: reachOfPlan,
  },
  {
    name: "status",
    summary: "what runs, what Git says, and what comes next",
    text:
      "Says what this host runs and since when, where Git is, whether they agree\nand why not, how the last attempt ended, when the next run is, and what to do.\nWho is not root is told what runs have published, which has no texts.\n--exit-code and --wait exit with 0 in sync, 3 unknown, 9 held, 10 deploying,\n12 out of sync, 13 waiting, 14 suspended, 15 rolled back.",
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
        text: "wait until the tip is deployed or has failed",
      },
      {
        name: "exit-code",
        text: "exit with the code of the state; 0: in sync",
      },
    ],
    examples: [
      ["gitops-sync status --oneline --exit-code", "for scripts"],
      ["gitops-sync status --wait=10m", "after a push"],
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
    examples: [
      ["gitops-sync history --limit 5", "the last five attempts"],
    ],
    reach: "state",
  },
  {
    name: "history show",
    summary: "everything of one attempt",
    text:
      "Who asked for what, how it ended and why, how long each stage took, and the\nwhole log. ATTEMPT is an id, the beginning of an id or of a revision, or a\nnumber back: -1 is the last attempt (the default), -2 the one before it.",
    operand: "[ATTEMPT]",
    flags: [],
    examples: [
      ["gitops-sync history show -2", "the attempt before the last"],
      [
        "gitops-sync history show 4b112af8390c",
        "the last attempt of a revision",
      ],
    ],
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
    examples: [
      ["gitops-sync logs -f", "what goes on now"],
      ["gitops-sync logs 4b112af8390c", "of a revision"],
    ],
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
    examples: [
      ["gitops-sync watch --wait", "before a push"],
    ],
    reach: "state",
  },
  {
    name: "rollback",
    summary: "go back to an earlier good system",
    text:
      "Activates an earlier system that was confirmed here and makes it the boot\ndefault. The host stays there until resume; what it leaves is held then.",
    flags: [{
      name: "to",
      value: "REVISION",
      text: "which one (default: the one before the last good)",
    }, {
      name: "until-next-commit",
      text: "do not stay there once the branch moves",
    }, ...gateFlags],
    examples: [
      ["gitops-sync rollback --reason TICKET-12", "stay on the system before"],
      [
        "gitops-sync rollback --to 4b112af8390c --until-next-commit",
        "a known one, until the branch moves",
      ],
    ],
    reach: "host",
  },
  {
    name: "retry",
    summary: "try a held revision again",
    text:
      "Forgets every hold and pause, and syncs. On a host that is suspended or was\nrolled back it does neither, and says so.",
    flags: [],
    examples: [
      ["gitops-sync retry", "after what was in the way is mended"],
    ],
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
    examples: [
      ["gitops-sync accept 4b112af8390c", "after a forced push that was meant"],
    ],
    reach: "state",
  },
  {
    name: "approve",
    summary: "let what waits be deployed",
    text:
      "With approval in the configuration a revision waits once it is built. This is\nthe word for it: the next run deploys it, once.",
    operand: "REVISION",
    flags: [],
    examples: [
      [
        "gitops-sync approve 4b112af8390c",
        "let it be deployed by the next run",
      ],
    ],
    reach: "state",
  },
  {
    name: "reject",
    summary: "hold what waits",
    text: "The revision that waits for approval is not deployed, and held.",
    operand: "REVISION",
    flags: [
      { name: "reason", value: "TEXT", text: "why, for those who ask status" },
    ],
    examples: [
      ["gitops-sync reject 4b112af8390c --reason TICKET-12", "hold it"],
    ],
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
    examples: [
      ["gitops-sync suspend --for 2h --reason TICKET-12", "two hours of quiet"],
    ],
    reach: "state",
  },
  {
    name: "resume",
    summary: "end a suspension, or a rollback that lasts",
    text:
      "The next sync works again as configured. What a rollback left stays held.",
    flags: [],
    examples: [
      ["gitops-sync resume", "follow Git again"],
    ],
    reach: "state",
  },
  {
    name: "notify",
    summary: "deliver messages that wait, or test the receivers",
    text:
      "Delivers what runs had to tell and what could not be delivered so far. A\nunit of the NixOS module calls it. What fails waits for the next time.",
    flags: [{ name: "test", text: "send a test to every receiver instead" }],
    examples: [
      ["gitops-sync notify --test", "does every receiver get a message"],
    ],
    reach: "notify",
  },
  {
    name: "vault-agent",
    summary: "let sops decrypt with Vault, without a token",
    text:
      "Logs in to Vault and listens on a Unix socket (vault.socket), through which\nsops decrypts with VAULT_AGENT_ADDR=unix://SOCKET. Runs until it is stopped,\nthen revokes its login. docs/secrets.md tells how to use it; man gitops-sync\nsays where that is.",
    flags: [],
    examples: [
      [
        "gitops-sync vault-agent --vault-address https://vault.example.org",
        "what the unit does",
      ],
    ],
    reach: "vault",
  },
  {
    name: "serve",
    summary: "start a run for each push (webhooks); a status page",
    text:
      "Listens on serve.listen for webhooks of a forge at the path /webhook. A signed\npush to what this host follows makes the file serve.wanted, and a path unit of\nsystemd starts a run. With serve.page it shows how this host stands. Runs as a user without rights until it is stopped.\ndocs/serve.md tells how to set it up; man gitops-sync says where that is.",
    flags: [{
      name: "hash-password",
      value: "NAME",
      text:
        "only make a line for serve.auth.passwordFile; asks for the password, or reads it from standard input",
    }],
    examples: [
      ["gitops-sync serve --serve-listen 127.0.0.1:9480", "what the unit does"],
      ["gitops-sync serve --hash-password ada", "a line for the passwords"],
    ],
    reach: "serve",
  },
  {
    name: "secrets keygen",
    summary: "make this host's age key",
    text:
      "Makes a key in FILE (default: /etc/ssh/age.key), readable by root alone, and\nprints its public key and what to do with it. Never overwrites anything.",
    operand: "[FILE]",
    flags: [],
    examples: [
      ["sudo gitops-sync secrets keygen", "on a new host"],
    ],
  },
  {
    name: "secrets recipients",
    summary: "this host's public keys",
    text: "One line for each public key that this host can decrypt for.",
    flags: [],
    examples: [
      ["sudo gitops-sync secrets recipients", "for .sops.yaml or secrets.nix"],
    ],
  },
  {
    name: "secrets check",
    summary: "who can open what, in a checkout",
    text:
      "Reads the encrypted files of the checkout (or those in PATH…), and tells for\neach host of .sops.yaml and secrets.nix whether it can open them: yes, part\n(with others), - (no), MISSING (it should), extra (it should not any more).\nA key of this machine also decrypts what names it. Ends with 5 if something is\nwrong; --host NAME looks at one host alone.",
    operand: "[PATH…]",
    most: Infinity,
    flags: [],
    examples: [
      [
        "gitops-sync secrets check --host web",
        "can this host open what it needs",
      ],
    ],
  },
  {
    name: "secrets encrypt",
    summary: "encrypt files in place",
    text:
      "Encrypts files for those whom .sops.yaml names, or secrets.nix for files that\nend in .age. Each is replaced at once or not at all.",
    operand: "FILE…",
    most: Infinity,
    flags: [],
    examples: [
      ["gitops-sync secrets encrypt secrets/web.yaml", "a file in plaintext"],
    ],
  },
  {
    name: "secrets edit",
    summary: "edit an encrypted file",
    text:
      "Opens a file decrypted in $EDITOR, in a folder in memory that is removed\nafterwards, and encrypts what was changed. Makes the file if there is none.",
    operand: "FILE",
    flags: [],
    examples: [
      [
        "gitops-sync secrets edit secrets/web.yaml",
        "a new file, or one that is there",
      ],
    ],
  },
  {
    name: "secrets rotate",
    summary: "new data keys for files",
    text:
      "Encrypts files with a new data key: those of sops for the same people as\nbefore, those of age for the people of secrets.nix.",
    operand: "FILE…",
    most: Infinity,
    flags: [],
    examples: [
      [
        "gitops-sync secrets rotate secrets/web.yaml",
        "after a data key was seen",
      ],
    ],
  },
  {
    name: "secrets updatekeys",
    summary: "re-key files after .sops.yaml or secrets.nix changed",
    text:
      "Makes files readable for those whom .sops.yaml or secrets.nix names now, and\nfor nobody else.",
    operand: "FILE…",
    most: Infinity,
    flags: [],
    examples: [
      [
        "gitops-sync secrets updatekeys secrets/web.yaml",
        "after a change of .sops.yaml",
      ],
    ],
  },
  {
    name: "secrets add-host",
    summary: "let a new host open files",
    text:
      "Adds the public key KEY to .sops.yaml, in the rules that the FILEs fall under\n(there may be none if there is one rule alone), or to secrets.nix for FILEs that\nend in .age, and re-keys all files that this concerns. All of it or nothing.",
    operand: "NAME KEY [FILE…]",
    most: Infinity,
    flags: [],
    examples: [
      ["gitops-sync secrets add-host web age1… secrets/web.yaml", "a new host"],
    ],
  },
  {
    name: "fleet",
    summary: "how all hosts stand",
    text:
      "A line a host: what needs a person comes first. Asks the Prometheus of\nfleet.prometheus for the metrics that the hosts write, or else the forge for\nthe statuses that they gave REVISION. A host of which nothing fresh is known\nis silent, and never well. Needs no root and no configuration of a host.\n--exit-code ends with 0 where all are well, 3 where the rest is silent or\nunknown, and 12 otherwise.",
    operand: "[REVISION]",
    flags: [
      ...fleetFlags,
      {
        name: "limit",
        value: "N",
        text: "how many hosts to show, 0 for all (default: 40 on a terminal)",
      },
      {
        name: "exit-code",
        text: "exit with the code of the state; 0: all well",
      },
    ],
    examples: [
      [
        "gitops-sync fleet --fleet-prometheus https://prometheus.example.org",
        "from anywhere",
      ],
      [
        "gitops-sync fleet --hosts 'web-*' --exit-code",
        "some hosts, for scripts",
      ],
    ],
    reach: "fleet",
  },
  {
    name: "fleet wait",
    summary: "wait until hosts run a revision and are well",
    text:
      "Ends with 0 once all hosts that are asked for run REVISION and are well, with\n9 as soon as one of them needs a person for it, with 12 when the time is over,\nand with 3 where it could not be told. A host that is silent is not well, and\ntoo few hosts are not enough.",
    operand: "REVISION",
    flags: [
      ...fleetFlags,
      {
        name: "within",
        value: "DURATION",
        text: "how long to wait at most (default: 30m)",
      },
      {
        name: "at-least",
        value: "N",
        text: "how many hosts there must be (default: 1)",
      },
    ],
    examples: [
      [
        'gitops-sync fleet wait "$COMMIT" --ring canary --within 30m',
        "in CI, before the next ring",
      ],
    ],
    reach: "fleet",
  },
  {
    name: "fleet approve",
    summary: "approve a revision on many hosts by a signed note",
    text:
      "Writes a note that names the revision, the repository, the ref, the hosts and\nuntil when it counts, signs it with your key, and pushes it to the ref of\napprovals.ref. Hosts that trust the key (approvals.allowedSigners,\napprovals.openpgpKeys) take it as their approve. The repository is that of\n--repository, or the origin of this checkout.",
    operand: "REVISION",
    flags: noteFlags,
    examples: [
      [
        "gitops-sync fleet approve HEAD --hosts 'web-*' --for 2d",
        "in a checkout, as yourself",
      ],
    ],
  },
  {
    name: "fleet accept",
    summary: "accept a move of the ref on many hosts by a signed note",
    text:
      "The same as fleet approve for accept: the branch or tag may be moved from a\nrevision of --from, which the hosts deployed last, to REVISION, once.",
    operand: "REVISION",
    flags: [
      {
        name: "from",
        value: "REVISIONS",
        text: "what the hosts deployed last from the ref, with commas between",
      },
      ...noteFlags,
    ],
    examples: [
      [
        "gitops-sync fleet accept HEAD --from 4b112af8390c --hosts '*'",
        "after the branch was rewritten",
      ],
    ],
  },
  {
    name: "fleet locks",
    summary: "who holds the slots of this host's group",
    text:
      "Asks the lock server that lock.etcd names who may switch or reboot now, and\nsays what this host holds. A FleetLock server does not tell. --lock-group GROUP\nasks for another group.",
    flags: [],
    examples: [[
      "gitops-sync fleet locks --lock-group db",
      "those of another group",
    ]],
    reach: "locks",
  },
  {
    name: "fleet unlock",
    summary: "free the slot of a host that does not give it back",
    text:
      "HOST is the name of the host in its group (lock.id). Do it once you have seen\nthat the host is down, or well: another one goes on then. Who did it and why is\nrecorded in the history of this host, and beside the slot in etcd.",
    operand: "HOST",
    flags: [{
      name: "reason",
      value: "TEXT",
      text: "why; it must be given",
    }],
    examples: [[
      "gitops-sync fleet unlock web-1 --reason dead",
      "the rest of the group goes on without web-1",
    ]],
    reach: "locks",
  },
  {
    name: "config check",
    summary: "check the configuration",
    text:
      "Reads the configuration as every command does, and says what is wrong with\nit or what each option is. Changes nothing and asks nobody.",
    flags: [],
    examples: [
      [
        "gitops-sync config check --config ./config.yaml",
        "a file that is not installed yet",
      ],
    ],
  },
  {
    name: "init",
    summary: "make a repository that this host follows",
    text:
      "Writes a flake, the host's module, .sops.yaml with the keys of the host and\nof yourself, a first secret and the lock file into FOLDER (default: this one):\nall of it or nothing, and never over a file that is there. What is in\n/etc/nixos is copied, so that boot loader, disks, users and sshd stay. Says\nwhat else switches this host, and ends with the three commands to type next.\n--repository, --ref, --host and --directory say what the host follows.",
    operand: "[FOLDER]",
    flags: [
      { name: "yes", text: "ask nothing" },
      {
        name: "from",
        value: "FOLDER",
        text:
          "the host's own configuration (default: /etc/nixos where HOST is this machine)",
      },
      {
        name: "host-key",
        value: "KEY",
        text:
          "the host's public key (default: that of this machine, made if need be)",
      },
      {
        name: "admin-key",
        value: "KEY",
        text:
          "your own public key (default: that of ~/.config/sops/age/keys.txt or ~/.ssh)",
      },
      {
        name: "system",
        value: "SYSTEM",
        text:
          "the kind of machine, e.g. aarch64-linux (default: as the host's configuration says, or that of this machine)",
      },
      {
        name: "nixpkgs",
        value: "URL",
        text: "the input nixpkgs (default: the release of this host)",
      },
      {
        name: "gitops-sync",
        value: "URL",
        text: "the input gitops, which is this program",
      },
      { name: "sops-nix", value: "URL", text: "the input sops-nix" },
    ],
    examples: [
      [
        "gitops-sync init --repository https://git.example.org/infra.git",
        "on the host, as root",
      ],
      [
        "gitops-sync init --host web --host-key age1…",
        "in a checkout, for another host",
      ],
    ],
  },
  {
    name: "publish",
    summary: "build hosts once, into a cache",
    text:
      "Evaluates and builds the hosts of the flake in FOLDER (default: this one), as\nit is committed, copies each to a cache, and last writes the store path of each\nto a branch or a folder, where hosts with build.from: cache find it. A host that\nfails stops no other, and keeps the file that it has. Needs Git and Nix, and no\nroot. Ends with 6 if a host failed, with 5 if it did so for its secrets alone.",
    operand: "[FOLDER]",
    flags: [
      {
        name: "cache",
        value: "URL",
        text: "where to copy systems to: whatever nix copy --to takes",
      },
      {
        name: "branch",
        value: "NAME",
        text: "the branch to write to, which is for this alone",
      },
      {
        name: "folder",
        value: "FOLDER",
        text: "the folder to write to, in place of a branch",
      },
      {
        name: "hosts",
        value: "PATTERNS",
        text: "which hosts, such as web*,db (default: all)",
      },
      {
        name: "cache-key",
        value: "FILE",
        text: "the secret key that signs what is copied",
      },
      {
        name: "commit-key",
        value: "FILE",
        text: "the SSH key that signs the commits of the branch",
      },
      {
        name: "jobs",
        value: "N",
        text:
          "how many hosts at once (default: as processors and memory allow)",
      },
      {
        name: "all-or-nothing",
        text: "write nothing if a host fails",
      },
      {
        name: "dry-run",
        text: "evaluate only: build, copy and write nothing",
      },
    ],
    examples: [
      [
        "gitops-sync publish --cache s3://nix --cache-key key --branch deploy",
        "in CI, for hosts that follow the branch deploy",
      ],
      [
        "gitops-sync publish --cache file:///srv/nix --folder /srv/www",
        "for hosts that ask a web server",
      ],
    ],
  },
  {
    name: "doctor",
    summary: "whether a sync can work here, and what mends it",
    text:
      "Looks at everything that a sync on this host rests on, in the order in which\na run needs it, and says how each stands: ✓ well, ! a warning, ✗ a problem,\n? not looked at. One that fails does not stop the others. The tip is fetched\ninto a folder of its own, which is removed; nothing is built or activated.\nEnds with 0 where all is well, warnings included; otherwise with the code that\na sync would end with for the first problem, or else for the first thing that\nwas not looked at.",
    flags: [],
    examples: [
      ["sudo gitops-sync doctor", "look at all of this host"],
      [
        "gitops-sync doctor --json",
        "for programs, as far as you may look",
      ],
    ],
    reach: "looks",
    judges: true,
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
    examples: [
      ["sudo gitops-sync ready", "do the credentials work"],
    ],
    reach: "host",
  },
  {
    name: "completions",
    summary: "completions for a shell",
    text:
      "Writes what the shell needs to complete commands and flags. Type in bash:\nsource <(gitops-sync completions bash)",
    operand: "bash|zsh|fish",
    choices: ["bash", "zsh", "fish"],
    flags: [],
    examples: [
      ["gitops-sync completions fish", "for fish"],
    ],
  },
  {
    name: "complete",
    summary: "words for the completions of a shell",
    text: "Writes a word a line, each with what it is.",
    operand: "attempts|hosts|refs|revisions",
    flags: [],
    reach: "state",
    judges: true,
    isHidden: true,
  },
  {
    name: "pressed",
    summary: "what buttons of the status page ask for",
    text:
      "Does what the files in FOLDER ask for, once each. Units of the NixOS module\ncall it.",
    operand: "runs|words FOLDER",
    most: 2,
    flags: [],
    reach: ([kind]) => kind === "runs" ? "host" : "state",
    isHidden: true,
  },
];

/** The commands that a person is told of. */
export const listed: readonly CommandSpec[] = commands.filter(({ isHidden }) =>
  !isHidden
);
